/** How long a job waits after a failure, in milliseconds: `first` after the first one, never more than `longest`. */
export interface Backoff {
  readonly first: number
  readonly longest: number
}

/**
 * Twice as long after each failure, so that what is overloaded is left alone; and, by up to a half, less at random, so that jobs
 * that have failed together do not come back together.
 */
export function backoffDelay({ first, longest }: Backoff, failures: number, random = Math.random): number {
  const bound = Math.min(first * 2 ** (failures - 1), longest)
  return bound * (1 - random() / 2)
}
