import { rmSync } from 'node:fs'
import type Database from 'better-sqlite3'
import type { Logger } from 'drizzle-orm/logger'
import type { Catalog, Collection } from '../../catalog/catalog.ts'
import type { Mutation, ReadSet } from '../../commit/write.ts'
import type {
  BatchOutcome,
  CommitBatch,
  Driver,
  LoggedCommit,
  LogPage,
  Read,
  ResultOf,
  SnapshotOutcome,
  StoredRow,
  SweepOutcome,
} from '../driver.ts'
import { type ApplyContext, applyMutations } from './apply-write.ts'
import { BatchCommit } from './batch-commit.ts'
import { CatalogGuard } from './catalog-guard.ts'
import { ChangeLog, readChanges } from './change-log.ts'
import { changedReads } from './changed-reads.ts'
import { CollectionStatements } from './collection-statements.ts'
import { databaseFiles } from './connection.ts'
import { assertOpen, isBusy, toKvError } from './engine-error.ts'
import { type LogRetention, LogTrimmer } from './log-retention.ts'
import { type OnUnindexed, QueryRunner } from './query/query-runner.ts'
import { retryBusy } from './retry-busy.ts'
import { performRead, RowReads, toStoredRow } from './row-reads.ts'
import { latestVersion, prepareStatements, type Statements } from './statements.ts'
import type { KvTables } from './table.ts'
import { Transactions } from './transactions.ts'
import { UniqueIndexes } from './unique-indexes.ts'

export interface SqliteDriverOptions {
  readonly path: string
  /** Milliseconds for which a call retries a database that others have locked. */
  readonly busyTimeout: number
  readonly retention: LogRetention
  /** Keep the values in `kv_log`. */
  readonly logValues: boolean
  /** What to do with a query whose plan reads a whole collection. */
  readonly onUnindexed: OnUnindexed
  readonly logger?: Logger | undefined
}

const keysPerLogRow = 10_000
/** The log may hold values: a page of it ends where it has this many bytes of changes. */
const bytesPerLogPage = 1024 * 1024
const noKey = new Uint8Array()

/** The driver of an SQLite file or of a database in memory: one connection, whose calls never overlap. */
export class SqliteDriver implements Driver {
  readonly #connection: Database.Database
  readonly #statements: Statements
  readonly #reads: RowReads
  readonly #queries: QueryRunner
  readonly #uniqueIndexes: UniqueIndexes
  readonly #log: ChangeLog
  readonly #transactions: Transactions
  readonly #trimmer: LogTrimmer
  readonly #batches: BatchCommit
  readonly #catalog: CatalogGuard
  readonly #options: SqliteDriverOptions

