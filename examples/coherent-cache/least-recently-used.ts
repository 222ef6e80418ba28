/** Keeps the values that were used last, at most `entries` of them. */
export class LeastRecentlyUsed<Value> {
  readonly #entries: number
  /** In the order of their last use: a Map keeps the order in which its keys were set. */
  readonly #values = new Map<string, Value>()

  constructor(entries: number) {
    if (!Number.isSafeInteger(entries) || entries < 1) {
      throw new RangeError(`entries is the most values to keep, a whole number from 1 on (got ${entries})`)
    }
    this.#entries = entries
  }

  get size(): number {
    return this.#values.size
  }

  /** The value, which counts as used by this. */
  use(key: string): Value | undefined {
    const value = this.#values.get(key)
    if (value === undefined) return undefined
    this.#values.delete(key)
    this.#values.set(key, value)
    return value
  }

  /** The value, which does not count as used by this. */
  look(key: string): Value | undefined {
    return this.#values.get(key)
  }

  keep(key: string, value: Value): void {
    this.#values.delete(key)
    this.#values.set(key, value)
    if (this.#values.size <= this.#entries) return
    const [oldest] = this.#values.keys()
    this.#values.delete(oldest!)
  }

  drop(key: string): void {
    this.#values.delete(key)
  }

  clear(): void {
    this.#values.clear()
  }
}
