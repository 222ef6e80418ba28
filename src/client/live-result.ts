import { Results } from './results.ts'
import { type LiveState, pending, type SharedResult } from './shared-result.ts'

/** For how many milliseconds a stream stays open without followers: a component that is drawn again follows again at once. */
const lingering = 50
/** The same after a first result: whoever has waited for it is about to follow, but may be busy. */
const lingeringFirst = 1_000

/**
 * A live query of a server, as a client follows it. Everybody who follows the same query shares one stream, which opens for the
 * first and ends after the last.
 */
export class LiveResult<T> {
  /** Tells it from the other live queries of its client. */
  readonly key: string
  readonly #shared: (begin: boolean) => SharedResult | undefined

  // `shared` returns what all results with this key share; it makes it if `begin` is true.
  constructor(key: string, shared: (begin: boolean) => SharedResult | undefined) {
    this.key = key
    this.#shared = shared
  }

  /**
   * Its state, the same object until it changes. `pending` if nobody follows it.
   *
   * ```ts
   * client.watch('round').state.status // => 'pending'
   * ```
   */
  get state(): LiveState<T> {
    return (this.#shared(false)?.state ?? pending) as LiveState<T>
  }

  /**
   * Follows it, and calls `listener` each time its state changes, until you call the returned function. A failed query is tried
   * again.
   *
   * ```ts
   * const stop = client.watch('round').subscribe(({ status, result }) => console.log(status, result))
   * stop()
   * ```
   */
  readonly subscribe = (listener: (state: LiveState<T>) => void): (() => void) => {
    const shared = this.#shared(true)!
    shared.retry()
    const end = shared.listen(() => listener(shared.state as LiveState<T>))
    const release = shared.hold(lingering)
    return () => {
      end()
      release()
    }
  }

  /**
   * The current result, or the first one. A failed query is tried again. Rejects with a LiveError if the server refuses; without a
   * connection it waits.
   *
   * ```ts
   * const best = await client.watch('podium', { places: 2 }).first()
   * best.map(({ id }) => id) // => ['ada', 'bob']
   * ```
   */
  first(): Promise<T> {
    const shared = this.#shared(true)!
    shared.retry()
    const release = shared.hold(lingeringFirst)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const look = () => {
      const { status, result, error } = shared.state as LiveState<T>
      if (status === 'live') resolve(result)
      else if (status === 'failed') reject(error)
      else return
      end()
      release()
    }
    const end = shared.listen(look)
    look()
    return promise
  }

  /**
   * The results, for `for await`: the current one, then each new one. A slow reader gets only the newest. It throws the LiveError
   * with which the query fails; leaving the loop ends it.
   *
   * ```ts
   * for await (const best of client.watch('podium', { places: 2 })) {
   *   best.map(({ id }) => id) // => ['ada', 'bob']
   *   break
   * }
   * ```
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return new Results(this)
  }
}
