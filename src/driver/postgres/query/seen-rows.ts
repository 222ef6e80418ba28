import { type SQL, sql } from 'drizzle-orm'
import type { KeyedRow, Read, Scan } from '../../driver.ts'
import { keyedColumns, keyedRow } from '../rows/kv-row.ts'
import { isAlive } from '../server/sql-text.ts'
import type { IndexedCollection } from '../tables/indexes.ts'
import { type Bindable, bind } from './binding.ts'
import { allOf, type Source } from './find-sql.ts'
import { PreparedStatement } from './prepared-statement.ts'
import { QueryRunner, type Running } from './query-runner.ts'
import { shownSource } from './shown-source.ts'

type Count = Extract<Read, { readonly type: 'count' }>

/** Reads that find the rows a session was shown instead of the stored ones. */
export class SeenRows {
  readonly queries: QueryRunner
  readonly #rows: SQL
  readonly #prepared = new Map<string, PreparedStatement>()

  constructor({ rows, catalog, searched }: Source, collections: readonly IndexedCollection[]) {
    this.#rows = shownSource(rows)
    this.queries = new QueryRunner(collections, {
      onUnindexed: 'ignore',
      source: { rows: this.#rows, catalog, searched: { ...searched, shown: true } },
    })
  }

  async scan({ range, collection, reverse, limit }: Scan, { run, shown }: Running): Promise<KeyedRow[]> {
    const order = sql.raw(reverse ? 'desc' : 'asc')
    const page = sql` ORDER BY kv.key ${order} LIMIT ${operand(3, 'bigint')}`
    const query = this.#query(sql.raw(keyedColumns), collection !== null, true, page)
    const operands = [collection ?? '', range.start, range.end, limit]
    return (await run(query.planned(shown), query.bind(operands, shown))).map(keyedRow)
  }

  async count({ collection, range }: Count, { run, shown }: Running): Promise<number> {
    const query = this.#query(sql.raw('count(*)'), true, range !== null, sql.empty())
    const operands = range === null ? [collection] : [collection, range.start, range.end]
    const [row] = await run(query.planned(shown), query.bind(operands, shown))
    return row![0] as number
  }

  /** For a collection, the first operand; between two keys, the second and third. */
  #query(columns: SQL, ofOne: boolean, inRange: boolean, page: SQL): PreparedStatement {
    const conditions = [
      sql.raw(isAlive),
      ...(ofOne ? [sql`kv.collection = ${operand(0, 'text')}`] : []),
      ...(inRange ? [sql`kv.key >= ${operand(1, 'bytea')} AND kv.key < ${operand(2, 'bytea')}`] : []),
    ]
    const query = new PreparedStatement(
      sql`SELECT ${columns} FROM ${this.#rows} WHERE ${allOf(conditions)}${page}`,
      true,
    )
    const known = this.#prepared.get(query.text)
    if (known === undefined) this.#prepared.set(query.text, query)
    return known ?? query
  }
}

function operand(at: number, type: string): SQL {
  return bind((operands) => operands[at] as Bindable, type)
}
