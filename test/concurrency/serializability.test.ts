import { expect, it } from 'vitest'
import { startChild } from './child.ts'
import { type CommittedUnit, violationsOf } from './history.ts'
import { seedOfThisRun } from './random.ts'
import { newDatabasePath } from './temporary-folder.ts'

interface Report {
  readonly history: readonly CommittedUnit[]
  readonly attempts: number
  readonly gaveUp: number
}

const processes = 4
const { VALKEYRIE_UNITS = '2000' } = process.env
const units = Number(VALKEYRIE_UNITS)

it(`${units} random units of work in ${processes} processes see what some serial order gives`, async () => {
  const seed = seedOfThisRun()
  const path = newDatabasePath()
  const children = Array.from({ length: processes }, (_, process) =>
    startChild('concurrency/programs/units.ts', {
      path,
      process,
      seed,
      units: Math.ceil(units / processes),
      atOnce: 3,
      // One of them trims the log while the others rely on it.
      keepRows: process === 0 ? 1 : 100_000,
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
})
