import { isTiming, type Outcome } from '../harness/race.ts'
import type { Timing } from '../harness/timing.ts'

/** Nanoseconds, as `2.41 µs`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds < 999.5) return `${significant(nanoseconds)} ns`
  if (nanoseconds < 999.5e3) return `${significant(nanoseconds / 1e3)} µs`
  return nanoseconds < 999.5e6
    ? `${significant(nanoseconds / 1e6)} ms`
    : `${significant(nanoseconds / 1e9)} s`
}

/** A median with half the distance of the quartiles around it, as `2.41 µs ±3%`. */
export const formatTiming = (timing: Timing): string =>
  `${formatDuration(timing.median)} ${formatSpread(timing)}`

export const formatSpread = ({ median, low, high }: Timing): string =>
  `±${(((high - low) / 2 / median) * 100).toFixed(0)}%`

/** How many times as long as `other` the one has taken, as `×1.40`. */
export const formatRatio = (one: Outcome | undefined, other: Outcome | undefined): string =>
  isTiming(one) && isTiming(other) ? `×${(one.median / other.median).toFixed(2)}` : ''

export const formatCount = (count: number): string => count.toLocaleString('en')

/** `1 process`, `2 processes`. */
export const formatNumberOf = (count: number, one: string, many: string): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`

/** So many digits behind the point, as `1.3 ms`. */
export const milliseconds =
  (digits: number) =>
  (value: number): string =>
    `${value.toFixed(digits)} ms`

export const megabytes =
  (digits: number) =>
  (value: number): string =>
    `${value.toFixed(digits)} MB`

/** Three significant digits, without an exponent. */
function significant(value: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 1e-9))))
  return value >= 999.5 ? formatCount(Math.round(value)) : value.toFixed(Math.min(digits, 2))
}