  constructor(
    connection: Database.Database,
    tables: KvTables,
    collections: readonly Collection[],
    catalog: Catalog,
    options: SqliteDriverOptions,
  ) {
    this.#connection = connection
    this.#statements = prepareStatements(connection, tables, options.logger)
    this.#queries = new QueryRunner(connection, collections, options)
    this.#reads = new RowReads(
      this.#statements,
      this.#queries,
      (collection) => new CollectionStatements(connection, tables, collection, options.logger),
    )
    this.#uniqueIndexes = new UniqueIndexes(connection, tables)
    this.#log = new ChangeLog(options.logValues)
    this.#transactions = new Transactions(connection, this.#statements, this.#log)
    this.#trimmer = new LogTrimmer(this.#statements, options.retention)
    const parts = {
      connection,
      transactions: this.#transactions,
      trimmer: this.#trimmer,
      statements: this.#statements,
      uniqueIndexes: this.#uniqueIndexes,
      log: this.#log,
    }
    this.#batches = new BatchCommit(parts, catalog.version)
    this.#catalog = new CatalogGuard(connection, this.#statements, collections, catalog)
    this.#options = options
  }

  read<R extends Read>(request: R): Promise<ResultOf<R>> {
    return this.#run(() => {
      // A read of several statements is of one state.
      const isOne = request.type !== 'getMany' && request.type !== 'count'
      const result = isOne
        ? performRead(this.#reads, request)
        : this.#transactions.run('read', () => performRead(this.#reads, request))
      this.#catalog.assertFits(request)
      return result
    })
  }

  latestVersion(): Promise<number> {
    return this.#run(() => this.#latestVersion())
  }

  snapshot<R extends Read>(
    read: R,
    reads: ReadSet,
    pending: readonly Mutation[],
  ): Promise<SnapshotOutcome<ResultOf<R>>> {
    const begin = pending.length === 0 ? 'read' : 'write'
    return this.#run(() => {
      if (read.type === 'get' && pending.length === 0) {
        const outcome = this.#getUnchanged(read.key, reads)
        if (outcome !== null) return outcome as SnapshotOutcome<ResultOf<R>>
      }
      return this.#transactions.run<SnapshotOutcome<ResultOf<R>>>(begin, () => {
        const version = this.#latestVersion()
        const now = Date.now()
        const conflicts = changedReads(reads, version, { statements: this.#statements, now })
        if (conflicts !== null) return { type: 'conflict', conflicts }
        if (pending.length > 0) applyMutations(pending, this.#applyContext(version + 1, now))
        const result = performRead(this.#reads, read, now)
        this.#catalog.assertFits(read)
        const validUntil = this.#reads.validUntil(read, now)
        if (pending.length > 0) this.#transactions.undo()
        return { type: 'read', version, result, validUntil }
      })
    })
  }

  commit(batch: CommitBatch): Promise<BatchOutcome> {
    return this.#run(() => this.#batches.commit(batch))
  }

  commitsSince(version: number, limit: number): Promise<LogPage> {
    const { logSince, oldestVersion } = this.#statements
    return this.#run(() =>
      this.#transactions.run('read', () => {
        const commits: LoggedCommit[] = []
        let bytes = 0
        for (const [at, time, changes] of logSince.iterate(version, limit)) {
          commits.push({ version: at, at: time, changes: readChanges(changes) })
          bytes += changes.length
          if (bytes >= bytesPerLogPage) break
        }
        return { commits, oldest: oldestVersion.get()![0] ?? 0, latest: this.#latestVersion() }
      }),
    )
  }

  foreignCommits(): Promise<number> {
    return this.#run(() => this.#statements.control.dataVersion.get() as number)
  }

  clear(): Promise<void> {
    const { allKeys, appendLog, removeAll } = this.#statements
    return this.#run(() =>
      this.#transactions.run('write', () => {
        const before = this.#latestVersion()
        const now = Date.now()
        let version = before
        for (let last: Uint8Array | undefined = noKey; last !== undefined; ) {
          const keys: (readonly [Uint8Array])[] = allKeys.all(last, keysPerLogRow)
          if (keys.length > 0 || last === noKey) {
            version += 1
            for (const [key] of keys) this.#log.add('delete', key)
            appendLog.run(version, now, this.#log.take())
          }
          last = keys.at(-1)?.[0]
        }
        removeAll.run()
        this.#trimmer.afterCommits(before, version, now)
      }),
    )
  }

  nextExpiry(): Promise<number | null> {
    return this.#run(() => this.#statements.nextExpiry.get()![0])
  }

  sweep(limit: number): Promise<SweepOutcome> {
    const { expired, remove, appendLog, nextExpiry } = this.#statements
    return this.#run(() =>
      this.#transactions.run('write', () => {
        const now = Date.now()
        const keys = expired.all(now, limit)
        for (const [key] of keys) {
          remove.run(key)
          this.#log.add('expire', key)
        }
        if (keys.length > 0) {
          const before = this.#latestVersion()
          appendLog.run(before + 1, now, this.#log.take())
          this.#trimmer.afterCommits(before, before + 1, now)
        }
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

  /** A row in one statement, where nothing was committed since the reads that have to hold; else `null`. */
  #getUnchanged(key: Uint8Array, reads: ReadSet): SnapshotOutcome<StoredRow> | null {
    const row = this.#statements.getAtVersion.get(key)
    if (row === undefined || row[4] !== null || reads.validUntil !== null) return null
    const version = row[5]
    if (version !== reads.since && reads.keys.length + reads.ranges.length > 0) return null
    return { type: 'read', version, result: toStoredRow(row), validUntil: null }
  }

  #latestVersion(): number {
    return latestVersion(this.#statements)
  }

  #applyContext(version: number, now: number): ApplyContext {
    return { statements: this.#statements, uniqueIndexes: this.#uniqueIndexes, log: this.#log, version, now }
  }
}
