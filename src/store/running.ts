import type { AsyncLocalStorage } from 'node:async_hooks'
import type { RowStore } from './row-store.ts'

/** A unit of work or a snapshot, while its function runs. */
interface Running {
  readonly writes: boolean
  /** The turn in which it runs, if any. */
  readonly turn?: string | undefined
  /** Whether it belongs to this database, and its function has not returned yet. */
  isOpenOn(store: RowStore): boolean
}

/** Created when the first one runs. */
let storage: AsyncLocalStorage<Running> | undefined

/** The unit of work or snapshot in whose function the code runs. Work that the function has left behind may outlive it. */
export const running = {
  getStore(): Running | undefined {
    return storage?.getStore()
  },
  run<T>(one: Running, work: () => T): T {
    storage ??= new (process.getBuiltinModule('node:async_hooks').AsyncLocalStorage)<Running>()
    return storage.run(one, work)
  },
}
