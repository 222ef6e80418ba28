import { decodeKey } from '../../key/codec.ts'
import { decodeKeyText } from '../../key/decode-text.ts'
import type { KeyRange } from '../../key/range.ts'
import type { Key } from '../../key.types.ts'
import type { Planned } from '../../query/plan.ts'
import type { KeyedRow, QueryRow, Read, ReadResults, Scan, StoredRow } from '../driver.ts'
import type { CollectionStatements } from './collection-statements.ts'
import type { QueryRunner } from './query/query-runner.ts'
import type { KeyedKvRow, KvRow, Statements } from './statements.ts'

const pagesUntilTextAgain = 16

/** The reads of rows, each inside whatever transaction is open. */
export class RowReads {
  readonly #statements: Statements
  readonly #queries: QueryRunner
  readonly #prepareCollection: (collection: string | null) => CollectionStatements
  readonly #collections = new Map<string | null, CollectionStatements>()
  /** How many of the next pages to read with their keys as bytes at once, since those before had such keys. */
  #pagesWithBytes = 0

  constructor(
    statements: Statements,
    queries: QueryRunner,
    prepareCollection: (collection: string | null) => CollectionStatements,
  ) {
    this.#statements = statements
    this.#prepareCollection = prepareCollection
    this.#queries = queries
  }

  get(key: Uint8Array, now = Date.now()): StoredRow | null {
    const row = this.#statements.get.get(key)
    if (row === undefined) return null
    const expiresAt = row[4]
    if (expiresAt !== null && expiresAt <= now) return null
    return toStoredRow(row)
  }

  getMany(keys: readonly Uint8Array[], now = Date.now()): (StoredRow | null)[] {
    return keys.map((key) => this.get(key, now))
  }

  exists(key: Uint8Array, now = Date.now()): boolean {
    const row = this.#statements.version.get(key)
    return row !== undefined && (row[1] === null || row[1] > now)
  }

  scan(scan: Scan, now = Date.now()): KeyedRow[] {
    const { range, reverse, limit } = scan
    const statements = this.#of(scan.collection)
    if (this.#pagesWithBytes === 0) {
      const rows = keyedByText(statements.scanWithText(reverse).all(range.start, range.end, now, limit))
      if (rows !== null) return rows
      this.#pagesWithBytes = pagesUntilTextAgain
    }
    this.#pagesWithBytes -= 1
    const rows = statements.scanWithBytes(reverse).all(range.start, range.end, now, limit)
    return rows.map((row) => toKeyedRow(row, decodeKey(row[5])))
  }

  query(query: Planned, now = Date.now()): QueryRow[] {
    return this.#queries.run(query, now)
  }

  /** Counts in indexes only: all rows, less those that have expired and are not removed yet. */
  count(collection: string, range: KeyRange | null, now = Date.now()): number {
    const statements = this.#of(collection)
    if (range === null) return statements.count.get()![0] - statements.countExpired.get(now)![0]
    const { start, end } = range
    return statements.countRange.get(start, end)![0] - statements.countExpiredRange.get(start, end, now)![0]
  }

  /** When the first row expires on which a read may rest, in ms since the epoch; null where the rows that it gives tell. */
  validUntil(read: Read, now: number): number | null {
    if (read.type !== 'count' && read.type !== 'query') return null
    const collection = read.type === 'count' ? read.collection : read.query.plan.collection
    return this.#of(collection).nextExpiry.get(now)![0]
  }

  #of(collection: string | null): CollectionStatements {
    let statements = this.#collections.get(collection)
    if (statements === undefined) {
      statements = this.#prepareCollection(collection)
      this.#collections.set(collection, statements)
    }
    return statements
  }
}

/** A read that is given as data, at this time (ms since the epoch). */
export function performRead(reads: RowReads, read: Read, now: number): ReadResults[Read['type']] {
  switch (read.type) {
    case 'get':
      return reads.get(read.key, now)
    case 'getMany':
      return reads.getMany(read.keys, now)
    case 'exists':
      return reads.exists(read.key, now)
    case 'scan':
      return reads.scan(read.scan, now)
    case 'count':
      return reads.count(read.collection, read.range, now)
    case 'query':
      return reads.query(read.query, now)
  }
}

/** `null` where the text of a key does not tell its bytes. */
function keyedByText(rows: readonly KeyedKvRow<string>[]): KeyedRow[] | null {
  const keyed: KeyedRow[] = []
  for (const row of rows) {
    const key = decodeKeyText(row[5])
    if (key === null) return null
    keyed.push(toKeyedRow(row, key))
  }
  return keyed
}

function toKeyedRow(row: KeyedKvRow<Uint8Array | string>, key: Key): KeyedRow {
  return { key, value: row[0], encoding: row[1], types: row[2], version: row[3], expiresAt: row[4] }
}

export function toStoredRow(row: KvRow | readonly [...KvRow, number]): StoredRow {
  return { value: row[0], encoding: row[1], types: row[2], version: row[3], expiresAt: row[4] }
}
