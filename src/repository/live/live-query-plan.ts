import type { FindPlan, Planned } from '../../query/plan.ts'
import { planText } from '../../query/plan-text.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { Store } from '../../store/store.ts'
import { isPlainObject } from '../../value/plain-object.ts'
import { projectionOf } from '../find/columns.ts'
import { planFind, type UntypedQuery } from '../find/found-rows.ts'
import { plannerOf } from '../find/planner-of.ts'
import { type Relation, relationsOf } from '../find/relation.ts'
import { planRelated } from '../find/with.ts'

/** A query that is to be followed, checked throughout. */
export interface LiveQueryPlan {
  /** The same for two queries of a database only where they find the same. */
  readonly name: string
  readonly definition: AnyDefinition
  readonly query: UntypedQuery
  readonly planned: Planned<FindPlan>
  readonly relations: readonly Relation[]
}

/** Throws a QueryError for a query that is not right. */
export function planLiveQuery(store: Store, definition: AnyDefinition, given: UntypedQuery): LiveQueryPlan {
  const planned = planFind(store, definition, given)
  // Others share what is made of it, and who has given it may change it.
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

/** Which of the columns is named first tells nothing. */
function columnsText(definition: AnyDefinition, columns: unknown): string {
  projectionOf(columns, plannerOf(definition).fields, definition.name)
  return JSON.stringify(Object.entries(columns ?? {}).sort())
}

/** With objects and arrays of its own. */
function copied<T>(part: T): T {
  if (Array.isArray(part)) return part.map(copied) as T
  if (part instanceof Date) return new Date(part) as T
  if (!isPlainObject(part)) return part
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, copied(value)])) as T
}
