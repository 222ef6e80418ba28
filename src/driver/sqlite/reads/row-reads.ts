import { hasExpired } from '../../../commit/row.ts'
import type { KeyRange } from '../../../key/range.ts'
import type {
  CollectionExpiry,
  KeyedRow,
  Read,
  ReadResults,
  ResultOf,
  Salvage,
  SalvagedRows,
  Scan,
  StoredRow,
  WrittenVersion,
} from '../../driver.ts'
import type { QueryRunner } from '../query/query-runner.ts'
import type { CollectionStatements } from '../rows/collection-statements.ts'
import { type PartSize, PartSlices } from '../rows/part-slices.ts'
import { type Statements, toStoredRow } from '../rows/statements.ts'
import { assertInOrder, beforeAll, salvageRows } from './salvage.ts'

/** How many rows to read by key before checking how long that takes. */
const keysAtFirst = 32

/** The reads of rows, each inside the open transaction, if there is one. */
export class RowReads {
  readonly #statements: Statements
  readonly #queries: QueryRunner | null
  readonly #prepareCollection: (collection: string | null) => CollectionStatements
  readonly #collections = new Map<string | null, CollectionStatements>()
  /** How many rows to read by key at a time. */
  readonly #keys: PartSize = { of: keysAtFirst, least: 1 }

  constructor(
    statements: Statements,
    queries: QueryRunner | null,
    prepareCollection: (collection: string | null) => CollectionStatements,
  ) {
    this.#statements = statements
    this.#prepareCollection = prepareCollection
    this.#queries = queries
  }

  get queries(): QueryRunner {
    if (this.#queries === null) throw new Error('The database was opened without collections to query')
    return this.#queries
  }

  get(key: Uint8Array, now = Date.now()): StoredRow | null {
    const row = this.#statements.get.get(key)
    return row === undefined || hasExpired(row[4], now) ? null : toStoredRow(row)
  }

  getMany(keys: readonly Uint8Array[], now = Date.now()): (StoredRow | null)[] {
    return keys.map((key) => this.get(key, now))
  }

  /** The rows under many keys, for reading in slices. */
  slices(keys: readonly Uint8Array[], now: number): PartSlices<Uint8Array, StoredRow | null> {
    return new PartSlices(keys, (part) => this.getMany(part, now), this.#keys)
  }

  /** As in the driver. What is read and not returned counts as well. */
  ofVersions(written: readonly WrittenVersion[], bytes: number, now = Date.now()): (StoredRow | null)[] {
    const rows: (StoredRow | null)[] = []
    let read = 0
    for (const { key, version } of written) {
      const row = this.get(key, now)
      const size = row === null ? 0 : row.value.length + (row.types?.length ?? 0)
      const isThere = row?.version === version
      if (isThere && size > bytes && rows.length > 0) break
      rows.push(isThere ? row : null)
      read += size
      if (read >= bytes) break
    }
    return rows
  }

  exists(key: Uint8Array, now = Date.now()): boolean {
    const row = this.#statements.version.get(key)
    return row !== undefined && !hasExpired(row[1], now)
  }

  scan({ range, collection, reverse, limit }: Scan, now = Date.now()): KeyedRow[] {
    return this.#of(collection).scan(range, reverse, now, limit)
  }

  salvage({ collection, after, limit }: Salvage, now = Date.now()): SalvagedRows {
    const from = after ?? beforeAll
    const page = this.#of(collection).keysAfter.all(from, limit)
    assertInOrder(from, page)
    return salvageRows(page, limit, (key) => this.get(key, now))
  }

  /** Counts in indexes only: all rows, minus the expired ones that are not removed yet. */
  count(collection: string, range: KeyRange | null, now = Date.now()): number {
    const statements = this.#of(collection)
    if (range === null) return statements.count.get()![0] - statements.countExpired.get(now)![0]
    const { start, end } = range
    return statements.countRange.get(start, end)![0] - statements.countExpiredRange.get(start, end, now)![0]
  }

  /**
   * When the first row of a collection expires after a time, in milliseconds since the epoch; an earlier time if many rows of others
   * expire before.
   */
  nextExpiry({ collection, after }: CollectionExpiry): number | null {
    return this.#of(collection).nextExpiry.get(after)![0]
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

/** Performs a read that is given as data, as of this time (ms since the epoch). */
export function performRead<R extends Read>(reads: RowReads, request: R, now: number): ResultOf<R> {
  return perform(reads, request, now) as ResultOf<R>
}

function perform(reads: RowReads, request: Read, now: number): ReadResults[Read['type']] {
  switch (request.type) {
    case 'get':
      return reads.get(request.key, now)
    case 'getMany':
      return reads.getMany(request.keys, now)
    case 'exists':
      return reads.exists(request.key, now)
    case 'scan':
      return reads.scan(request.scan, now)
    case 'salvage':
      return reads.salvage(request.salvage, now)
    case 'count':
      return reads.count(request.collection, request.range, now)
    case 'find':
      return reads.queries.find(request.query, now)
    case 'related':
      return reads.queries.related(request.query, now)
    case 'figures':
      return reads.queries.figures(request.query, now)
    case 'explain':
      return reads.queries.explain(request.query)
  }
}
