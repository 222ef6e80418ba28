import { expect, test } from 'vitest'
import { startChild } from '../concurrency/child.ts'
import { type CommittedUnit, violationsOf } from '../concurrency/history.ts'
import { seedOfThisRun } from '../concurrency/random.ts'
import { newSchema } from './database.ts'
import { serverOfRun } from './server-of-run.ts'

interface Report {
  readonly history: readonly CommittedUnit[]
  readonly attempts: number
  readonly gaveUp: number
}

const server = await serverOfRun()
const processes = 4
const { VALKEYRIE_UNITS = '400' } = process.env
const units = Number(VALKEYRIE_UNITS)

test.skipIf('obstacle' in server)(
  `${units} random units of work in ${processes} processes see on a server what some serial order gives`,
  async () => {
    const { url } = server as { readonly url: string }
    const seed = seedOfThisRun()
    const schema = newSchema()
    const children = Array.from({ length: processes }, (_, process) =>
      startChild('concurrency/programs/units.ts', {
        path: url,
        process,
        seed,
        units: Math.ceil(units / processes),
        atOnce: 3,
        // One of them trims the log while the others rely on it.
        keepRows: process === 0 ? 1 : 100_000,
        options: { schema },
      }),
    )
    await Promise.all(children.map((child) => child.message()))
    for (const child of children) child.send('go')
    const reports = await Promise.all(children.map((child) => child.message<Report>()))
    const history = reports.flatMap((report) => report.history)
    const attempts = reports.reduce((sum, report) => sum + report.attempts, 0)
    const gaveUp = reports.reduce((sum, report) => sum + report.gaveUp, 0)
    const replay = `replay with VALKEYRIE_SEED=${seed} VALKEYRIE_UNITS=${units}`

    expect(violationsOf(history), replay).toEqual([])
    expect(history.length + gaveUp, replay).toBe(Math.ceil(units / processes) * processes)
    expect(gaveUp, replay).toBeLessThan(units / 100)
    expect(attempts, replay).toBeGreaterThan(history.length)
  },
)
