import type { ServerPace } from './postgres/measure-postgres.ts'
import { type UserSize, userSizes } from './values/user.ts'

/** How thorough a run is. */
export interface Pace {
  readonly sizes: readonly UserSize[]
  /** How long the turn of a slow contender may take, in milliseconds. */
  readonly turn: number
  /** After how many milliseconds of a task the slowest need no more rounds. */
  readonly enough: number
  /** Rounds that count, for small values and the queries, for all else, for starts, and for gaps. */
  readonly rounds: number
  readonly fewerRounds: number
  readonly starts: number
  readonly responsive: number
  readonly growthRows: readonly number[]
  readonly indexes: readonly number[]
  readonly watchers: readonly number[]
  readonly readers: readonly number[]
  readonly writers: readonly number[]
  readonly writing: { readonly rounds: number; readonly milliseconds: number }
  readonly postgres: ServerPace
}

export const fullPace: Pace = {
  sizes: userSizes,
  turn: 50,
  enough: 6_000,
  rounds: 15,
  fewerRounds: 9,
  starts: 25,
  responsive: 5,
  growthRows: [1_000, 100_000, 1_000_000],
  indexes: [0, 50, 100, 200, 400, 600],
  watchers: [0, 10, 1_000],
  readers: [1, 10, 1_000],
  writers: [1, 2, 4, 8],
  writing: { rounds: 3, milliseconds: 1_000 },
  postgres: { counts: [1, 4, 8, 16], rounds: 3, milliseconds: 150, changes: 1_000 },
}

/** For trying out: too few rounds to rely on. */
export const quickPace: Pace = {
  sizes: userSizes.slice(0, 1),
  turn: 20,
  enough: 1_000,
  rounds: 3,
  fewerRounds: 3,
  starts: 5,
  responsive: 1,
  growthRows: [1_000, 100_000],
  indexes: [0, 50, 100, 200, 400, 600],
  watchers: [0, 10, 1_000],
  readers: [1, 10, 1_000],
  writers: [1, 2, 4],
  writing: { rounds: 1, milliseconds: 300 },
  postgres: { counts: [1, 4], rounds: 1, milliseconds: 100, changes: 100 },
}
