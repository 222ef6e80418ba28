// Adds up all accounts again and again, each time from one snapshot: the ninth process of bank.test.ts.
import { Valkeyrie } from 'valkeyrie'
import { patient } from '../../waiting.ts'
import { accountSchema, accounts, wholeSum } from '../bank.ts'

const { path, audits: enough } = JSON.parse(process.argv[2]!) as {
  readonly path: string
  /** After this many it says so, and continues until it gets the order to stop. */
  readonly audits: number
}
const db = await Valkeyrie.withSchema(...accountSchema).open(path, patient)
const report = { audits: 0, wrong: [] as string[], failures: [] as string[] }

type Balances = readonly { readonly value: { readonly balance: number } | null }[]
const sumOf = (entries: Balances) => entries.reduce((sum, { value }) => sum + value!.balance, 0)

const audits: Record<string, () => Promise<Balances>> = {
  'getMany of the database': () => db.repositories.accounts.getMany(accounts),
  'getMany of a unit': () => db.unitOfWork((unit) => unit.repositories.accounts.getMany(accounts)),
  'list of a unit': () =>
    db.unitOfWork((unit) => Array.fromAsync(unit.repositories.accounts.list({}, { batchSize: 20 }))),
}

let stopped = false
process.once('message', () => {
  stopped = true
})
process.send!('ready')
while (!stopped) {
  for (const [name, audit] of Object.entries(audits)) {
    try {
      const sum = sumOf(await audit())
      report.audits += 1
      if (report.audits === enough) process.send!('audited')
      if (sum !== wholeSum) report.wrong.push(`${name}: ${sum}`)
    } catch (error) {
      report.failures.push(`${name}: ${error}`)
    }
  }
  await new Promise((resolve) => setImmediate(resolve))
}
await db.close()
process.send!(report, () => process.disconnect())
