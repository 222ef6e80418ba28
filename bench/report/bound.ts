import { isTiming, type Outcome } from '../harness/race.ts'
import { type Section, table } from './suite.ts'

/** A promise about what was measured. */
export interface Bound {
  readonly what: string
  readonly against: string
  readonly value: string
  readonly limit: string
  /** Null where the other one could not be measured. */
  readonly holds: boolean | null
}

/** What is bounded, by what, and what both took. */
interface Compared {
  readonly what: string
  readonly against: string
  readonly own: Outcome | undefined
  readonly other: Outcome | undefined
}

/** `own` takes at most `limit` times as long as `other`. */
export const atMost = (limit: number, compared: Compared): Bound =>
  boundOf(compared, `at most ×${limit}`, (own, other) => ({
    value: `×${(own / other).toFixed(2)}`,
    holds: own / other <= limit,
  }))

/** `other` takes at least `limit` times as long as `own`. */
export const timesFaster = (limit: number, compared: Compared): Bound =>
  boundOf(compared, `at least ${limit} times faster`, (own, other) => ({
    value: `${(other / own).toFixed(1)} times faster`,
    holds: other / own >= limit,
  }))

/** `own` does at least `limit` times as many as `other` in the same time. */
export const atLeast = (limit: number, compared: Compared): Bound =>
  boundOf(compared, `at least ×${limit}`, (own, other) => ({
    value: `×${(own / other).toFixed(2)}`,
    holds: own / other >= limit,
  }))

/** A value that is at most `limit`, each shown by `format`. */
export const within = (
  what: string,
  value: number,
  limit: number,
  format: (value: number) => string,
): Bound => ({
  what,
  against: '',
  value: format(value),
  limit: `at most ${format(limit)}`,
  holds: value <= limit,
})

function boundOf(
  { what, against, own, other }: Compared,
  limit: string,
  judge: (own: number, other: number) => Pick<Bound, 'value' | 'holds'>,
): Bound {
  const bound = { what, against, limit }
  if (isTiming(own) && isTiming(other)) return { ...bound, ...judge(own.median, other.median) }
  // One that is not there, or cannot do it, proves nothing; one that was to be measured and failed is no excuse.
  const holds = isTiming(own) && other == null ? null : false
  return { ...bound, value: holds === null ? '' : 'failed', holds }
}

/** How many times as long as `other` the one has taken, as an outcome itself. */
export function timesAsLong(one: Outcome | undefined, other: Outcome | undefined): Outcome | undefined {
  if (!isTiming(one) || !isTiming(other)) return isTiming(one) ? other : one
  const times = one.median / other.median
  return { median: times, low: times, high: times }
}

/** All of them, and how many do not hold. */
export function boundsSection(bounds: readonly Bound[]): Section {
  const broken = bounds.filter(({ holds }) => holds === false).length
  return {
    title: 'Bounds',
    blocks: [
      `What this library promises of its speed, held against the medians above. ${
        broken === 0
          ? 'All that was measured holds.'
          : `${broken} of ${bounds.length} did not hold in this run.`
      }`,
      table(
        ['', 'compared with', 'measured', 'bound', 'holds'],
        bounds.map(({ what, against, value, limit, holds }) => [
          what,
          against,
          value,
          limit,
          holds === null ? 'not measured' : holds ? 'yes' : 'NO',
        ]),
      ),
    ],
  }
}
