/**
 * The first item that `isIt` accepts, or `undefined` when none has come within `timeout` milliseconds. `open` opens the
 * stream with the signal that ends it.
 *
 * Whatever ends the loop frees the stream: `return`, a throw of `isIt`, the signal. The `finally` does the same for the
 * timer, which would else keep the process alive. It is a timer on purpose: neither a stream nor `AbortSignal.timeout`
 * keeps a process alive, so one that waits for nothing else would end before the time is up.
 */
export async function waitFor<T>(
  open: (signal: AbortSignal) => ReadableStream<T>,
  isIt: (item: T) => boolean,
  timeout: number,
): Promise<T | undefined> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), timeout)
  try {
    for await (const item of open(stop.signal)) {
      if (isIt(item)) return item
    }
    return undefined
  } finally {
    clearTimeout(timer)
  }
}
