/** The longest time between two ticks of a timer of one millisecond, and the most that the thread has worked between two; in ms. */
export interface Gap {
  readonly gap: number
  readonly worked: number
}

/** The longest gap while something is done. On a machine that does something else too, `worked` is what the library makes of it. */
export async function longestGap(work: () => Promise<unknown>): Promise<Gap> {
  let last = performance.now()
  let lastWorked = workedSoFar()
  const longest = { gap: 0, worked: 0 }
  const tick = () => {
    const now = performance.now()
    const worked = workedSoFar()
    longest.gap = Math.max(longest.gap, now - last)
    longest.worked = Math.max(longest.worked, worked - lastWorked)
    last = now
    lastWorked = worked
  }
  const timer = setInterval(tick, 1)
  await work()
  // The last one ends with what would have ticked next.
  await new Promise((resolve) => setTimeout(resolve, 1))
  tick()
  clearInterval(timer)
  return longest
}

export function workedSoFar(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** Milliseconds from an abort in the middle of work until it has ended; null where it is done before. */
export async function timeToAbort(
  work: (signal: AbortSignal) => Promise<unknown>,
  after: number,
): Promise<number | null> {
  const controller = new AbortController()
  let aborted: number | null = null
  const timer = setTimeout(() => {
    aborted = performance.now()
    controller.abort(new Error('enough'))
  }, after)
  const ended = await work(controller.signal).then(
    () => null,
    () => performance.now(),
  )
  clearTimeout(timer)
  return ended === null || aborted === null ? null : ended - aborted
}
