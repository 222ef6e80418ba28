import type { AnyDefinition } from '../schema/definition.types.ts'
import type { CallCounter, RowStore } from '../store/row-store.ts'
import { AbortableRepository } from './abortable-repository.ts'

const writes = [
  ...(['insert', 'create', 'set', 'update', 'upsert', 'delete', 'touch', 'sum', 'max', 'min'] as const),
  ...(['insertMany', 'updateMany', 'deleteMany', 'claimMany'] as const),
]

/** The repository of one definition in a unit of work, which counts the calls that write. */
export class UnitRepository extends AbortableRepository {
  readonly #calls: CallCounter

  static {
    for (const name of writes) {
      const write = AbortableRepository.prototype[name] as (...args: unknown[]) => Promise<unknown>
      Object.defineProperty(UnitRepository.prototype, name, {
        value(this: UnitRepository, ...args: unknown[]) {
          return this.#calls.count(`${this.name}.${name}`, write.apply(this, args))
        },
        configurable: true,
        writable: true,
      })
    }
  }

  constructor(store: RowStore, definition: AnyDefinition, calls: CallCounter) {
    super(store, definition)
    this.#calls = calls
  }
}
