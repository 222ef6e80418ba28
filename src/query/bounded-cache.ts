/** Keeps the `size` values that were used last. */
export class BoundedCache<Value> {
  readonly #size: number
  readonly #values = new Map<string, Value>()
  /** The value used last is not moved again, because most programs repeat one query. */
  #newest: string | undefined

  constructor(size: number) {
    this.#size = size
  }

  get size(): number {
    return this.#values.size
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key)
    if (value === undefined || key === this.#newest) return value
    this.#values.delete(key)
    this.#values.set(key, value)
    this.#newest = key
    return value
  }

  clear(): void {
    this.#values.clear()
    this.#newest = undefined
  }

  set(key: string, value: Value): void {
    this.#values.delete(key)
    this.#values.set(key, value)
    this.#newest = key
    if (this.#values.size <= this.#size) return
    const [oldest] = this.#values.keys()
    this.#values.delete(oldest!)
  }
}
