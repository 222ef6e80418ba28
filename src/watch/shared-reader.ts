import { pauseDue } from '../give-way.ts'
import type { SharedState, SharedWatch, Waiting } from './shared-watch.ts'
import type { WatchSource } from './watch-stream.ts'

/** One of the readers of a shared watch, with what it was given last: of each state it makes an item of its own. */
export class SharedReader<T, Item> implements WatchSource<Item>, Waiting<T> {
  readonly #watch: SharedWatch<T>
  readonly #toItem: (shown: T) => Item | Promise<Item>
  #given: string | null = null
  #isWanted: () => boolean = () => false
  #settle: (next: { readonly item: Item } | Promise<{ readonly item: Item }> | null) => void = () => {}
  #fail: (error: unknown) => void = () => {}

  constructor(watch: SharedWatch<T>, toItem: (shown: T) => Item | Promise<Item>) {
    this.#watch = watch
    this.#toItem = toItem
  }

  get given(): string | null {
    return this.#given
  }

  get isWanted(): boolean {
    return this.#isWanted()
  }

  next(isWanted: () => boolean): Promise<{ readonly item: Item } | null> {
    return new Promise((resolve, reject) => {
      this.#isWanted = isWanted
      this.#settle = resolve
      this.#fail = reject
      this.#watch.wait(this)
    })
  }

  give(state: SharedState<T>): void {
    // There may be many, each of which makes its own item.
    const pause = pauseDue()
    this.#settle(pause === undefined ? this.#itemOf(state) : pause.then(() => this.#itemOf(state)))
  }

  fail(error: unknown): void {
    this.#fail(error)
  }

  letGo(): void {
    this.#settle(null)
  }

  wake(): void {
    if (!this.isWanted) this.#watch.release(this)
  }

  #itemOf({ token, shown }: SharedState<T>): { readonly item: Item } | Promise<{ readonly item: Item }> {
    try {
      const item = this.#toItem(shown)
      this.#given = token
      return item instanceof Promise ? item.then((item) => ({ item })) : { item }
    } catch (error) {
      return Promise.reject(error)
    }
  }
}
