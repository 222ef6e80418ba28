import type { AsyncLocalStorage } from 'node:async_hooks'
import type { RowStore } from './row-store.ts'

/** A unit of work or a snapshot, while its function runs. */
interface Running {
  readonly writes: boolean
  /** The turn in which it runs. */
  readonly turn?: string | undefined
  /** Whether it is one of this database whose function has not returned yet. */
  isOpenOn(store: RowStore): boolean
}

/** Made with the first one that runs. */
let storage: AsyncLocalStorage<Running> | undefined

/** The unit of work or the snapshot whose function the code runs in; work that it has left behind may outlive it. */
export const running = {
  getStore(): Running | undefined {
    return storage?.getStore()
  },
  run<T>(one: Running, work: () => T): T {
    storage ??= new (process.getBuiltinModule('node:async_hooks').AsyncLocalStorage)<Running>()
    return storage.run(one, work)
  },
}
