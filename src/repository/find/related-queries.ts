import { QueryError } from '../../contract/errors.ts'
import { compareParts } from '../../key/codec.ts'
import { describe, quote } from '../../query/describe.ts'
import { checkQueryOptions } from '../../query/planner.ts'
import { nameHint } from '../../query/unknown-name.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { Registry } from '../../schema/registry.ts'
import type { UntypedQuery } from './found-rows.ts'

/** A query on rows related to those of another query. */
export interface RelatedQuery {
  /** Their name in the entries of that query. */
  readonly name: string
  readonly definition: AnyDefinition
  /** The field that refers to them; null for rows nested under the others. */
  readonly field: string | null
  readonly query: UntypedQuery
}

const nestedOptions = ['where', 'orderBy', 'limit', 'offset', 'columns', 'with']
const taken: ReadonlySet<string> = new Set(['id', 'key', 'value', 'versionstamp', 'expiresAt', 'highlights'])

/**
 * The queries in the `with` of a query on `definition`: for a nested pattern, by the name of its repository; for a referenced row,
 * by the name of the field. Throws a QueryError for any other name, and for a reference to a definition without a repository.
 */
export function relatedQueries(
  registry: Registry,
  definition: AnyDefinition,
  relations: unknown,
): readonly RelatedQuery[] {
  if (relations === undefined) return []
  if (typeof relations !== 'object' || relations === null || Array.isArray(relations)) {
    throw new QueryError(
      `with takes names of repositories, such as { posts: true }: got ${describe(relations)}`,
    )
  }
  return Object.entries(relations).flatMap(([name, asked]): RelatedQuery[] => {
    if (asked === false) return []
    const query = checkNested(name, asked)
    const referred = Object.hasOwn(definition.references, name) ? definition.references[name] : undefined
    if (referred !== undefined && registry.byName(referred.name) === undefined)
      throw new QueryError(
        `with: { ${name} } leads to '${referred.name}', whose rows this database does not know: open it with that definition, too`,
      )
    return [
      referred === undefined
        ? { name, definition: nested(registry, definition, name), field: null, query }
        : { name, definition: referred, field: name, query },
    ]
  })
}

function checkNested(name: string, asked: unknown): UntypedQuery {
  if (taken.has(name))
    throw new QueryError(`Every entry has a '${name}': give the repository another name to load it in with`)
  if (asked === true) return {}
  if (typeof asked !== 'object' || asked === null)
    throw new QueryError(`with takes true or a query for ${quote(name)}: got ${describe(asked)}`)
  checkQueryOptions(asked, `with: { ${name} }`, nestedOptions)
  return asked
}

function nested(
  registry: Registry,
  { name: parent, pattern, references }: AnyDefinition,
  name: string,
): AnyDefinition {
  const isNested = (child: AnyDefinition) =>
    child.pattern.length > pattern.length &&
    pattern.every((part, i) => compareParts(part, child.pattern[i]!) === 0)
  const child = registry.byName(name)
  if (child !== undefined && isNested(child)) return child
  const there = [...registry.definitions.filter(isNested).map((one) => one.name), ...Object.keys(references)]
  throw new QueryError(
    `with: { ${name} } names neither a repository nested under '${parent}' nor one of its references${nameHint(name, there)}`,
  )
}
