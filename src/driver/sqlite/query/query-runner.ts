// To run a plan is to find or make its compiled statement, and to learn how long it takes: one cache serves all three.
import { StorageError } from '../../../contract/errors.ts'
import { decodeKey } from '../../../key/codec.ts'
import { BoundedCache } from '../../../query/bounded-cache.ts'
import { searchIn } from '../../../query/condition.ts'
import { readsAll } from '../../../query/index-choice.ts'
import { type Operand, operandAt } from '../../../query/operand.ts'
import type { AggregatePlan, CountPlan, FindPlan, Plan, Planned, RelatedPlan } from '../../../query/plan.ts'
import { goneSearch } from '../../../query/rank.ts'
import { type OnUnindexed, tellUnindexed } from '../../../query/unindexed.ts'
import type { Explanation, Figures, KeyedRow, RelatedRow } from '../../driver.ts'
import { isUnanswerable } from '../file/engine-error.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { damagedRowError } from '../rows/damaged-rows.ts'
import { type KeyedColumns, KeyedRows, type ToRow, toHitRow, toKeyedRow } from '../rows/keyed-rows.ts'
import { type PartSize, PartSlices } from '../rows/part-slices.ts'
import { RowSlices } from '../rows/row-slices.ts'
import { unsealedColumns } from '../rows/sealed-statement.ts'
import { mayBeOther, textOfStored } from '../rows/stored-text.ts'
import { missingSearches } from '../tables/search-indexes.ts'
import type { IndexedCollection } from '../tables/table.ts'
import type { TextForm } from './find-sql.ts'
import { type PlanStatementOptions, PlanStatements } from './plan-statements.ts'
import type { PreparedStatement } from './prepared-statement.ts'
import { ReadTime } from './read-time.ts'

const mostStatements = 500
/** Up to this many rows are read without a pause, however long each takes. */
const fewRows = 20
/** For how many parents the first statement of a query reads related rows: nobody knows how many they have. */
const parentsAtFirst = 32
/** The rows of so few parents are read one by one, with pauses in between; those of more at once, which is faster. */
const fewParents = 4
/** A plan with a longer shape is compiled each time: hundreds of them would take too much memory. */
const longestName = 25_000

interface QueryRunnerOptions extends PlanStatementOptions {
  readonly onUnindexed: OnUnindexed
}

/** The statements of one plan, each prepared on first use. Without rows to return, there is only one. */
interface Compiled {
  readonly rows: KeyedRows
  /** The same plan with a limit, if it has none. */
  limited: { readonly plan: FindPlan; readonly compiled: Compiled } | null
  readonly time: ReadTime
  /** For how many parents one statement reads related rows. */
  readonly parents: PartSize
  withText: PreparedStatement | null
  withBytes: PreparedStatement | null
}

/** Runs the plans of queries. Each is compiled once to a prepared Drizzle query, and kept while it is used. */
export class QueryRunner {
  readonly #connection: Connection
  readonly #statements: PlanStatements
  readonly #onUnindexed: OnUnindexed
  readonly #checksums: boolean
  readonly #compiled = new BoundedCache<Compiled>(mostStatements)
  /** Compiled plans by plan object: callers that keep theirs need no text of its shape. */
  #byPlan = new WeakMap<Plan, Compiled>()

  constructor(
    connection: Connection,
    collections: readonly IndexedCollection[],
    { onUnindexed, ...options }: QueryRunnerOptions,
    checksums: boolean,
  ) {
    this.#checksums = checksums
    this.#connection = connection
    this.#statements = new PlanStatements(connection, collections, options)
    this.#onUnindexed = onUnindexed
  }

  find(query: Planned<FindPlan>, now = Date.now()): KeyedRow[] {
    return this.#run(query, (compiled) => this.#rows(compiled, query, now))
  }

  /** The same, and learns how long it takes even if the rows are few. */
  findTimed(query: Planned<FindPlan>, now: number): KeyedRow[] {
    return this.#run(query, (compiled) => this.#timedRows(compiled, query, now))
  }

  /** Whether a query took so little the last time that it may hold the lock of a commit. */
  isFast({ plan }: Planned<FindPlan>): boolean {
    return this.#byPlan.get(plan)?.time.isFast ?? false
  }

  /** Whether a query may find more than can be read without a pause. */
  mayFindMuch(query: Planned<FindPlan>): boolean {
    return !isOfFew(query)
  }

  /**
   * The rows of a query that was short the last time; null if it was not or has not run yet, and if it finds more now than can be
   * read without a pause.
   */
  findFew(query: Planned<FindPlan>, now: number): KeyedRow[] | null {
    const { plan, operands } = query
    const compiled = this.#byPlan.get(plan) ?? this.#compile(query)
    const most = compiled.time.rowsWithoutPause(fewRows)
    if (most === 0) return null
    const started = performance.now()
    const rows = this.#firstRows(compiled, plan, operands, most + 1, now)
    if (rows.length > most) return null
    compiled.time.learn(rows.length, performance.now() - started)
    return rows
  }

