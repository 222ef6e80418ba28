import { wildcardCount } from '../key/pattern.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { RowStore } from '../store/row-store.ts'
import { AbortableRepository } from './abortable-repository.ts'
import type { Repository } from './types/repository.types.ts'
import { UnitRepository } from './unit-repository.ts'

/** The methods that take the id of a row first. */
const methodsOfId = [
  ...(['get', 'exists', 'insert', 'set', 'upsert', 'update', 'delete', 'touch', 'watch'] as const),
  ...(['sum', 'max', 'min'] as const),
]

/** Without a wildcard in the pattern there is one row, and calls take no id. */
const SingleRepository = withoutIds(class extends AbortableRepository {})
const SingleUnitRepository = withoutIds(class extends UnitRepository {})

/** The repository of a definition over an open database. */
export function openRepository<D extends AnyDefinition>(store: RowStore, definition: D): Repository<D> {
  const isSingle = wildcardCount(definition.pattern) === 0
  return open(store, definition, isSingle) as unknown as Repository<D>
}

function open(store: RowStore, definition: AnyDefinition, isSingle: boolean): AbortableRepository {
  const { calls } = store
  if (calls === undefined) return new (isSingle ? SingleRepository : AbortableRepository)(store, definition)
  return new (isSingle ? SingleUnitRepository : UnitRepository)(store, definition, calls)
}

/** Changes a class of its own so that its methods take no id. */
function withoutIds<Class extends { readonly prototype: AbortableRepository }>(own: Class): Class {
  for (const name of methodsOfId) {
    const method = own.prototype[name] as (...args: unknown[]) => unknown
    Object.defineProperty(own.prototype, name, {
      value(this: AbortableRepository, ...rest: unknown[]) {
        return method.call(this, undefined, ...rest)
      },
      configurable: true,
      writable: true,
    })
  }
  return own
}
