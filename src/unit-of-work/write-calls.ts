/** A promise that knows whether somebody waits for it. */
class WriteCall<T> extends Promise<T> {
  isAwaited = false

  // What is derived from it is an ordinary promise.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  // biome-ignore lint/suspicious/noThenProperty: `await`, `catch` and `Promise.all` come here.
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.isAwaited = true
    return super.then(onFulfilled, onRejected)
  }

  /** The rejection is reported by the unit. */
  keepQuiet(): void {
    super.then(undefined, () => {})
  }
}

interface Failure {
  readonly call: WriteCall<unknown>
  readonly reason: unknown
}

/**
 * The calls by which the function of a unit of work writes. A unit is not committed where one of them has not ended when the function
 * returns, or was rejected while nobody waited for it: what the function meant to write would be written in part.
 */
export class WriteCalls {
  readonly #running = new Map<WriteCall<unknown>, string>()
  readonly #failures: Failure[] = []
  #over = false

  /** Replaces methods of an object, which write, by those whose calls are counted; `owner` is what the object is called. */
  countAll(owner: string, object: object, names: readonly string[]): void {
    for (const name of names) {
      const method = Reflect.get(object, name) as (...args: unknown[]) => Promise<unknown>
      const counted = (...args: unknown[]) => this.count(`${owner}.${name}`, method.apply(object, args))
      Object.defineProperty(object, name, { value: counted, configurable: true })
    }
  }

  /** Throws if a write has failed and nobody has heard of it, or has not ended. The function has returned. */
  assertEnded(): void {
    const unheard = this.#failures.find(({ call }) => !call.isAwaited)
    if (unheard !== undefined) throw unheard.reason
    for (const name of this.#running.values()) {
      throw new TypeError(
        `${name} was still running when the function of its unit of work returned, so nothing was written: await every call, or return its promise`,
      )
    }
  }

  /** What begins from now on is refused, and its promise tells. */
  close(): void {
    this.#over = true
  }

  /** Counts a call, whose promise this is. What it gives is to be given on in its place. */
  count<T>(name: string, promise: Promise<T>): Promise<T> {
    if (this.#over) return promise
    const call = new WriteCall<T>((resolve, reject) => {
      promise.then(
        (value) => {
          this.#running.delete(call)
          resolve(value)
        },
        (reason: unknown) => {
          this.#running.delete(call)
          this.#failures.push({ call, reason })
          reject(reason)
        },
      )
    })
    call.keepQuiet()
    this.#running.set(call, name)
    return call
  }
}
