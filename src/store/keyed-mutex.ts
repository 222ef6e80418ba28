/** Lets one call at a time pass for each key, in the order in which they came. */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<void>>()

  /** Resolves when the calls before it have left; the function that it gives lets the next one pass. */
  async enter(key: string): Promise<() => void> {
    const previous = this.#last.get(key)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last.set(key, promise)
    await previous
    return () => {
      if (this.#last.get(key) === promise) this.#last.delete(key)
      resolve()
    }
  }
}
