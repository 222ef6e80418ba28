import { SharedWatch, type Watched } from './shared-watch.ts'

/** The watches of a database, shared by all who watch the same. A watch is forgotten with its last reader. */
export class SharedWatches {
  readonly #watches = new Map<string, WeakRef<SharedWatch<never>>>()
  readonly #dropped = new FinalizationRegistry<string>((name) => {
    if (this.#watches.get(name)?.deref() === undefined) this.#watches.delete(name)
  })

  get size(): number {
    return this.#watches.size
  }

  /** The watch with this name; `make` creates what it watches. */
  named<T>(name: string, make: () => Watched<T>): SharedWatch<T> {
    const known = this.#watches.get(name)?.deref() as SharedWatch<T> | undefined
    if (known !== undefined) return known
    const watch = new SharedWatch(make())
    this.#watches.set(name, new WeakRef(watch as SharedWatch<unknown> as SharedWatch<never>))
    this.#dropped.register(watch, name)
    return watch
  }
}
