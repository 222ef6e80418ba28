import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { accountSchema, accounts, openingBalance, wholeSum } from './bank.ts'
import { startChild } from './child.ts'
import { seedOfThisRun } from './random.ts'
import { newDatabasePath } from './temporary-folder.ts'

interface Report {
  readonly transfers: number
  readonly conflicts: number
  readonly failures: readonly string[]
}

interface AuditReport {
  readonly audits: number
  readonly wrong: readonly string[]
  readonly failures: readonly string[]
}

it('transfers of 8 processes between 20 accounts for 5 seconds lose no money, and a ninth never sees any missing', async () => {
  const path = newDatabasePath()
  const db = await Valkeyrie.withSchema(...accountSchema).open(path)
  await db.repositories.accounts.insertMany(accounts.map((id) => [id, { balance: openingBalance }]))
  const seed = seedOfThisRun()
  const tellers = Array.from({ length: 8 }, (_, process) =>
    startChild('concurrency/programs/bank.ts', { path, seed: seed + process, milliseconds: 5_000 }),
  )
  const auditor = startChild('concurrency/programs/auditor.ts', { path })
  await Promise.all([...tellers, auditor].map((child) => child.message()))
  for (const teller of tellers) teller.send('go')
  const reports = await Promise.all(tellers.map((teller) => teller.message<Report>()))
  auditor.send('stop')
  const audit = await auditor.message<AuditReport>()

  expect(reports.flatMap(({ failures }) => failures)).toEqual([])
  expect(audit.failures.filter((failure) => !failure.includes('ConflictError'))).toEqual([])
  expect(audit.wrong).toEqual([])
  expect(audit.audits).toBeGreaterThan(10)
  for (const { transfers } of reports) expect(transfers).toBeGreaterThan(0)
  const balances = await Array.fromAsync(db.repositories.accounts.list())
  expect(balances).toHaveLength(accounts.length)
  expect(balances.reduce((sum, { value }) => sum + value.balance, 0)).toBe(wholeSum)
  await db.close()
})
