import type { SharedWatch } from '../broadcast/shared-watch.ts'
import type { SharedState, Waiting } from '../broadcast/waiting-readers.ts'
import type { Receiver, WatchSource } from './watch-stream.ts'

/** One reader of a shared watch, with the state that it was given last. It makes its own items of the states. */
export class SharedReader<T, Item> implements WatchSource<Item>, Waiting<T> {
  readonly #watch: SharedWatch<T>
  readonly #toItem: (shown: T) => Item | Promise<Item>
  #given: string | null = null
  #receiver: Receiver<Item> | null = null
  place = -1

  constructor(watch: SharedWatch<T>, toItem: (shown: T) => Item | Promise<Item>) {
    this.#watch = watch
    this.#toItem = toItem
  }

  get given(): string | null {
    return this.#given
  }

  get isWanted(): boolean {
    return this.#receiver?.isWanted ?? false
  }

  next(receiver: Receiver<Item>): void {
    this.#receiver = receiver
    this.#watch.wait(this)
  }

  give({ token, shown }: SharedState<T>): void {
    const receiver = this.#receiver!
    try {
      const item = this.#toItem(shown)
      this.#given = token
      if (item instanceof Promise)
        item.then(
          (item) => receiver.give(item),
          (error) => receiver.fail(error),
        )
      else receiver.give(item)
    } catch (error) {
      receiver.fail(error)
    }
  }

  fail(error: unknown): void {
    this.#receiver!.fail(error)
  }

  letGo(): void {
    this.#receiver!.letGo()
  }

  wake(): void {
    if (!this.isWanted) this.#watch.release(this)
  }
}
