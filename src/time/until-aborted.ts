/** The calls that wait for a signal, and the listener that ends them. */
interface Waiting {
  readonly calls: Set<() => void>
  readonly listener: () => void
}

/** One listener for all calls of a signal: adding or removing one listener takes time in proportion to their number. */
const waiting = new WeakMap<AbortSignal, Waiting>()

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
export function whenAborted(signal: AbortSignal, abort: () => void): () => void {
  const all = waiting.get(signal) ?? listen(signal)
  all.calls.add(abort)
  return () => {
    all.calls.delete(abort)
    if (all.calls.size > 0 || waiting.get(signal) !== all) return
    // As long as it has a listener, a signal that follows others, or a timer, is kept in memory.
    waiting.delete(signal)
    signal.removeEventListener('abort', all.listener)
  }
}

function listen(signal: AbortSignal): Waiting {
  const calls = new Set<() => void>()
  const listener = () => {
    for (const abort of calls) abort()
  }
  const all = { calls, listener }
  waiting.set(signal, all)
  signal.addEventListener('abort', listener, { once: true })
  return all
}

/**
 * The items of a source until the signal is aborted, which `signalNow` returns before each. A stalled source is abandoned at once, and told
 * to finish.
 */
export async function* itemsUntilAborted<T>(
  items: AsyncIterable<T>,
  signalNow: () => AbortSignal | undefined,
): AsyncIterable<T> {
  const source = items[Symbol.asyncIterator]()
  let isDone = false
  let isWaiting = false
  try {
    for (;;) {
      isWaiting = true
      const next = await untilAborted(Promise.resolve(source.next()), signalNow())
      isWaiting = false
      if (next.done) {
        isDone = true
        return
      }
      yield next.value
    }
  } finally {
    const hasFailed = isWaiting && signalNow()?.aborted !== true
    if (!isDone && !hasFailed) {
      const ending = Promise.resolve(source.return?.()).catch(() => {})
      // A stalled generator finishes when whatever it waits for arrives.
      if (!isWaiting) await ending
    }
  }
}
