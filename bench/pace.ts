import { type UserSize, userSizes } from './values/user.ts'

/** How thorough a run is. */
export interface Pace {
  readonly sizes: readonly UserSize[]
  /** Rounds that count, for the comparison and the queries, and for what takes longer. */
  readonly rounds: number
  readonly fewerRounds: number
  readonly growthRows: readonly number[]
  readonly watchers: readonly number[]
  readonly writers: readonly number[]
  readonly writing: { readonly rounds: number; readonly milliseconds: number }
}

export const fullPace: Pace = {
  sizes: userSizes,
  rounds: 15,
  fewerRounds: 9,
  growthRows: [1_000, 100_000, 1_000_000],
  watchers: [0, 10, 1_000],
  writers: [1, 2, 4, 8],
  writing: { rounds: 3, milliseconds: 1_000 },
}

/** For trying out: too few rounds to rely on. */
export const quickPace: Pace = {
  sizes: userSizes.slice(0, 1),
  rounds: 3,
  fewerRounds: 3,
  growthRows: [1_000, 100_000],
  watchers: [0, 10, 1_000],
  writers: [1, 2, 4],
  writing: { rounds: 1, milliseconds: 300 },
}
