import type { CallCounter } from '../store/call-counter.ts'

/** A promise that knows whether anybody awaits it. */
class WriteCall<T> extends Promise<T> {
  isAwaited = false

  // Promises derived from it are ordinary ones.
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

  /** The unit reports the rejection. */
  keepQuiet(): void {
    super.then(undefined, () => {})
  }
}

interface Failure {
  readonly call: WriteCall<unknown>
  readonly reason: unknown
}

/**
 * The write calls in the function of a unit of work. The unit does not commit if one of them is still running when the function
 * returns, or was rejected while nobody awaited it: otherwise only a part of what the function meant would be written.
 */
export class WriteCalls implements CallCounter {
  readonly #running = new Map<WriteCall<unknown>, string>()
  readonly #failures: Failure[] = []
  #over = false

  /** Throws if a write has failed unnoticed, or is still running, after the function has returned. */
  assertEnded(): void {
    const unheard = this.#failures.find(({ call }) => !call.isAwaited)
    if (unheard !== undefined) throw unheard.reason
    for (const name of this.#running.values()) {
      throw new TypeError(
        `${name} was still running when the function of its unit of work returned, so nothing was written: await every call, or return its promise`,
      )
    }
  }

  /** Refuses calls from now on. */
  close(): void {
    this.#over = true
  }

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
