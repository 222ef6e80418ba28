import { type SQL, sql } from 'drizzle-orm'
import type { Logger } from 'drizzle-orm/logger'
import type { IndexDeclaration } from '../../../catalog/catalog.ts'
import { conjuncts } from '../../../query/condition.ts'
import { chooseIndex, type IndexChoice } from '../../../query/index-choice.ts'
import type { Plan } from '../../../query/plan.ts'
import { isUnanswerable } from '../file/engine-error.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { type IndexedCollection, indexedExpression, ofCollection } from '../tables/table.ts'
import { aggregateSql } from './aggregate-sql.ts'
import { type FieldSql, RowSql } from './field-sql.ts'
import { allOf, findSql, fromKv, relatedSql, selectionSql, type TextForm } from './find-sql.ts'
import { PreparedStatement } from './prepared-statement.ts'

export interface PlanStatementOptions {
  readonly logger?: Logger | undefined
  /** What follows `from`: `kv`, or another table or view with its columns under that name. */
  readonly source: string
}

/** A plan as the engine runs it, and the index that serves it; null if none does, or if the database lacks that index. */
interface PreparedPlan {
  readonly prepared: PreparedStatement
  readonly choice: IndexChoice | null
}

/** Makes the statements of plans, each with the index that serves it. */
export class PlanStatements {
  readonly #connection: Connection
  readonly #indexes: ReadonlyMap<string, IndexedCollection>
  readonly #logger: Logger | undefined
  readonly #source: string

  constructor(
    connection: Connection,
    collections: readonly IndexedCollection[],
    { logger, source }: PlanStatementOptions,
  ) {
    this.#connection = connection
    this.#indexes = new Map(collections.map((collection) => [collection.name, collection]))
    this.#logger = logger
    this.#source = source
  }

  prepare(plan: Plan, form: TextForm): PreparedPlan {
    const indexes = plan.type === 'related' ? [] : (this.#indexes.get(plan.collection)?.indexes ?? [])
    const order = plan.type === 'find' ? plan.order : []
    const mayRead = this.#source === 'kv'
    const withoutTextZeros = mayRead ? this.#withoutTextZeros(plan, indexes) : new Set<string>()
    let choice = isRanked(plan) ? null : chooseIndex(plan, order, indexes, withoutTextZeros)
    if (choice !== null && mayRead) {
      const fields = new RowSql(new Set(indexes.flatMap((index) => index.fields)), withoutTextZeros)
      try {
        return { prepared: this.#prepareSql(planSql(plan, fields, this.#source, choice, form)), choice }
      } catch (error) {
        if (!isUnanswerable(error)) throw error
        // The database may lack the index if others have set it up: without it, the result is the same.
        choice = null
      }
    }
    const fields = new RowSql(new Set(), new Set(), !mayRead)
    return { prepared: this.#prepareSql(planSql(plan, fields, this.#source, null, form)), choice }
  }

  /** Which of the fields compared with 0 have an index that shows at once that no row has the text '-0' of earlier releases. */
  #withoutTextZeros({ collection, where }: Plan, indexes: readonly IndexDeclaration[]): Set<string> {
    const paths = conjuncts(where).flatMap((one) => (one.type === 'zero' ? [one.field.path] : []))
    const without = paths.filter((path) => {
      if (!indexes.some(({ fields }) => fields[0] === path)) return false
      const zeros = sql`select 1 from kv where ${ofCollection(collection)} and ${indexedExpression(path)} = '-0' limit 1`
      return this.#prepareSql(zeros).all([], 0).length === 0
    })
    return new Set(without)
  }

  #prepareSql(query: SQL): PreparedStatement {
    return new PreparedStatement(this.#connection, query, this.#logger)
  }
}

/** Whether the rows of a plan are ordered by the rank of a search. */
function isRanked(plan: Plan): boolean {
  return plan.type === 'find' && plan.ranked !== null && plan.ranked.orders
}

function planSql(
  plan: Plan,
  fields: FieldSql,
  source: string,
  choice: IndexChoice | null,
  form: TextForm,
): SQL {
  switch (plan.type) {
    case 'find':
      return findSql(plan, fields, source, choice, form)
    case 'related':
      return relatedSql(plan, fields, source)
    case 'count':
      return sql`select count(*) from ${fromKv(source, plan.collection, choice)} where ${allOf(selectionSql(plan, fields))}`
    case 'aggregate':
      return aggregateSql(plan, fields, source, choice, form)
  }
}
