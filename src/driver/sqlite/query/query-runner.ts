// To run a plan is to find or make its compiled statement, and to learn how long it takes: one cache serves all three.
import { type SQL, sql } from 'drizzle-orm'
import type { Logger } from 'drizzle-orm/logger'
import type { IndexDeclaration } from '../../../catalog/catalog.ts'
import { StorageError } from '../../../contract/errors.ts'
import { decodeKey } from '../../../key/codec.ts'
import { BoundedCache } from '../../../query/bounded-cache.ts'
import { conjuncts, searchIn } from '../../../query/condition.ts'
import { chooseIndex, type IndexChoice, readsAll } from '../../../query/index-choice.ts'
import { operandAt } from '../../../query/operand.ts'
import type { AggregatePlan, CountPlan, FindPlan, Plan, Planned, RelatedPlan } from '../../../query/plan.ts'
import { goneSearch } from '../../../query/rank.ts'
import { type OnUnindexed, tellUnindexed } from '../../../query/unindexed.ts'
import type { Explanation, Figures, KeyedRow, RelatedRow } from '../../driver.ts'
import { isUnanswerable } from '../file/engine-error.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { damagedRowError } from '../rows/damaged-rows.ts'
import { type KeyedColumns, KeyedRows, type ToRow, toHitRow, toKeyedRow } from '../rows/keyed-rows.ts'
import { RowSlices } from '../rows/row-slices.ts'
import { unsealedColumns } from '../rows/sealed-statement.ts'
import { mayBeOther, textOfStored } from '../rows/stored-text.ts'
import { missingSearches } from '../tables/search-indexes.ts'
import { type IndexedCollection, indexedExpression, ofCollection } from '../tables/table.ts'
import { aggregateSql } from './aggregate-sql.ts'
import { type FieldSql, RowSql } from './field-sql.ts'
import { allOf, findSql, fromKv, relatedSql, selectionSql, type TextForm } from './find-sql.ts'
import { PreparedStatement } from './prepared-statement.ts'

const mostStatements = 500
/** Up to this many rows, or rows that take this many milliseconds, are read without a pause. */
const fewRows = 1_000
const shortRead = 10
/** By which factor the estimate for a row may grow at most. */
const slower = 1.25
/** A plan with a longer shape is compiled each time: hundreds of them would take too much memory. */
const longestName = 25_000

interface QueryRunnerOptions {
  readonly logger?: Logger | undefined
  readonly onUnindexed: OnUnindexed
  /** What follows `from`: `kv`, or another table or view with its columns under that name. */
  readonly source: string
}

/** The statements of one plan, each prepared on first use. Without rows to return, there is only one. */
interface Compiled {
  readonly rows: KeyedRows
  /** How many milliseconds a row takes to read, and all rows did the last time; null if it has not run. */
  perRow: number | null
  took: number | null
  withText: PreparedStatement | null
  withBytes: PreparedStatement | null
}

/** Runs the plans of queries. Each is compiled once to a prepared Drizzle query, and kept while it is used. */
export class QueryRunner {
  readonly #connection: Connection
  readonly #indexes: ReadonlyMap<string, IndexedCollection>
  readonly #logger: Logger | undefined
  readonly #onUnindexed: OnUnindexed
  readonly #source: string
  readonly #checksums: boolean
  readonly #compiled = new BoundedCache<Compiled>(mostStatements)
  /** Compiled plans by plan object: callers that keep theirs need no text of its shape. */
  #byPlan = new WeakMap<Plan, Compiled>()

  constructor(
    connection: Connection,
    collections: readonly IndexedCollection[],
    { logger, onUnindexed, source }: QueryRunnerOptions,
    checksums: boolean,
  ) {
    this.#checksums = checksums
    this.#connection = connection
    this.#indexes = new Map(collections.map((collection) => [collection.name, collection]))
    this.#logger = logger
    this.#onUnindexed = onUnindexed
    this.#source = source
  }

  find(query: Planned<FindPlan>, now = Date.now()): KeyedRow[] {
    return this.#run(query, (compiled) => this.#rows(compiled, query, now))
  }

  /** Whether a query may find more than can be read without a pause: it did the last time, or has not run yet. */
  findsMuch(query: Planned<FindPlan>): boolean {
    if (isOfFew(query)) return false
    const { took } = this.#byPlan.get(query.plan) ?? this.#compile(query)
    return took === null || took > shortRead
  }

