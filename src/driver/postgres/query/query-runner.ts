import { type SQL, sql } from 'drizzle-orm'
import { StorageError } from '../../../contract/errors.ts'
import { BoundedCache } from '../../../query/bounded-cache.ts'
import { conjuncts, searchIn } from '../../../query/condition.ts'
import { chooseIndex, readsAll } from '../../../query/index-choice.ts'
import { type Operand, operandAt } from '../../../query/operand.ts'
import type {
  AggregatePlan,
  CountPlan,
  FindPlan,
  Plan,
  Planned,
  RankedSearch,
  RelatedPlan,
} from '../../../query/plan.ts'
import { goneSearch } from '../../../query/rank.ts'
import { type OnUnindexed, tellUnindexed } from '../../../query/unindexed.ts'
import type { Explanation, Figures, KeyedRow, RelatedRow, ShownRow } from '../../driver.ts'
import { keyedRow } from '../rows/kv-row.ts'
import { markedText } from '../search/marked-text.ts'
import { searchedText } from '../search/words.ts'
import { isMissing } from '../server/server-error.ts'
import type { Row, RunStatement } from '../server/statement.types.ts'
import type { IndexedCollection } from '../tables/indexes.ts'
import { aggregateSql } from './aggregate-sql.ts'
import { RowSql } from './field-sql.ts'
import { allOf, findSql, type PageSize, relatedSql, type Source, selectionSql } from './find-sql.ts'
import { PreparedStatement } from './prepared-statement.ts'

const mostStatements = 500
/** How many named statements each connection keeps until it ends; others are planned each time. */
const mostNames = 1_000
/** How many page sizes have statements of their own; others share one with all up to the next power of two. */
const mostSizes = 4
/** Larger pages are planned like reading all rows. */
const largestPage = 2 ** 16
/** A plan with a longer shape is compiled each time: hundreds of them would take too much memory. */
const longestName = 25_000

interface QueryRunnerOptions {
  readonly onUnindexed: OnUnindexed
  readonly source: Source
}

/** What a query runs with. */
export interface Running {
  readonly run: RunStatement
  /** The rows that a session was shown. */
  readonly shown?: readonly ShownRow[]
}

/** The statements of one plan. */
interface Compiled {
  /** The statement for these operands; each page size has its own. */
  readonly queryFor: (operands: readonly Operand[]) => PreparedStatement
  readonly figures: (row: Row) => Figures
  /** Whether it reads a whole collection, and that was not reported yet. */
  isToTell: boolean
}

/** Runs the plans of queries. Each is compiled once, and kept while it is used. */
export class QueryRunner {
  readonly #indexes: ReadonlyMap<string, IndexedCollection>
  readonly #onUnindexed: OnUnindexed
  readonly #source: Source
  #names = 0
  readonly #compiled = new BoundedCache<Compiled>(mostStatements)
  /** Compiled plans by plan object: callers that keep theirs need no text of its shape. */
  readonly #byPlan = new WeakMap<Plan, Compiled>()

  constructor(collections: readonly IndexedCollection[], { onUnindexed, source }: QueryRunnerOptions) {
    this.#indexes = new Map(collections.map((collection) => [collection.name, collection]))
    this.#onUnindexed = onUnindexed
    this.#source = source
  }

  async find({ plan, operands }: Planned<FindPlan>, running: Running): Promise<KeyedRow[]> {
    const rows = await this.#run(plan, operands, running)
    const { ranked } = plan
    return ranked === null ? rows.map(keyedRow) : rows.map((row) => hitRow(row, ranked, operands))
  }

  /** In one statement, whatever the keys are. */
  async related({ plan, operands }: Planned<RelatedPlan>, running: Running): Promise<RelatedRow[]> {
    const rows = await this.#run(plan, operands, running)
    return rows.map((row) => ({ ...keyedRow(row), parent: row[7] as number }))
  }

  async figures(
    { plan, operands }: Planned<CountPlan | AggregatePlan>,
    running: Running,
  ): Promise<Figures[]> {
    const rows = await this.#run(plan, operands, running)
    return rows.map(this.#compile(plan).figures)
  }

  async explain({ plan, operands }: Planned, { run, shown }: Running): Promise<Explanation> {
    const query = this.#compile(plan).queryFor(operands)
    const params = query.bind(operands, shown)
    const rows = await run({ text: `EXPLAIN ${query.text}` }, params)
    return { sql: query.text, params, plan: rows.map(([line]) => String(line)) }
  }

  async #run(plan: Plan, operands: readonly Operand[], { run, shown }: Running): Promise<Row[]> {
    const compiled = this.#compile(plan)
    const query = compiled.queryFor(operands)
    if (compiled.isToTell) {
      tellUnindexed(plan, query.text, this.#onUnindexed)
      compiled.isToTell = false
    }
    try {
      return await run(query.planned(shown), query.bind(operands, shown))
    } catch (error) {
      throw failure(plan, error)
    }
  }

  #compile(plan: Plan): Compiled {
    const known = this.#byPlan.get(plan)
    if (known !== undefined) return known
    const name = `${plan.type} ${plan.collection} ${plan.shape}`
    let compiled = this.#compiled.get(name)
    if (compiled === undefined) {
      compiled = this.#prepare(plan)
      if (name.length <= longestName) this.#compiled.set(name, compiled)
    }
    this.#byPlan.set(plan, compiled)
    return compiled
  }

