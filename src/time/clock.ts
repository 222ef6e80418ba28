/** Taken when the module is loaded, because fake timers replace it. */
const { hrtime } = process

/**
 * Milliseconds of a monotonic clock. It takes a third of the time of `performance.now()`, and does not load all of
 * `node:perf_hooks`.
 */
export function clock(): number {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}
