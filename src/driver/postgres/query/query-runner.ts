import { type SQL, sql } from 'drizzle-orm'
import { BoundedCache } from '../../../query/bounded-cache.ts'
import { conjuncts } from '../../../query/condition.ts'
import { chooseIndex, type IndexChoice, readsAll } from '../../../query/index-choice.ts'
import type { Operand } from '../../../query/operand.ts'
import type { AggregatePlan, CountPlan, FindPlan, Plan, Planned, RelatedPlan } from '../../../query/plan.ts'
import { type OnUnindexed, tellUnindexed } from '../../../query/unindexed.ts'
import type { Explanation, Figures, KeyedRow, RelatedRow, ShownRow } from '../../driver.ts'
import type { Row, RunStatement } from '../connection.ts'
import type { IndexedCollection } from '../indexes.ts'
import { keyedRow } from '../kv-row.ts'
import { aggregateSql } from './aggregate-sql.ts'
import { RowSql } from './field-sql.ts'
import { PreparedQuery } from './prepared-query.ts'
import { allOf, findSql, relatedSql, selectionSql } from './select-sql.ts'

const mostStatements = 500
/** A plan with a longer shape is compiled each time: hundreds of its kind would take too much memory. */
const longestName = 25_000

interface QueryRunnerOptions {
  readonly onUnindexed: OnUnindexed
  /** What stands behind `from`, with the columns of `kv` under that name. */
  readonly source: SQL
}

/** What a query is run by. */
export interface Running {
  readonly run: RunStatement
  /** The rows that a session was shown. */
  readonly shown?: readonly ShownRow[]
}

interface Compiled {
  readonly query: PreparedQuery
  readonly figures: (row: Row) => Figures
}

/** Runs the plans of queries. Each is compiled once, and kept while it is used. */
export class QueryRunner {
  readonly #indexes: ReadonlyMap<string, IndexedCollection>
  readonly #onUnindexed: OnUnindexed
  readonly #source: SQL
  readonly #compiled = new BoundedCache<Compiled>(mostStatements)
  /** What a plan object was compiled to: spares the callers that keep theirs the text of its shape. */
  readonly #byPlan = new WeakMap<Plan, Compiled>()

  constructor(collections: readonly IndexedCollection[], { onUnindexed, source }: QueryRunnerOptions) {
    this.#indexes = new Map(collections.map((collection) => [collection.name, collection]))
    this.#onUnindexed = onUnindexed
    this.#source = source
  }

  async find({ plan, operands }: Planned<FindPlan>, running: Running): Promise<KeyedRow[]> {
    return (await this.#run(plan, operands, running)).map(keyedRow)
  }

  /** In one statement, whatever the keys are. */
  async related({ plan, operands }: Planned<RelatedPlan>, running: Running): Promise<RelatedRow[]> {
    const rows = await this.#run(plan, operands, running)
    return rows.map((row) => ({ ...keyedRow(row), parent: row.at(-1) as number }))
  }

  async figures(
    { plan, operands }: Planned<CountPlan | AggregatePlan>,
    running: Running,
  ): Promise<Figures[]> {
    const rows = await this.#run(plan, operands, running)
    return rows.map(this.#compile(plan).figures)
  }

  async explain({ plan, operands }: Planned, { run, shown }: Running): Promise<Explanation> {
    const { query } = this.#compile(plan)
    const params = query.bind(operands, shown)
    const rows = await run({ text: `EXPLAIN ${query.text}` }, params)
    return { sql: query.text, params, plan: rows.map(([line]) => String(line)) }
  }

  #run(plan: Plan, operands: readonly Operand[], { run, shown }: Running): Promise<Row[]> {
    const { query } = this.#compile(plan)
    return run(query, query.bind(operands, shown))
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
    // A 0 is one number here, whichever sign it has.
    const zeros = conjuncts(plan.where).flatMap((one) => (one.type === 'zero' ? [one.field.path] : []))
    const choice = chooseIndex(plan, plan.type === 'find' ? plan.order : [], indexes, new Set(zeros))
    const fields = new RowSql(new Set(indexes.flatMap((index) => index.fields)))
    const { statement, figures } = planSql(plan, fields, this.#source, choice)
    const query = new PreparedQuery(statement)
    if (this.#onUnindexed !== 'ignore' && readsAll(plan, choice))
      tellUnindexed(plan, query.text, this.#onUnindexed)
    return { query, figures }
  }
}

function planSql(
  plan: Plan,
  fields: RowSql,
  source: SQL,
  choice: IndexChoice | null,
): { readonly statement: SQL; readonly figures: Compiled['figures'] } {
  const figures = (row: Row) => row as Figures
  switch (plan.type) {
    case 'find':
      return { statement: findSql(plan, fields, source, choice), figures }
    case 'related':
      return { statement: relatedSql(plan, fields, source), figures }
    case 'count':
      return {
        statement: sql`SELECT count(*) FROM ${source} WHERE ${allOf(selectionSql(plan, fields))}`,
        figures,
      }
    case 'aggregate': {
      const { sql: statement, read } = aggregateSql(plan, fields, source)
      return { statement, figures: read }
    }
  }
}
