import { rmSync } from 'node:fs'
import type Database from 'better-sqlite3'
import type { Logger } from 'drizzle-orm/logger'
import type { AtomicWrite, CommitOutcome, Mutation, ReadSet } from '../../commit/write.ts'
import type { KeyRange } from '../../key/range.ts'
import type { Planned } from '../../query/plan.ts'
import type {
  BatchOutcome,
  Catalog,
  CommitBatch,
  Driver,
  Explanation,
  KeyedRow,
  LoggedCommit,
  LogPage,
  QueryRow,
  Read,
  ReadResults,
  Scan,
  SnapshotOutcome,
  StoredRow,
  SweepOutcome,
} from '../driver.ts'
import { type ApplyContext, applyMutations, failedChecks } from './apply-write.ts'
import { readCatalog } from './catalog.ts'
import { ChangeLog, readChanges } from './change-log.ts'
import { changedReads } from './changed-reads.ts'
import { CollectionStatements } from './collection-statements.ts'
import { databaseFiles } from './connection.ts'
import { assertOpen, engineCode, isBusy, toKvError } from './engine-error.ts'
import { type LogRetention, LogTrimmer } from './log-retention.ts'
import { type OnUnindexed, QueryRunner } from './query/query-runner.ts'
import { retryBusy } from './retry-busy.ts'
import { performRead, RowReads, toStoredRow } from './row-reads.ts'
import { prepareStatements, type Statements } from './statements.ts'
import type { IndexedCollection, KvTables } from './table.ts'
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

/** A write without a savepoint failed, as under a unique index that another process has declared since: nothing may stay. */
class HalfApplied extends Error {}