  /** The rows that a query finds, for reading in slices. */
  slices(query: Planned<FindPlan>, now: number): RowSlices {
    const { plan, operands } = query
    const compiled = this.#byPlan.get(plan) ?? this.#compile(query)
    const begin = (form: TextForm) =>
      this.#form(compiled, plan, form).iterate(operands, now) as IterableIterator<never>
    return new RowSlices({ begin }, this.#checksums, toRowOf(plan))
  }

  /** Notes how many milliseconds it took to read the rows of a query. */
  found({ plan }: Planned<FindPlan>, rows: number, took: number): void {
    const compiled = this.#byPlan.get(plan)
    if (compiled !== undefined) learn(compiled, rows, took)
  }

  /** In one statement, whatever the keys are. */
  related({ plan, operands }: Planned<RelatedPlan>, now = Date.now()): RelatedRow[] {
    return this.#run({ plan, operands }, (compiled) => {
      const rows = this.#form(compiled, plan, 'bytes').all(operands, now) as KeyedColumns<Uint8Array>[]
      const sound = this.#checksums ? rows.map(unsealedColumns) : rows
      return sound.map((columns) => ({ ...toKeyedRow(columns, decodeKey(columns[5])), parent: columns[6]! }))
    })
  }

  figures(query: Planned<CountPlan | AggregatePlan>, now = Date.now()): Figures[] {
    const { plan, operands } = query
    return this.#run(query, (compiled) => {
      const rows = this.#form(compiled, plan, 'text').all(operands, now) as Figures[]
      if (!rows.some((row) => row.some((one) => typeof one === 'string' && mayBeOther(one)))) return rows
      // Bytes take longer to read, so only where a text may be another one.
      const exact = this.#form(compiled, plan, 'bytes').all(operands, now) as (
        | Figures[number]
        | Uint8Array
      )[][]
      return exact.map((row) => row.map((one) => (one instanceof Uint8Array ? textOfStored(one) : one)))
    })
  }

  explain({ plan, operands }: Planned): Explanation {
    const { prepared } = this.#prepare(plan, shownForm(plan))
    const params = prepared.bind(operands, Date.now())
    const steps = this.#connection
      .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${prepared.sql}`)
      .all(...params)
      .map(({ detail }) => detail)
    return { sql: prepared.sql, params, plan: steps }
  }

  /** Runs again if a statement names an index that another process has just dropped: without it, the result is the same. */
  #run<Rows>(query: Planned, read: (compiled: Compiled) => Rows): Rows {
    const compiled = this.#byPlan.get(query.plan) ?? this.#compile(query)
    try {
      return read(compiled)
    } catch (error) {
      if (!isUnanswerable(error)) throw this.failure(query, error)
      this.#compiled.clear()
      this.#byPlan = new WeakMap()
    }
    try {
      return read(this.#compile(query))
    } catch (error) {
      throw this.failure(query, error)
    }
  }

  /** The error to report for a failed query: it names the damaged row, if there is one. */
  failure({ plan }: Planned, error: unknown): unknown {
    const mayBeDamage = isUnanswerable(error) || error instanceof StorageError
    if (!mayBeDamage) return error
    const searched = searchIn(plan.where)
    if (searched !== null && missingSearches(this.#connection, [searched]).length > 0)
      return goneSearch(searched, error)
    return damagedRowError(this.#connection, plan.collection, error)
  }

  #rows(compiled: Compiled, { plan, operands }: Planned<FindPlan>, now: number): KeyedRow[] {
    const read = <K>(form: TextForm) =>
      this.#form(compiled, plan, form).all(operands, now) as KeyedColumns<K>[]
    const all = () =>
      compiled.rows.read(
        () => read<string>('text'),
        () => read<Uint8Array>('bytes'),
      )
    if (isOfFew({ plan, operands })) return all()
    const started = performance.now()
    const rows = all()
    learn(compiled, rows.length, performance.now() - started)
    return rows
  }

  #compile(query: Planned): Compiled {
    const { plan } = query
    const name = `${plan.type} ${plan.collection} ${plan.shape}`
    let compiled = this.#compiled.get(name)
    if (compiled === undefined) {
      if (this.#onUnindexed !== 'ignore') this.#report(plan)
      compiled = {
        rows: new KeyedRows(this.#checksums, toRowOf(plan)),
        perRow: null,
        took: null,
        withText: null,
        withBytes: null,
      }
      if (name.length <= longestName) this.#compiled.set(name, compiled)
    }
    this.#byPlan.set(plan, compiled)
    return compiled
  }

  #form(compiled: Compiled, plan: Plan, form: TextForm): PreparedStatement {
    if (form === 'text') {
      compiled.withText ??= this.#prepare(plan, form).prepared
      return compiled.withText
    }
    compiled.withBytes ??= this.#prepare(plan, form).prepared
    return compiled.withBytes
  }

  /** Once for each shape, because it costs more than most queries. */
  #report(plan: Plan): void {
    const { prepared, choice } = this.#prepare(plan, shownForm(plan))
    if (readsAll(plan, choice)) tellUnindexed(plan, prepared.sql, this.#onUnindexed)
  }

  /** A plan as the engine runs it, and the index that serves it; null if none does, or if the database lacks that index. */
  #prepare(
    plan: Plan,
    form: TextForm,
  ): { readonly prepared: PreparedStatement; readonly choice: IndexChoice | null } {
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

/** The form of the statement that people see. */
function shownForm(plan: Plan): TextForm {
  return plan.type === 'aggregate' ? 'text' : 'bytes'
}

/** Whether the rows of a plan are ordered by the rank of a search. */
function isRanked(plan: Plan): boolean {
  return plan.type === 'find' && plan.ranked !== null && plan.ranked.orders
}

function toRowOf(plan: Plan): ToRow {
  if (plan.type !== 'find' || plan.ranked === null) return toKeyedRow
  const { orders } = plan.ranked
  return (columns, key) => toHitRow(columns, key, orders)
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

/** One read may be slow because the machine was busy; several in a row mean something. */
function learn(compiled: Compiled, rows: number, took: number): void {
  const perRow = took / Math.max(rows, 1)
  compiled.perRow = compiled.perRow === null ? perRow : Math.min(perRow, compiled.perRow * slower)
  compiled.took = compiled.perRow * rows
}

function isOfFew({ plan: { limit }, operands }: Planned<FindPlan>): boolean {
  return limit !== null && operandAt(operands, limit) <= fewRows
}
