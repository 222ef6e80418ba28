import { rmSync } from 'node:fs'
import type Database from 'better-sqlite3'
import type { Logger } from 'drizzle-orm/logger'
import type { AtomicWrite, CommitOutcome } from '../../commit/write.ts'
import type { KeyRange } from '../../key/range.ts'
import type { BatchOutcome, Catalog, CommitBatch, Driver, Scan, StoredRow, SweepOutcome } from '../driver.ts'
import { type ApplyContext, applyMutations, failedChecks } from './apply-write.ts'
import { readCatalog } from './catalog.ts'
import { ChangeLog } from './change-log.ts'
import { databaseFiles } from './connection.ts'
import { assertOpen, engineCode, isBusy, toKvError } from './engine-error.ts'
import { type LogRetention, LogTrimmer } from './log-retention.ts'
import { retryBusy } from './retry-busy.ts'
import { type KvRow, prepareStatements, type Statements } from './statements.ts'
import type { IndexedCollection, KvTables } from './table.ts'
import { UniqueIndexes } from './unique-indexes.ts'

export interface SqliteDriverOptions {
  readonly path: string
  /** Milliseconds for which a call retries a database that others have locked. */
  readonly busyTimeout: number
  readonly retention: LogRetention
  /** Keep the values in `kv_log`. */
  readonly logValues: boolean
  readonly logger?: Logger | undefined
}

const keysPerLogRow = 10_000
const noKey = new Uint8Array()

/** The driver of an SQLite file or of a database in memory: one connection, whose calls never overlap. */
export class SqliteDriver implements Driver {
  readonly #connection: Database.Database
  readonly #tables: KvTables
  readonly #statements: Statements
  readonly #uniqueIndexes: UniqueIndexes
  readonly #trimmer: LogTrimmer
  readonly #log: ChangeLog
  readonly #options: SqliteDriverOptions
  #catalogVersion: number
  /** The newest version when the catalog was last known to be current. */
  #seenVersion = -1

  constructor(
    connection: Database.Database,
    tables: KvTables,
    collections: readonly IndexedCollection[],
    catalog: Catalog,
    options: SqliteDriverOptions,
  ) {
    this.#connection = connection
    this.#tables = tables
    this.#statements = prepareStatements(connection, tables, options.logger)
    this.#uniqueIndexes = new UniqueIndexes(connection, tables, collections)
    this.#trimmer = new LogTrimmer(this.#statements, options.retention)
    this.#log = new ChangeLog(options.logValues)
    this.#options = options
    this.#catalogVersion = catalog.version
  }

  get(key: Uint8Array): Promise<StoredRow | null> {
    return this.#run(() => this.#aliveRow(key))
  }

  getMany(keys: readonly Uint8Array[]): Promise<(StoredRow | null)[]> {
    return this.#run(() => this.#transaction('BEGIN', () => keys.map((key) => this.#aliveRow(key))))
  }

