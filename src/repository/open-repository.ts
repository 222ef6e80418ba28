import { wildcardCount } from '../key/pattern.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { RowStore } from '../store/row-store.ts'
import { AbortableRepository } from './abortable-repository.ts'
import type { Repository } from './repository.types.ts'

/** The repository of a definition over an open database. */
export function openRepository<D extends AnyDefinition>(store: RowStore, definition: D): Repository<D> {
  const repository = new AbortableRepository(store, definition)
  const face = wildcardCount(definition.pattern) === 0 ? withoutIds(repository) : repository
  return face as unknown as Repository<D>
}

/** Where the pattern has no wildcard there is one row, and its id is left out of the arguments. */
function withoutIds(repository: AbortableRepository): AbortableRepository {
  const leaveOut =
    <Rest extends unknown[], Result>(method: (id: undefined, ...rest: Rest) => Result) =>
    (...rest: Rest): Result =>
      method.call(repository, undefined, ...rest)
  return Object.defineProperties(repository, {
    get: { value: leaveOut(repository.get) },
    exists: { value: leaveOut(repository.exists) },
    insert: { value: leaveOut(repository.insert) },
    set: { value: leaveOut(repository.set) },
    upsert: { value: leaveOut(repository.upsert) },
    update: { value: leaveOut(repository.update) },
    delete: { value: leaveOut(repository.delete) },
    touch: { value: leaveOut(repository.touch) },
    watch: { value: leaveOut(repository.watch) },
    sum: { value: leaveOut(repository.sum) },
    max: { value: leaveOut(repository.max) },
    min: { value: leaveOut(repository.min) },
  })
}
