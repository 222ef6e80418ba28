/**
 * Milliseconds of a monotonic clock. It takes a third of the time of `performance.now()`, and does not load all of
 * `node:perf_hooks`.
 */
export function clock(): number {
  return milliseconds(process.hrtime())
}

/** As they were when the module was loaded, which is before a test of a program replaces them. */
const { hrtime, nextTick } = process

export const realNextTick = nextTick

/** Like `clock`, for what has to end also in a test that stops the clock, as fake timers do. */
export function realClock(): number {
  return milliseconds(hrtime())
}

function milliseconds([seconds, nanoseconds]: [number, number]): number {
  return seconds * 1e3 + nanoseconds / 1e6
}
