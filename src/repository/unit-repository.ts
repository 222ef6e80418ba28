import type { AnyDefinition } from '../schema/definition.types.ts'
import { type CallCounter, countCalls } from '../store/call-counter.ts'
import type { RowStore } from '../store/row-store.ts'
import { AbortableRepository } from './abortable-repository.ts'

const writes = [
  ...(['insert', 'create', 'set', 'update', 'upsert', 'delete', 'touch', 'sum', 'max', 'min'] as const),
  ...(['insertMany', 'updateMany', 'deleteMany', 'claimMany'] as const),
]

/** The repository of one definition in a unit of work, which counts the calls that write. */
export class UnitRepository extends AbortableRepository {
  readonly #calls: CallCounter

  static {
    countCalls(UnitRepository.prototype, writes, (repository, name, promise) =>
      repository.#calls.count(`${repository.name}.${name}`, promise),
    )
  }

  constructor(store: RowStore, definition: AnyDefinition, calls: CallCounter) {
    super(store, definition)
    this.#calls = calls
  }
}
