/**
 * The calls that wait for each signal. One listener for all of them: adding or removing one listener takes time in proportion to
 * their number.
 */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/** Resolves as `work` does, or rejects with the signal's reason as soon as it is aborted. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return signal === undefined ? work : orAborted(work, signal)
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  // Starting the work may have aborted it.
  if (signal.aborted) abort()
  const forget = whenAborted(signal, abort)
  try {
    return await Promise.race([work, promise])
  } finally {
    forget()
  }
}

/** Calls `abort` when the signal is aborted, unless the returned function is called first. */
function whenAborted(signal: AbortSignal, abort: () => void): () => void {
  const known = waiting.get(signal)
  const all = known ?? new Set()
  all.add(abort)
  const listener = () => {
    for (const one of all) one()
  }
  if (known === undefined) {
    waiting.set(signal, all)
    signal.addEventListener('abort', listener, { once: true })
  }
  return () => all.delete(abort)
}
