import type { Load } from '../harness/task.ts'

export const pageRows = 20

/** `page by cursor` goes on behind a row; the other pages begin at a population. */
export type QueryTask = 'unique lookup' | 'indexed page of 20' | 'page of 20 by cursor'

export const queryTasks: readonly QueryTask[] = [
  'unique lookup',
  'indexed page of 20',
  'page of 20 by cursor',
]

export const queryLoads = (rounds: number): Record<QueryTask, Load> => ({
  'unique lookup': { n: 5_000, least: 100, rounds },
  'indexed page of 20': { n: 500, least: 20, rounds },
  'page of 20 by cursor': { n: 500, least: 20, rounds },
})

/** For what reads all cities for each query. */
export const slowQueryLoads: Record<QueryTask, Load> = {
  'unique lookup': { n: 2, rounds: 3 },
  'indexed page of 20': { n: 2, rounds: 3 },
  'page of 20 by cursor': { n: 2, rounds: 3 },
}
