/** The middle of what was measured, and the quartiles around it: nanoseconds per operation, where nothing else is said. */
export interface Timing {
  readonly median: number
  readonly low: number
  readonly high: number
}

export function summarize(samples: readonly number[]): Timing {
  const sorted = samples.toSorted((a, b) => a - b)
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) }
}

export const median = (samples: readonly number[]): number => summarize(samples).median

/** The value below which this fraction of the sorted ones lies, with those between two of them interpolated. */
export function quantile(sorted: ArrayLike<number>, fraction: number): number {
  const at = (sorted.length - 1) * fraction
  const below = sorted[Math.floor(at)]!
  const above = sorted[Math.ceil(at)]!
  return below + (above - below) * (at % 1)
}
