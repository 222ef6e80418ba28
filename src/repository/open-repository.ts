import { wildcardCount } from '../key/pattern.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { RowStore } from '../store/row-store.ts'
import { AbortableRepository } from './abortable-repository.ts'
import type { Repository } from './types/repository.types.ts'

/** The repository of a definition over an open database. */
export function openRepository<D extends AnyDefinition>(store: RowStore, definition: D): Repository<D> {
  const repository = new AbortableRepository(store, definition)
  const face = wildcardCount(definition.pattern) === 0 ? withoutIds(repository) : repository
  return face as unknown as Repository<D>
}

/** Without a wildcard in the pattern there is one row, and calls take no id. */
function withoutIds(repository: AbortableRepository): AbortableRepository {
  const leaveOut = <Rest extends unknown[], Result>(method: (id: undefined, ...rest: Rest) => Result) => ({
    value: (...rest: Rest): Result => method.call(repository, undefined, ...rest),
    configurable: true,
  })
  return Object.defineProperties(repository, {
    get: leaveOut(repository.get),
    exists: leaveOut(repository.exists),
    insert: leaveOut(repository.insert),
    set: leaveOut(repository.set),
    upsert: leaveOut(repository.upsert),
    update: leaveOut(repository.update),
    delete: leaveOut(repository.delete),
    touch: leaveOut(repository.touch),
    watch: leaveOut(repository.watch),
    sum: leaveOut(repository.sum),
    max: leaveOut(repository.max),
    min: leaveOut(repository.min),
  })
}
