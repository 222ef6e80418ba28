import type { Pattern, PlainPattern } from '../key/pattern.types.ts'
import { patternText } from '../key/pattern-text.ts'
import { KeyValue } from '../key-value/key-value.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { DefinitionNamed, Definitions, OutputOf } from '../schema/registry.types.ts'
import type { RowStore } from '../store/row-store.ts'
import type { Repositories, RepositoryOf } from './types/repositories.types.ts'

/** The reads and writes that a database and a unit of work share: by key, and by repository. */
export class TypedStore<R extends Definitions> extends KeyValue<R> {
  readonly #store: RowStore
  #repositories: Repositories<R> | undefined

  constructor(store: RowStore) {
    super(store)
    this.#store = store
  }

  /**
   * The repository of each declared schema, by its name.
   *
   * ```ts
   * await db.repositories.users.count() // => 2
   * ```
   */
  get repositories(): Repositories<R> {
    const store = this.#store
    this.#repositories ??= Object.fromEntries(
      store.registry.definitions.map((definition) => [
        definition.name,
        store.openRepository!(store, definition),
      ]),
    ) as Repositories<R>
    return this.#repositories
  }

  /**
   * The repository of a declared pattern, or of a definition. Throws a TypeError if the database was opened without it,
   * and a DatabaseClosedError if it is closed.
   *
   * ```ts
   * db.repository(['users', '*']) === db.repositories.users // => true
   * ```
   */
  repository<D extends R[number]>(definition: D): RepositoryOf<OutputOf<D>, D, R>
  repository<const P extends PlainPattern<R[number]['pattern']>>(
    pattern: P,
  ): RepositoryOf<OutputOf<DefinitionNamed<R, P>>, DefinitionNamed<R, P>, R>
  repository(wanted: AnyDefinition | Pattern): unknown {
    this.#store.assertOpen()
    const { registry } = this.#store
    if (typeof wanted !== 'object' || wanted === null)
      throw new TypeError(
        "repository takes a pattern, such as ['users', '*'], or a definition of defineSchema",
      )
    const found = isPattern(wanted) ? registry.byPattern(wanted) : registry.byName(wanted.name)
    if (found === undefined || (found !== wanted && !isPattern(wanted))) {
      const declared = registry.definitions.map(({ pattern }) => patternText(pattern)).join(', ')
      throw new TypeError(
        `No schema was declared for ${isPattern(wanted) ? 'this pattern' : `'${wanted.name}'`}: declared are ${declared || 'none'}; add it with withSchema or withSchemas before open`,
      )
    }
    return (this.repositories as Record<string, unknown>)[found.name]
  }
}

function isPattern(wanted: AnyDefinition | Pattern): wanted is Pattern {
  return Array.isArray(wanted)
}
