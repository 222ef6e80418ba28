import type { KeyRange } from '../../key/range.ts'
import type { Read, ReadResults, Scan, StoredRow } from '../driver.ts'
import type { KvRow, Statements } from './statements.ts'

/** The reads of rows, each inside whatever transaction is open. */
export class RowReads {
  readonly #statements: Statements

  constructor(statements: Statements) {
    this.#statements = statements
  }

  get(key: Uint8Array): StoredRow | null {
    const row = this.#statements.get.get(key)
    if (row === undefined) return null
    const expiresAt = row[5]
    if (expiresAt !== null && expiresAt <= Date.now()) return null
    return toStoredRow(row)
  }

  getMany(keys: readonly Uint8Array[]): (StoredRow | null)[] {
    return keys.map((key) => this.get(key))
  }

  exists(key: Uint8Array): boolean {
    const row = this.#statements.version.get(key)
    return row !== undefined && (row[1] === null || row[1] > Date.now())
  }

  scan({ range: { start, end }, collection, reverse, limit }: Scan): StoredRow[] {
    const { scanForward, scanBackward, scanCollectionForward, scanCollectionBackward } = this.#statements
    const now = Date.now()
    const rows =
      collection === null
        ? (reverse ? scanBackward : scanForward).all(start, end, now, limit)
        : (reverse ? scanCollectionBackward : scanCollectionForward).all(collection, start, end, now, limit)
    return rows.map(toStoredRow)
  }

  /** Counts in indexes only: all rows, less those that have expired and are not removed yet. */
  count(collection: string, range: KeyRange | null): number {
    const { countCollection, countExpired, countRange, countExpiredRange } = this.#statements
    const now = Date.now()
    if (range === null) return countCollection.get(collection)![0] - countExpired.get(collection, now)![0]
    const { start, end } = range
    return countRange.get(collection, start, end)![0] - countExpiredRange.get(collection, start, end, now)![0]
  }
}

/** A read that is given as data. */
export function performRead(reads: RowReads, read: Read): ReadResults[Read['type']] {
  switch (read.type) {
    case 'get':
      return reads.get(read.key)
    case 'getMany':
      return reads.getMany(read.keys)
    case 'exists':
      return reads.exists(read.key)
    case 'scan':
      return reads.scan(read.scan)
    case 'count':
      return reads.count(read.collection, read.range)
  }
}

function toStoredRow(row: KvRow): StoredRow {
  return { key: row[0], value: row[1], encoding: row[2], types: row[3], version: row[4], expiresAt: row[5] }
}
