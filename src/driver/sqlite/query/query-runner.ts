import type Database from 'better-sqlite3'
import { is, Placeholder, type SQL, sql } from 'drizzle-orm'
import type { Logger } from 'drizzle-orm/logger'
import { SQLiteSyncDialect } from 'drizzle-orm/sqlite-core'
import { QueryError } from '../../../errors.ts'
import { BoundedCache } from '../../../query/bounded-cache.ts'
import type { Operand } from '../../../query/condition.ts'
import type { Plan, Planned } from '../../../query/plan.ts'
import type { Explanation, QueryRow } from '../../driver.ts'
import type { IndexedCollection } from '../table.ts'
import { aggregateSql } from './aggregate-sql.ts'
import { type Bindable, bindingOf } from './binding.ts'
import { FieldSql } from './field-sql.ts'
import { chooseIndex, type IndexChoice } from './index-choice.ts'
import { allOf, findSql, fromKv, relatedSql, selectionSql } from './select-sql.ts'

const mostStatements = 500
const dialect = new SQLiteSyncDialect()

/** What to do with a query whose plan reads a whole collection. */
export type OnUnindexed = 'ignore' | 'warn' | 'error'

interface Compiled {
  readonly sql: string
  readonly bindings: readonly ReturnType<typeof bindingOf>[]
  readonly statement: Database.Statement<unknown[], unknown>
}

/** Runs the plans of queries. Each is compiled once, a Drizzle query that is prepared, and kept while it is used. */
export class QueryRunner {
  readonly #connection: Database.Database
  readonly #indexes: ReadonlyMap<string, IndexedCollection>
  readonly #logger: Logger | undefined
  readonly #onUnindexed: OnUnindexed
  readonly #compiled = new BoundedCache<Compiled>(mostStatements)
  /** What a plan object was compiled to: spares the callers that keep theirs the text of its shape. */
  readonly #byPlan = new WeakMap<Plan, Compiled>()

  constructor(
    connection: Database.Database,
    collections: readonly IndexedCollection[],
    { logger, onUnindexed }: { readonly logger?: Logger | undefined; readonly onUnindexed: OnUnindexed },
  ) {
    this.#connection = connection
    this.#indexes = new Map(collections.map((collection) => [collection.name, collection]))
    this.#logger = logger
    this.#onUnindexed = onUnindexed
  }

  run({ plan, operands }: Planned, now: number): QueryRow[] {
    const compiled = this.#byPlan.get(plan) ?? this.#compile(plan, operands)
    const parameters = bind(compiled, operands, now)
    if (this.#logger) this.#logger.logQuery(compiled.sql, parameters)
    return compiled.statement.all(...parameters) as QueryRow[]
  }

  explain({ plan, operands }: Planned): Explanation {
    const compiled = this.#byPlan.get(plan) ?? this.#prepare(plan)
    const parameters = bind(compiled, operands)
    const steps = this.#steps(compiled.sql, parameters)
    return { sql: compiled.sql, params: parameters, plan: steps, scans: scansCollection(plan, steps) }
  }

  #steps(text: string, parameters: readonly Bindable[]): string[] {
    return this.#connection
      .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${text}`)
      .all(...parameters)
      .map(({ detail }) => detail)
  }

  #compile(plan: Plan, operands: readonly Operand[]): Compiled {
    const name = `${plan.type} ${plan.collection} ${plan.shape}`
    let compiled = this.#compiled.get(name)
    if (compiled === undefined) {
      compiled = this.#prepare(plan)
      if (this.#onUnindexed !== 'ignore') this.#report(plan, compiled, operands)
      this.#compiled.set(name, compiled)
    }
    this.#byPlan.set(plan, compiled)
    return compiled
  }

  /** Once for each shape, since it costs more than many a query. */
  #report(plan: Plan, compiled: Compiled, operands: readonly Operand[]): void {
    if (!scansCollection(plan, this.#steps(compiled.sql, bind(compiled, operands)))) return
    const message = `A query reads all of '${plan.collection}', since no index serves it: declare one, or narrow it by prefix. ${compiled.sql}`
    if (this.#onUnindexed === 'error') throw new QueryError(message)
    process.emitWarning(message, 'UnindexedQueryWarning')
  }

  #prepare(plan: Plan): Compiled {
    const indexes = this.#indexes.get(plan.collection)?.indexes ?? []
    const fields = new FieldSql(new Set(indexes.flatMap((index) => index.fields)))
    const order = plan.type === 'find' ? plan.order : []
    const choice = plan.type === 'related' ? null : chooseIndex(plan, order, indexes)
    if (choice !== null) {
      try {
        return this.#prepareSql(planSql(plan, fields, choice))
      } catch {
        // The database lacks the index, as one that others have set up may: the query is right without it.
      }
    }
    return this.#prepareSql(planSql(plan, new FieldSql(new Set()), null))
  }

  #prepareSql(query: SQL): Compiled {
    const { sql: text, params } = dialect.sqlToQuery(query)
    const bindings = params.map((parameter) => {
      if (!is(parameter, Placeholder)) throw new TypeError(`an operand is spliced into ${text}`)
      return bindingOf(parameter.name)
    })
    return { sql: text, bindings, statement: this.#connection.prepare(text).raw(true) }
  }
}

function planSql(plan: Plan, fields: FieldSql, choice: IndexChoice | null): SQL {
  switch (plan.type) {
    case 'find':
      return findSql(plan, fields, choice)
    case 'related':
      return relatedSql(plan, fields)
    case 'count':
      return sql`select count(*) from ${fromKv(plan.collection, choice)} where ${allOf(selectionSql(plan, fields))}`
    case 'aggregate':
      return aggregateSql(plan, fields, choice)
  }
}

function bind({ bindings }: Compiled, operands: readonly Operand[], now = Date.now()): Bindable[] {
  const parameters = new Array<Bindable>(bindings.length)
  for (let i = 0; i < bindings.length; i++) parameters[i] = bindings[i]!(operands, now)
  return parameters
}

/** Whether rows of the whole collection are read to find some of them, or to sort them. */
function scansCollection(plan: Plan, steps: readonly string[]): boolean {
  if (plan.type === 'related') return false
  const access = steps.find((step) => /^(SCAN|SEARCH) kv\b/.test(step)) ?? ''
  const narrow = access.startsWith('SEARCH') && !access.endsWith('kv_collection (collection=?)')
  const sorts = plan.type === 'find' && steps.some((step) => step.startsWith('USE TEMP B-TREE FOR ORDER BY'))
  return !narrow && (plan.where !== null || sorts)
}