  exists(key: Uint8Array): Promise<boolean> {
    return this.#run(() => {
      const row = this.#statements.version.get(key)
      return row !== undefined && (row[1] === null || row[1] > Date.now())
    })
  }

  scan({ range: { start, end }, collection, reverse, limit }: Scan): Promise<StoredRow[]> {
    const { scanForward, scanBackward, scanCollectionForward, scanCollectionBackward } = this.#statements
    return this.#run(() => {
      const now = Date.now()
      const rows =
        collection === null
          ? (reverse ? scanBackward : scanForward).all(start, end, now, limit)
          : (reverse ? scanCollectionBackward : scanCollectionForward).all(collection, start, end, now, limit)
      return rows.map(toStoredRow)
    })
  }

  count(collection: string, range: KeyRange | null): Promise<number> {
    const { countCollection, countExpired, countRange, countExpiredRange } = this.#statements
    return this.#run(() =>
      this.#transaction('BEGIN', () => {
        const now = Date.now()
        if (range === null) return countCollection.get(collection)![0] - countExpired.get(collection, now)![0]
        const { start, end } = range
        return (
          countRange.get(collection, start, end)![0] - countExpiredRange.get(collection, start, end, now)![0]
        )
      }),
    )
  }

  commit({ catalogVersion, writes }: CommitBatch): Promise<BatchOutcome> {
    return this.#run(() => {
      let latest = 0
      const result = this.#transaction<BatchOutcome>('BEGIN IMMEDIATE', () => {
        latest = this.#latestVersion()
        if (latest !== this.#seenVersion || catalogVersion !== this.#catalogVersion) {
          const catalog = readCatalog(this.#connection, this.#tables)
          this.#catalogVersion = catalog.version
          if (catalog.version !== catalogVersion) return { type: 'stale', catalog }
        }
        const now = Date.now()
        const outcomes: CommitOutcome[] = []
        for (const write of writes) {
          const outcome = this.#commitOne(write, latest + 1, now)
          if (outcome.type === 'committed') latest = outcome.version
          outcomes.push(outcome)
        }
        this.#trimmer.afterCommits(writes.length, latest, now)
        return { type: 'done', outcomes }
      })
      this.#seenVersion = latest
      return result
    })
  }

  clear(): Promise<void> {
    const { allKeys, appendLog, removeAll } = this.#statements
    return this.#run(() =>
      this.#transaction('BEGIN IMMEDIATE', () => {
        let version = this.#latestVersion()
        for (let last: Uint8Array | undefined = noKey; last !== undefined; ) {
          const keys: (readonly [Uint8Array])[] = allKeys.all(last, keysPerLogRow)
          if (keys.length > 0 || last === noKey) {
            version += 1
            for (const [key] of keys) this.#log.add('delete', key)
            appendLog.run(version, Date.now(), this.#log.take())
          }
          last = keys.at(-1)?.[0]
        }
        removeAll.run()
      }),
    )
  }

  nextExpiry(): Promise<number | null> {
    return this.#run(() => this.#statements.nextExpiry.get()![0])
  }

  sweep(limit: number): Promise<SweepOutcome> {
    const { expired, remove, appendLog, nextExpiry } = this.#statements
    return this.#run(() =>
      this.#transaction('BEGIN IMMEDIATE', () => {
        const now = Date.now()
        const keys = expired.all(now, limit)
        for (const [key] of keys) {
          remove.run(key)
          this.#log.add('expire', key)
        }
        if (keys.length > 0) appendLog.run(this.#latestVersion() + 1, now, this.#log.take())
        return { removed: keys.length, next: nextExpiry.get()![0] }
      }),
    )
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  async destroy(): Promise<void> {
    this.#connection.close()
    for (const file of databaseFiles(this.#options.path)) rmSync(file, { force: true })
  }

  /** Runs `attempt` at once, and again later while other connections are in its way. */
  #run<T>(attempt: () => T): Promise<T> {
    try {
      assertOpen(this.#connection)
      return Promise.resolve(attempt())
    } catch (error) {
      if (!isBusy(error)) return Promise.reject(toKvError(error))
      return retryBusy(() => {
        assertOpen(this.#connection)
        return attempt()
      }, this.#options.busyTimeout)
    }
  }

  #transaction<T>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', body: () => T): T {
    const connection = this.#connection
    const { beginRead, beginWrite, commit, rollback } = this.#statements.control
    ;(begin === 'BEGIN' ? beginRead : beginWrite).run()
    try {
      const result = body()
      commit.run()
      return result
    } finally {
      if (connection.inTransaction) {
        rollback.run()
        this.#log.reset()
      }
    }
  }

  #commitOne(write: AtomicWrite, version: number, now: number): CommitOutcome {
    const context: ApplyContext = {
      statements: this.#statements,
      uniqueIndexes: this.#uniqueIndexes,
      log: this.#log,
      version,
      now,
    }
    if (write.checks.length > 0) {
      const conflicts = failedChecks(write.checks, context)
      if (conflicts.length > 0) return { type: 'conflict', conflicts }
    }
    const { savepoint, release, rollbackTo } = this.#statements.control
    const guarded = write.mutations.length > 1 || this.#uniqueIndexes.concern(write.mutations)
    if (guarded) savepoint.run()
    try {
      const touched = applyMutations(write, context)
      this.#statements.appendLog.run(version, now, this.#log.take())
      if (guarded) release.run()
      return { type: 'committed', version, touched }
    } catch (error) {
      this.#log.reset()
      if (engineCode(error) !== undefined || !this.#connection.inTransaction) throw error
      if (guarded) {
        rollbackTo.run()
        release.run()
      }
      return { type: 'failed', error }
    }
  }

  #latestVersion(): number {
    return this.#statements.latestVersion.get()![0] ?? 0
  }

  #aliveRow(key: Uint8Array): StoredRow | null {
    const row = this.#statements.get.get(key)
    if (row === undefined) return null
    const expiresAt = row[5]
    if (expiresAt !== null && expiresAt <= Date.now()) return null
    return toStoredRow(row)
  }
}

function toStoredRow(row: KvRow): StoredRow {
  return { key: row[0], value: row[1], encoding: row[2], types: row[3], version: row[4], expiresAt: row[5] }
}
