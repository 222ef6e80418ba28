/** Who waits for each signal. With a listener for each of them, every one that is added or removed would cost as much as there are. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/** What `work` resolves to, or a rejection with the signal's reason as soon as it is aborted. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return signal === undefined ? work : orAborted(work, signal)
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  // It may have been aborted by what the work has begun with.
  if (signal.aborted) abort()
  const forget = whenAborted(signal, abort)
  try {
    return await Promise.race([work, promise])
  } finally {
    forget()
  }
}

/** Calls `abort` when the signal is aborted, unless what it gives is called before. */
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
