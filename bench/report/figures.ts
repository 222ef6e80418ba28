import type { Outcome } from '../harness/race.ts'
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
const formatTiming = (timing: Timing): string => `${formatDuration(timing.median)} ${formatSpread(timing)}`

export const formatSpread = ({ median, low, high }: Timing): string =>
  `±${(((high - low) / 2 / median) * 100).toFixed(0)}%`

/** Blank where the contender cannot do it; a failure is told in full below the table. */
export function formatOutcome(outcome: Outcome | undefined): string {
  if (outcome == null) return ''
  return 'failure' in outcome ? 'failed' : formatTiming(outcome)
}

export const formatCount = (count: number): string => count.toLocaleString('en')

/** Three significant digits, without an exponent. */
function significant(value: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 1e-9))))
  return value >= 999.5 ? formatCount(Math.round(value)) : value.toFixed(Math.min(digits, 2))
}
