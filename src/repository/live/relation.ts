import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { Registry } from '../../schema/registry.ts'
import type { RowEntry } from '../../store/row-store.ts'
import { type RelatedQuery, relatedQueries } from '../find/related-queries.ts'

/** A related query of a live query, with its own related queries. */
export interface Relation extends RelatedQuery {
  readonly inner: readonly Relation[]
  /** How many leading parts of their keys form the key of the row that they belong to; null if a field refers to them. */
  readonly depth: number | null
}

/** Throws a QueryError as `relatedQueries` does. */
export function relationsOf(
  registry: Registry,
  definition: AnyDefinition,
  relations: unknown,
  depth: number | null = definition.pattern.length,
): readonly Relation[] {
  return relatedQueries(registry, definition, relations).map((related): Relation => {
    const own = related.field === null ? depth : null
    return {
      ...related,
      depth: own,
      inner: relationsOf(registry, related.definition, related.query.with, own),
    }
  })
}

/** These relations, and all relations within them. */
export function withInner(relations: readonly Relation[]): readonly Relation[] {
  return relations.flatMap((relation) => [relation, ...withInner(relation.inner)])
}

/** The related rows in an entry. */
export function relatedRows(entry: RowEntry, { name }: Relation): readonly RowEntry[] {
  const related = (entry as unknown as Record<string, RowEntry[] | RowEntry | null>)[name]!
  return Array.isArray(related) ? related : related === null ? [] : [related]
}
