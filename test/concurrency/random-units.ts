import { expect } from 'vitest'
import { startChild } from './child.ts'
import { type CommittedUnit, violationsOf } from './history.ts'
import { seedOfThisRun } from './random.ts'

interface Report {
  readonly history: readonly CommittedUnit[]
  readonly attempts: number
  readonly gaveUp: number
}

/** Runs this many random units of work in several processes, and expects that some serial order explains what they have seen. */
export async function expectSerializable(
  path: string,
  { units, processes, options = {} }: { units: number; processes: number; options?: object },
): Promise<void> {
  const seed = seedOfThisRun()
  const children = Array.from({ length: processes }, (_, process) =>
    startChild('concurrency/programs/units.ts', {
      path,
      process,
      seed,
      units: Math.ceil(units / processes),
      atOnce: 3,
      // One of them trims the log while the others rely on it.
      keepRows: process === 0 ? 1 : 100_000,
      options,
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
  // Units have been in each other's way: without that the run shows nothing.
  expect(attempts, replay).toBeGreaterThan(history.length)
}
