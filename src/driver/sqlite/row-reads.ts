import { decodeKey } from '../../key/codec.ts'
import { decodeKeyText } from '../../key/decode-text.ts'
import type { KeyRange } from '../../key/range.ts'
import type { Key } from '../../key.types.ts'
import type { Planned } from '../../query/plan.ts'
import type { KeyedRow, QueryRow, Read, ReadResults, Scan, StoredRow } from '../driver.ts'
import type { QueryRunner } from './query/query-runner.ts'
import type { KeyedKvRow, KvRow, Scans, Statements } from './statements.ts'

const pagesUntilTextAgain = 16

/** The reads of rows, each inside whatever transaction is open. */
export class RowReads {
  readonly #statements: Statements
  readonly #queries: QueryRunner
  /** How many of the next pages to read with their keys as bytes at once, since those before had such keys. */
  #pagesWithBytes = 0

  constructor(statements: Statements, queries: QueryRunner) {
    this.#statements = statements
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
    if (this.#pagesWithBytes === 0) {
      const rows = keyedByText(runScan(this.#statements.scansWithText, scan, now))
      if (rows !== null) return rows
      this.#pagesWithBytes = pagesUntilTextAgain
    }
    this.#pagesWithBytes -= 1
    const rows = runScan(this.#statements.scansWithBytes, scan, now)
    return rows.map((row) => toKeyedRow(row, decodeKey(row[5])))
  }

  query(query: Planned): QueryRow[] {
    return this.#queries.run(query)
  }

  /** Counts in indexes only: all rows, less those that have expired and are not removed yet. */
  count(collection: string, range: KeyRange | null, now = Date.now()): number {
    const { countCollection, countExpired, countRange, countExpiredRange } = this.#statements
    if (range === null) return countCollection.get(collection)![0] - countExpired.get(collection, now)![0]
    const { start, end } = range
    return countRange.get(collection, start, end)![0] - countExpiredRange.get(collection, start, end, now)![0]
  }

  /** When the first row expires on which a read may rest, in ms since the epoch; null where the rows that it gives tell. */
  validUntil(read: Read, now: number): number | null {
    if (read.type !== 'count' && read.type !== 'query') return null
    const collection = read.type === 'count' ? read.collection : read.query.plan.collection
    return this.#statements.nextExpiryOf.get(collection, now)![0]
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
      return reads.query(read.query)
  }
}

function runScan<K extends Uint8Array | string>(
  scans: Scans<K>,
  { range: { start, end }, collection, reverse, limit }: Scan,
  now: number,
): KeyedKvRow<K>[] {
  if (collection === null) return (reverse ? scans.backward : scans.forward).all(start, end, now, limit)
  return (reverse ? scans.collectionBackward : scans.collectionForward).all(
    collection,
    start,
    end,
    now,
    limit,
  )
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
