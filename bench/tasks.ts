import type { Load } from './harness.ts'

/** How many times as long as by hand a task may take. */
export const bounds = {
  get: 1.6,
  'get by id': 1.6,
  list: 1.6,
  'list by id': 1.6,
  set: 1.6,
  'set by id': 1.6,
  'sets at once': 2,
  'atomic of 500': 2,
  'unit of work': 2,
  'bulk load': 2.5,
} as const

/** A task "by id" goes through a repository, the others through the key-value face; by hand they are the same. */
export type TaskName = keyof typeof bounds

/** The most memory that iterating over all cities may take, in MB. */
export const memoryBound = 60

/** The rows that gets and lists find. */
export const storedUsers = 10_000

/** In this order: what reads comes before the rows that the other tasks add. */
export const loads = (cities: number): Record<TaskName, Load> => ({
  get: { n: storedUsers, rounds: 25 },
  'get by id': { n: storedUsers, rounds: 25 },
  list: { n: storedUsers, rounds: 25 },
  'list by id': { n: storedUsers, rounds: 25 },
  'unit of work': { n: 500, rounds: 25 },
  set: { n: 500, rounds: 25 },
  'set by id': { n: 500, rounds: 25 },
  'sets at once': { n: 1_000, rounds: 25 },
  'atomic of 500': { n: 500, rounds: 25 },
  'bulk load': { n: cities, rounds: 7 },
})
