import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { describeEnginesInTurn } from '../engines.ts'
import { extent } from '../extent.ts'
import { patient } from '../waiting.ts'
import { accountSchema, accounts, openingBalance, wholeSum } from './bank.ts'
import { startChild } from './child.ts'
import { seedOfThisRun } from './random.ts'

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

describeEnginesInTurn('a bank', 1, (engine) => {
  it('transfers of 8 processes between 20 accounts lose no money, and a ninth never sees any missing', async () => {
    const path = engine.newAddress()
    const [fewest, fewestAudits] = engine.name === 'sqlite' ? [30, 5] : [10, 3]
    const each = extent('transfers of a process', fewest, 100)
    const audits = extent('audits', fewestAudits, 15)
    const db = await Valkeyrie.withSchema(...accountSchema).open(path, patient)
    await db.repositories.accounts.insertMany(accounts.map((id) => [id, { balance: openingBalance }]))
    const seed = seedOfThisRun()
    const tellers = Array.from({ length: 8 }, (_, process) =>
      startChild('concurrency/programs/bank.ts', { path, seed: seed + process, transfers: each }),
    )
    const auditor = startChild('concurrency/programs/auditor.ts', { path, audits })
    await Promise.all([...tellers, auditor].map((child) => child.message()))
    for (const teller of tellers) teller.send('go')
    // The auditor looks on while they transfer, and they transfer while it looks on.
    expect(await auditor.message()).toBe('audited')
    for (const teller of tellers) expect(await teller.message()).toBe('transferred')
    for (const child of [...tellers, auditor]) child.send('stop')
    const reports = await Promise.all(tellers.map((teller) => teller.message<Report>()))
    const audit = await auditor.message<AuditReport>()

    expect(reports.flatMap(({ failures }) => failures)).toEqual([])
    expect(audit.failures.filter((failure) => !failure.includes('ConflictError'))).toEqual([])
    expect(audit.wrong).toEqual([])
    expect(audit.audits).toBeGreaterThanOrEqual(audits)
    for (const { transfers } of reports) expect(transfers).toBeGreaterThanOrEqual(each)
    const balances = await Array.fromAsync(db.repositories.accounts.list())
    expect(balances).toHaveLength(accounts.length)
    expect(balances.reduce((sum, { value }) => sum + value.balance, 0)).toBe(wholeSum)
    await db.close()
  })
})
