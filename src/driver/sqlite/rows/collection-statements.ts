import {
  and,
  asc,
  count,
  desc,
  gt,
  gte,
  isNotNull,
  isNull,
  lt,
  lte,
  or,
  type Placeholder,
  type SQL,
  sql,
} from 'drizzle-orm'
import type { Logger } from 'drizzle-orm/logger'
import type { KeyRange } from '../../../key/range.ts'
import type { KeyedRow } from '../../driver.ts'
import { drizzleOver } from '../module/drizzle-over.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { type KvTables, ofCollection, quoteText } from '../tables/table.ts'
import { type KeyedColumns, KeyedRows } from './keyed-rows.ts'
import { plannedOnce } from './planned-once.ts'
import { type BuiltQuery, Statement } from './statement.ts'

type Key = Uint8Array

/** Of how many expiring rows, at most, it is found out which is the first of a collection. */
const expiringRows = 1_000

/** start, end, now, limit */
type ScanStatement<K extends Key | string> = Statement<[Key, Key, number, number], KeyedColumns<K>>

/**
 * The statements on the rows of one collection, or on all rows, each prepared on first use. The collection's name is a literal: a
 * bound name would have to be compared with the conditions of partial indexes each time, and the statement planned again.
 */
export class CollectionStatements {
  readonly #connection: Connection
  readonly #tables: KvTables
  readonly #collection: string | null
  readonly #logger: Logger | undefined
  readonly #prepared = new Map<string, unknown>()
  readonly #keyedRows: KeyedRows

  constructor(
    connection: Connection,
    tables: KvTables,
    collection: string | null,
    logger: Logger | undefined,
    checksums: boolean,
  ) {
    this.#keyedRows = new KeyedRows(checksums)
    this.#connection = connection
    this.#tables = tables
    this.#collection = collection
    this.#logger = logger
  }

  /** One page. */
  scan({ start, end }: KeyRange, reverse: boolean, now: number, limit: number): KeyedRow[] {
    return this.#keyedRows.read(
      () =>
        this.#once(`text ${reverse}`, () => this.#scan<string>(reverse, true)).all(start, end, now, limit),
      () => this.#once(`bytes ${reverse}`, () => this.#scan<Key>(reverse, false)).all(start, end, now, limit),
    )
  }

  /** Keys in their order, whatever the file has in their place; answered from an index alone. */
  get keysAfter(): Statement<[string | number | Key, number], readonly [unknown]> {
    const { kv } = this.#tables
    const query = () =>
      this.#db
        .select({ key: kv.key })
        .from(kv)
        .where(and(this.#inCollection, gt(kv.key, sql.placeholder('after'))))
        .orderBy(asc(kv.key))
        .limit(plannedOnce(sql.placeholder('limit')) as unknown as Placeholder)
    return this.#once('keysAfter', () => this.#prepare(query(), 'after', 'limit'))
  }

  /** All rows, including expired ones; answered from an index alone. */
  get count(): Statement<[], readonly [number]> {
    return this.#once('count', () => this.#prepare(this.#count(this.#inCollection)))
  }

  get countExpired(): Statement<[number], readonly [number]> {
    return this.#once('countExpired', () =>
      this.#prepare(this.#count(and(this.#ofCollection, this.#dead)), 'now'),
    )
  }

  get countRange(): Statement<[Key, Key], readonly [number]> {
    const inside = and(this.#inCollection, this.#inRange)
    return this.#once('countRange', () => this.#prepare(this.#count(inside), 'start', 'end'))
  }

  get countExpiredRange(): Statement<[Key, Key, number], readonly [number]> {
    const { kv } = this.#tables
    const start = gte(sql`+${kv.key}`, sql.placeholder('start'))
    const end = lt(sql`+${kv.key}`, sql.placeholder('end'))
    const inside = and(this.#ofCollection, start, end, this.#dead)
    return this.#once('countExpiredRange', () => this.#prepare(this.#count(inside), 'start', 'end', 'now'))
  }

  /** When the next row expires after a time, or how far others were looked at that expire before it. */
  get nextExpiry(): Statement<[number], readonly [number | null]> {
    const own = this.#collection === null ? 'TRUE' : `collection = ${quoteText(this.#collection)}`
    const text = `SELECT coalesce(min(CASE WHEN ${own} THEN expires_at END), CASE WHEN count(*) = ${expiringRows} THEN max(expires_at) END)
      FROM (SELECT collection, expires_at FROM kv WHERE expires_at > ? AND expires_at < '' ORDER BY expires_at LIMIT ${expiringRows})`
    return this.#once('nextExpiry', () => new Statement(this.#connection, text, [], this.#logger))
  }

  get #db() {
    return drizzleOver(this.#connection)
  }

  get #inCollection() {
    return this.#collection === null ? undefined : ofCollection(this.#collection)
  }

  /** The same where the index of expiring rows is to be used: the plus sign keeps SQLite from that of collections. */
  get #ofCollection() {
    return this.#collection === null ? undefined : sql`+${ofCollection(this.#collection)}`
  }

  get #inRange() {
    const { kv } = this.#tables
    return and(gte(kv.key, sql.placeholder('start')), lt(kv.key, sql.placeholder('end')))
  }

  get #dead() {
    const { kv } = this.#tables
    return and(isNotNull(kv.expiresAt), lte(kv.expiresAt, sql.placeholder('now')))
  }

  #scan<K extends Key | string>(reverse: boolean, asText: boolean): ScanStatement<K> {
    const { kv } = this.#tables
    const { value, encoding, types, version, expiresAt } = kv
    const key = asText ? sql<string>`CAST(${kv.key} AS TEXT)` : kv.key
    const alive = or(isNull(expiresAt), gt(expiresAt, sql.placeholder('now')))
    const query = this.#db
      .select({ value, encoding, types, version, expiresAt, key })
      .from(kv)
      .where(and(this.#inCollection, this.#inRange, alive))
      .orderBy((reverse ? desc : asc)(kv.key))
      .limit(plannedOnce(sql.placeholder('limit')) as unknown as Placeholder)
    return this.#prepare(query, 'start', 'end', 'now', 'limit')
  }

  #count(condition: SQL | undefined) {
    return this.#db.select({ count: count() }).from(this.#tables.kv).where(condition)
  }

  #prepare<Parameters extends readonly (Key | string | number)[], Row extends readonly unknown[]>(
    query: BuiltQuery,
    ...names: string[]
  ): Statement<Parameters, Row> {
    return new Statement(this.#connection, () => query, names, this.#logger)
  }

  #once<T>(name: string, prepare: () => T): T {
    let statement = this.#prepared.get(name) as T | undefined
    if (statement === undefined) {
      statement = prepare()
      this.#prepared.set(name, statement)
    }
    return statement
  }
}