  #firstRows(
    compiled: Compiled,
    plan: FindPlan,
    operands: readonly Operand[],
    most: number,
    now: number,
  ): KeyedRow[] {
    if (plan.limit !== null) {
      const limit = Math.min(operandAt(operands, plan.limit), most)
      return this.#allRows(compiled, plan, operands.with(plan.limit.at, limit), now)
    }
    compiled.limited ??= {
      plan: { ...plan, limit: { type: 'count', at: operands.length } },
      compiled: this.#uncompiled(plan),
    }
    return this.#allRows(compiled.limited.compiled, compiled.limited.plan, [...operands, most], now)
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
    this.#byPlan.get(plan)?.time.learn(rows, took)
  }

  /** The rows that belong to many parents, in one statement, whatever their keys are. */
  related({ plan, operands }: Planned<RelatedPlan>, now = Date.now()): RelatedRow[] {
    return this.#run({ plan, operands }, (compiled) => {
      const rows = this.#form(compiled, plan, 'bytes').all(operands, now) as KeyedColumns<Uint8Array>[]
      const sound = this.#checksums ? rows.map(unsealedColumns) : rows
      return sound.map((columns) => ({ ...toKeyedRow(columns, decodeKey(columns[5])), parent: columns[6]! }))
    })
  }

  /** The same for reading in slices: each statement is for some of the parents. */
  relatedSlices(query: Planned<RelatedPlan>, now: number): PartSlices<Uint8Array, RelatedRow> {
    const { plan, operands } = query
    const compiled = this.#byPlan.get(plan) ?? this.#compile(query)
    const readPart = (parents: readonly Uint8Array[], first: number) => {
      const part = { plan, operands: operands.with(plan.parents.at, parents) }
      if (parents.length <= fewParents) return this.#relatedOneByOne(compiled, part, first, now)
      const rows = this.related(part, now)
      return first === 0 ? rows : rows.map((row) => ({ ...row, parent: first + row.parent }))
    }
    return new PartSlices(operandAt(operands, plan.parents), readPart, compiled.parents)
  }

  /** The rows of few parents, who may have many. */
  *#relatedOneByOne(
    compiled: Compiled,
    { plan, operands }: Planned<RelatedPlan>,
    first: number,
    now: number,
  ): Generator<RelatedRow> {
    const rows = this.#form(compiled, plan, 'bytes').iterate(operands, now)
    for (const row of rows as IterableIterator<KeyedColumns<Uint8Array>>) {
      const columns = this.#checksums ? unsealedColumns(row) : row
      yield { ...toKeyedRow(columns, decodeKey(columns[5])), parent: first + columns[6]! }
    }
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
    const { prepared } = this.#statements.prepare(plan, shownForm(plan))
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

  #rows(compiled: Compiled, query: Planned<FindPlan>, now: number): KeyedRow[] {
    if (compiled.time.isFast && isOfFew(query))
      return this.#allRows(compiled, query.plan, query.operands, now)
    return this.#timedRows(compiled, query, now)
  }

  #timedRows(compiled: Compiled, { plan, operands }: Planned<FindPlan>, now: number): KeyedRow[] {
    const started = performance.now()
    const rows = this.#allRows(compiled, plan, operands, now)
    compiled.time.learn(rows.length, performance.now() - started)
    return rows
  }

  #allRows(compiled: Compiled, plan: FindPlan, operands: readonly Operand[], now: number): KeyedRow[] {
    const read = <K>(form: TextForm) =>
      this.#form(compiled, plan, form).all(operands, now) as KeyedColumns<K>[]
    return compiled.rows.read(
      () => read<string>('text'),
      () => read<Uint8Array>('bytes'),
    )
  }

  #compile(query: Planned): Compiled {
    const { plan } = query
    const name = `${plan.type} ${plan.collection} ${plan.shape}`
    let compiled = this.#compiled.get(name)
    if (compiled === undefined) {
      if (this.#onUnindexed !== 'ignore') this.#report(plan)
      compiled = this.#uncompiled(plan)
      if (name.length <= longestName) this.#compiled.set(name, compiled)
    }
    this.#byPlan.set(plan, compiled)
    return compiled
  }

  #uncompiled(plan: Plan): Compiled {
    const rows = new KeyedRows(this.#checksums, toRowOf(plan))
    const parents = { of: parentsAtFirst, least: fewParents }
    return { rows, limited: null, time: new ReadTime(), parents, withText: null, withBytes: null }
  }

  #form(compiled: Compiled, plan: Plan, form: TextForm): PreparedStatement {
    if (form === 'text') {
      compiled.withText ??= this.#statements.prepare(plan, form).prepared
      return compiled.withText
    }
    compiled.withBytes ??= this.#statements.prepare(plan, form).prepared
    return compiled.withBytes
  }

  /** Once for each shape, because it costs more than most queries. */
  #report(plan: Plan): void {
    const { prepared, choice } = this.#statements.prepare(plan, shownForm(plan))
    if (readsAll(plan, choice)) tellUnindexed(plan, prepared.sql, this.#onUnindexed)
  }
}

/** The form of the statement that people see. */
function shownForm(plan: Plan): TextForm {
  return plan.type === 'aggregate' ? 'text' : 'bytes'
}

function toRowOf(plan: Plan): ToRow {
  if (plan.type !== 'find' || plan.ranked === null) return toKeyedRow
  const { orders } = plan.ranked
  return (columns, key) => toHitRow(columns, key, orders)
}

function isOfFew({ plan: { limit }, operands }: Planned<FindPlan>): boolean {
  return limit !== null && operandAt(operands, limit) <= fewRows
}
