// Transfers money at random between accounts by units of work: the processes of bank.test.ts.
import { ConflictError, Valkeyrie } from 'valkeyrie'
import { patient } from '../../waiting.ts'
import { accountSchema, accounts } from '../bank.ts'
import { randomOf } from '../random.ts'

const {
  path,
  seed,
  transfers: enough,
} = JSON.parse(process.argv[2]!) as {
  readonly path: string
  readonly seed: number
  /** After this many it says so, and continues until it gets the order to stop. */
  readonly transfers: number
}
const db = await Valkeyrie.withSchema(...accountSchema).open(path, patient)
const random = randomOf(seed)
const anAccount = () => accounts[Math.floor(random() * accounts.length)]!
const report = { transfers: 0, conflicts: 0, failures: [] as string[] }

async function transfer(): Promise<void> {
  const from = anAccount()
  const to = anAccount()
  const most = Math.floor(random() * 50)
  await db.unitOfWork(async (unit) => {
    const [payer, payee] = await unit.repositories.accounts.getMany([from, to])
    const amount = Math.min(most, payer!.value!.balance)
    payer!.value!.balance -= amount
    payee!.value!.balance += amount
  })
}

let stopped = false
async function lane(): Promise<void> {
  while (!stopped) {
    try {
      await transfer()
      report.transfers += 1
      if (report.transfers === enough) process.send!('transferred')
    } catch (error) {
      if (error instanceof ConflictError) report.conflicts += 1
      else report.failures.push(String(error))
    }
  }
}

process.once('message', async () => {
  process.once('message', () => {
    stopped = true
  })
  await Promise.all([lane(), lane()])
  await db.close()
  process.send!(report, () => process.disconnect())
})
process.send!('ready')