  #prepare(plan: Plan): Compiled {
    const { indexes = [] } = plan.type === 'related' ? {} : (this.#indexes.get(plan.collection) ?? {})
    // Here 0 is one number, whatever its sign.
    const zeros = conjuncts(plan.where).flatMap((one) => (one.type === 'zero' ? [one.field.path] : []))
    const isRanked = plan.type === 'find' && plan.ranked?.orders === true
    const order = plan.type === 'find' ? plan.order : []
    const choice = isRanked ? null : chooseIndex(plan, order, indexes, new Set(zeros))
    const fields = new RowSql(new Set(indexes.flatMap((index) => index.fields)), this.#source.searched)
    const isToTell = this.#onUnindexed !== 'ignore' && readsAll(plan, choice)
    if (plan.type !== 'find') {
      const { statement, figures } = planSql(plan, fields, this.#source)
      const query = this.#named(statement)
      return { queryFor: () => query, figures, isToTell }
    }
    const exact = new Map<number, PreparedStatement>()
    const rounded = new Map<number | null, PreparedStatement>()
    const made = <Key>(queries: Map<Key, PreparedStatement>, key: Key, page: PageSize | null) => {
      const query = this.#named(findSql(plan, fields, this.#source, choice, page))
      queries.set(key, query)
      return query
    }
    const queryFor = (operands: readonly Operand[]) => {
      const most = mostOf(plan, operands)
      if (most !== null && plan.offset === null) {
        const query = exact.get(most)
        if (query !== undefined) return query
        if (exact.size < mostSizes) return made(exact, most, { most, isExact: true })
      }
      const size = most === null ? null : 2 ** Math.max(4, Math.ceil(Math.log2(most)))
      return rounded.get(size) ?? made(rounded, size, size === null ? null : { most: size, isExact: false })
    }
    return { queryFor, figures: asFigures, isToTell }
  }

  #named(statement: SQL): PreparedStatement {
    return new PreparedStatement(statement, this.#names++ < mostNames)
  }
}

/** A row with what a search reports of it. */
function hitRow(
  row: Row,
  { condition, orders, highlight }: RankedSearch,
  operands: readonly Operand[],
): KeyedRow {
  const { tokenizer } = condition.search
  const words = operandAt(operands, condition.words)
  const told = row.slice(7)
  const rank = orders ? (told.shift() as number) : null
  const marked = highlight.map((field, at) => {
    const kept = told[at] as string | null
    return kept === null ? null : markedText(searchedText(kept), words, tokenizer, field.words)
  })
  return { ...keyedRow(row), hit: { rank, texts: marked } }
}

/** The error to report where a query has failed: others may have taken the table of its search away. */
function failure({ where }: Plan, error: unknown): unknown {
  const searched = searchIn(where)
  const cause = error instanceof StorageError ? error.cause : error
  return searched !== null && isMissing(cause) ? goneSearch(searched, error) : error
}

const asFigures = (row: Row) => row as Figures

/** How many rows a page needs at most, including skipped ones; null: plan it like reading all rows. */
function mostOf({ limit, offset }: FindPlan, operands: readonly Operand[]): number | null {
  if (limit === null) return null
  const most = operandAt(operands, limit) + (offset === null ? 0 : operandAt(operands, offset))
  return most > largestPage ? null : most
}

function planSql(
  plan: Exclude<Plan, FindPlan>,
  fields: RowSql,
  source: Source,
): { readonly statement: SQL; readonly figures: Compiled['figures'] } {
  switch (plan.type) {
    case 'related':
      return { statement: relatedSql(plan, fields, source), figures: asFigures }
    case 'count': {
      const statement = sql`SELECT count(*), ${source.catalog} FROM ${source.rows} WHERE ${allOf(selectionSql(plan, fields))}`
      return { statement, figures: ([count]) => [count as Figures[number]] }
    }
    case 'aggregate': {
      const { sql: statement, read } = aggregateSql(plan, fields, source)
      return { statement, figures: read }
    }
  }
}
