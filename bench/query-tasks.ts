import type { Load } from './harness.ts'

export const pageRows = 20

/** `page by cursor` goes on behind a row; the other pages begin at a population. */
export type QueryTask = 'unique lookup' | 'indexed page of 20' | 'page of 20 by cursor'

export const queryLoads: Record<QueryTask, Load> = {
  'unique lookup': { n: 5_000, rounds: 15 },
  'indexed page of 20': { n: 500, rounds: 15 },
  'page of 20 by cursor': { n: 500, rounds: 15 },
}

/** For what reads all cities for each query. */
export const slowQueryLoads: Record<QueryTask, Load> = {
  'unique lookup': { n: 2, rounds: 3 },
  'indexed page of 20': { n: 2, rounds: 3 },
  'page of 20 by cursor': { n: 2, rounds: 3 },
}

export const queryBounds = {
  /** How many times as long as the same prepared SQL by hand a query may take. */
  byHand: 1.6,
  /** The part that it may take of what the same query takes that Drizzle builds anew for each call. */
  builtAnew: 0.2,
  /** How many times as long as among the first thousand it may take among all cities. */
  growth: 1.5,
} as const
