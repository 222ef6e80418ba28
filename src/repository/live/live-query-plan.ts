import type { FindPlan, Planned } from '../../query/plan.ts'
import { planText } from '../../query/plan-text.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { Store } from '../../store/store.ts'
import { isPlainObject } from '../../value/plain-object.ts'
import { projectionOf } from '../find/columns.ts'
import { planFind, type UntypedQuery } from '../find/found-rows.ts'
import { plannerOf } from '../find/planner-of.ts'
import { planRelated } from '../find/with.ts'
import { type Relation, relationsOf } from './relation.ts'

/** A query to follow, fully checked. */
export interface LiveQueryPlan {
  /** Equal only for queries of a database with the same result. */
  readonly name: string
  readonly definition: AnyDefinition
  readonly query: UntypedQuery
  readonly planned: Planned<FindPlan>
  readonly relations: readonly Relation[]
}

/** Throws a QueryError for an invalid query. */
export function planLiveQuery(store: Store, definition: AnyDefinition, given: UntypedQuery): LiveQueryPlan {
  const planned = planFind(store, definition, given)
  // A copy: others share the plan, and the caller may change the query.
  const query = copied(given)
  const relations = relationsOf(store.registry, definition, query.with)
  const name = `query ${textOf(store, definition, query, relations, planned)}`
  return { name, definition, query, planned, relations }
}

function textOf(
  store: Store,
  definition: AnyDefinition,
  { columns }: UntypedQuery,
  relations: readonly Relation[],
  planned: Planned<FindPlan>,
): string {
  const related = relations.map(({ name, definition, query, inner }) => {
    const text = textOf(store, definition, query, inner, planRelated(store, definition, query))
    return `${JSON.stringify(name)}:${text}`
  })
  return `${planText(planned)} ${columnsText(definition, columns)} {${related}}`
}

/** The order of columns does not matter. */
function columnsText(definition: AnyDefinition, columns: unknown): string {
  projectionOf(columns, plannerOf(definition).fields, definition.name)
  return columns === undefined ? '' : JSON.stringify(Object.entries(columns as object).sort())
}

/** Copies objects and arrays. */
function copied<T>(part: T): T {
  if (Array.isArray(part)) return part.map(copied) as T
  if (part instanceof Date) return new Date(part) as T
  if (!isPlainObject(part)) return part
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, copied(value)])) as T
}