/** The driver of an SQLite file or of a database in memory: one connection, whose calls never overlap. */
export class SqliteDriver implements Driver {
  readonly #connection: Database.Database
  readonly #tables: KvTables
  readonly #statements: Statements
  readonly #reads: RowReads
  readonly #queries: QueryRunner
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
    this.#queries = new QueryRunner(connection, collections, options)
    this.#reads = new RowReads(
      this.#statements,
      this.#queries,
      (collection) => new CollectionStatements(connection, tables, collection, options.logger),
    )
    this.#uniqueIndexes = new UniqueIndexes(connection, tables)
    this.#trimmer = new LogTrimmer(this.#statements, options.retention)
    this.#log = new ChangeLog(options.logValues)
    this.#options = options
    this.#catalogVersion = catalog.version
  }

  get(key: Uint8Array): Promise<StoredRow | null> {
    return this.#run(() => this.#reads.get(key))
  }

  getMany(keys: readonly Uint8Array[]): Promise<(StoredRow | null)[]> {
    return this.#run(() => this.#transaction('BEGIN', () => this.#reads.getMany(keys)))
  }

  exists(key: Uint8Array): Promise<boolean> {
    return this.#run(() => this.#reads.exists(key))
  }

  scan(scan: Scan): Promise<KeyedRow[]> {
    return this.#run(() => this.#reads.scan(scan))
  }

  count(collection: string, range: KeyRange | null): Promise<number> {
    return this.#run(() => this.#transaction('BEGIN', () => this.#reads.count(collection, range)))
  }

  query(query: Planned): Promise<QueryRow[]> {
    return this.#run(() => this.#reads.query(query))
  }

  explain(query: Planned): Promise<Explanation> {
    return this.#run(() => this.#queries.explain(query))
  }

  latestVersion(): Promise<number> {
    return this.#run(() => this.#latestVersion())
  }

  snapshot<R extends Read>(
    read: R,
    reads: ReadSet,
    pending: readonly Mutation[],
  ): Promise<SnapshotOutcome<ReadResults[R['type']]>> {
    const begin = pending.length === 0 ? 'BEGIN' : 'BEGIN IMMEDIATE'
    return this.#run(() => {
      if (read.type === 'get' && pending.length === 0) {
        const outcome = this.#getUnchanged(read.key, reads)
        if (outcome !== null) return outcome as SnapshotOutcome<ReadResults[R['type']]>
      }
      return this.#transaction<SnapshotOutcome<ReadResults[R['type']]>>(begin, () => {
        const version = this.#latestVersion()
        const now = Date.now()
        const conflicts = changedReads(reads, version, { statements: this.#statements, now })
        if (conflicts !== null) return { type: 'conflict', conflicts }
        if (pending.length > 0) applyMutations(pending, this.#applyContext(version + 1, now))
        const result = performRead(this.#reads, read, now) as ReadResults[R['type']]
        const validUntil = this.#reads.validUntil(read, now)
        if (pending.length > 0) this.#undo()
        return { type: 'read', version, result, validUntil }
      })
    })
  }

  commit(batch: CommitBatch): Promise<BatchOutcome> {
    return this.#run(() => {
      try {
        return this.#commitBatch(batch, false)
      } catch (error) {
        if (!(error instanceof HalfApplied)) throw error
        return this.#commitBatch(batch, true)
      }
    })
  }

  commitsSince(version: number, limit: number): Promise<LogPage> {
    const { logSince, oldestVersion } = this.#statements
    return this.#run(() =>
      this.#transaction('BEGIN', () => {
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
    const { beginRead, beginWrite, commit } = this.#statements.control
    ;(begin === 'BEGIN' ? beginRead : beginWrite).run()
    try {
      const result = body()
      if (connection.inTransaction) commit.run()
      return result
    } catch (error) {
      if (connection.inTransaction) this.#statements.control.rollback.run()
      // The engine may have rolled back by itself, as where the disk is full.
      this.#log.reset()
      throw error
    }
  }

  /** `guardAll`: every write has a savepoint to go back to. */
  #commitBatch({ catalogVersion, writes }: CommitBatch, guardAll: boolean): BatchOutcome {
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
        const outcome = this.#commitOne(write, latest + 1, now, guardAll)
        if (outcome.type === 'committed') latest = outcome.version
        outcomes.push(outcome)
      }
      this.#trimmer.afterCommits(writes.length, latest, now)
      return { type: 'done', outcomes }
    })
    this.#seenVersion = latest
    return result
  }

  #commitOne(write: AtomicWrite, version: number, now: number, guard: boolean): CommitOutcome {
    const context = this.#applyContext(version, now)
    if (write.reads !== undefined) {
      const conflicts = changedReads(write.reads, version - 1, context)
      if (conflicts !== null) return { type: 'conflict', conflicts }
    }
    if (write.checks.length > 0) {
      const conflicts = failedChecks(write.checks, context)
      if (conflicts.length > 0) return { type: 'conflict', conflicts }
    }
    const { savepoint, release, rollbackTo } = this.#statements.control
    const guarded = guard || this.#mayFail(write.mutations)
    if (guarded) savepoint.run()
    try {
      const touched = applyMutations(write.mutations, context)
      this.#statements.appendLog.run(version, now, this.#log.take())
      if (guarded) release.run()
      return { type: 'committed', version, touched }
    } catch (error) {
      this.#log.reset()
      if (engineCode(error) !== undefined || !this.#connection.inTransaction) throw error
      // A single sum, min or max fails before it has changed anything.
      if (!guarded && !(write.mutations.length === 1 && isArithmetic(write.mutations[0]!)))
        throw new HalfApplied()
      if (guarded) {
        rollbackTo.run()
        release.run()
      }
      return { type: 'failed', error }
    }
  }

  /** Whether a mutation may turn out not to be possible when others have been made; a savepoint costs as much as a mutation. */
  #mayFail(mutations: readonly Mutation[]): boolean {
    if (this.#uniqueIndexes.concern(mutations)) return true
    return mutations.length > 1 && mutations.some(isArithmetic)
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
    return this.#statements.latestVersion.get()![0] ?? 0
  }

  #applyContext(version: number, now: number): ApplyContext {
    return { statements: this.#statements, uniqueIndexes: this.#uniqueIndexes, log: this.#log, version, now }
  }

  #undo(): void {
    this.#statements.control.rollback.run()
    this.#log.reset()
  }
}

function isArithmetic({ type }: Mutation): boolean {
  return type === 'sum' || type === 'min' || type === 'max'
}
