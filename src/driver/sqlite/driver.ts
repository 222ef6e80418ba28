// The driver of SQLite implements the whole port; each method is short and calls the room that does the work.
import type { CommitOutcome } from '../../commit/write.ts'
import type { FindPlan, Planned } from '../../query/plan.ts'
import { clock } from '../../time/clock.ts'
import { waited } from '../../trace/waiting.ts'
import type { Backup, BackupOptions } from '../backup.ts'
import type {
  BatchOutcome,
  CollectionExpiry,
  CommitBatch,
  Driver,
  LogPage,
  Read,
  ResultOf,
  Session,
  SessionUse,
  StoredRow,
  SweepOutcome,
  WrittenVersion,
} from '../driver.ts'
import { lookForCommits } from '../look-for-commits.ts'
import type { DatabaseStats, LoggedSize, Sizes } from '../stats.ts'
import { RunningBackups } from './backup/running-backups.ts'
import { endTurn, takeTurn } from './commit/turns.ts'
import { Checkpointer } from './connections/checkpointer.ts'
import type { ConnectionPool } from './connections/connection-pool.ts'
import { foreignCommits } from './connections/foreign-commits.ts'
import type {
  ConnectionParts,
  PooledConnection,
  SqliteDriverOptions,
} from './connections/pooled-connection.ts'
import { inSweep } from './file/connection.ts'
import type { DatabaseFile } from './file/database-file.ts'
import { memoryPath } from './file/database-path.ts'
import { removeEmptyLog } from './file/empty-log.ts'
import {
  assertOpen,
  engineCode,
  isPassing,
  isReadOnly,
  isUnanswerable,
  openedToRead,
  toKvError,
} from './file/engine-error.ts'
import { LockShare } from './file/lock-share.ts'
import { removeFiles } from './file/remove-files.ts'
import { type Run, retryBusy } from './file/retry-busy.ts'
import type { Connection } from './module/sqlite-module.ts'
import { readLogPage } from './reads/log-page.ts'
import { performRead } from './reads/row-reads.ts'
import { clearRows, nextExpiry, sweepPastDamage, sweepRows } from './removals.ts'
import { concernsDamaged } from './rows/damaged-rows.ts'
import { latestVersion } from './rows/statements.ts'
import { FileSession } from './sessions/file-session.ts'
import { MemorySession, ReplacedRows } from './sessions/memory-session.ts'
import { fewKeys, SlicedReads } from './sessions/sliced-reads.ts'
import { Snapshots } from './sessions/snapshots.ts'

/** How many queries are read in slices at a time: each needs a connection. */
const mostSlicing = 8

/** The driver of an SQLite file, or of a database in memory. Each call works on one connection, without a pause. */
export class SqliteDriver implements Driver {
  readonly #pool: ConnectionPool
  /** `null` for a database in memory. */
  readonly #file: DatabaseFile | null
  readonly #snapshots: Snapshots
  /** Only for a database in memory. */
  readonly #replaced: ReplacedRows | null
  readonly #sliced: SlicedReads
  readonly #backups: RunningBackups
  /** Only for a writable file. */
  readonly #checkpointer: Checkpointer | undefined
  readonly #options: SqliteDriverOptions
  readonly #share = new LockShare()
  /** The newest version that a batch of this driver got. */
  #newestOwn = 0

  constructor(pool: ConnectionPool, { file, options }: Pick<ConnectionParts, 'file' | 'options'>) {
    this.#pool = pool
    this.#file = file
    this.#options = options
    this.#sliced = new SlicedReads(pool)
    this.#backups = new RunningBackups(pool, file, options.busyTimeout)
    this.#snapshots = new Snapshots(pool, options.snapshotTimeout)
    this.#replaced = file === null ? new ReplacedRows(pool.top) : null
    if (file === null || options.readOnly) return
    const early = process.platform === 'linux' && options.durability === 'normal'
    this.#checkpointer = new Checkpointer(file.path, pool, () => !this.#snapshots.isEmpty, early)
  }

  read<R extends Read>(request: R, signal?: AbortSignal): Promise<ResultOf<R>> {
    if (request.type === 'get') return this.#get(request.key) as Promise<ResultOf<R>>
    const isOfMany = request.type === 'getMany' && request.keys.length > fewKeys
    if (isOfMany && this.#replaced === null) return this.#ofSession(request, signal)
    return this.#onTop<ResultOf<R>>((connection) => {
      const { reads, transactions, catalog } = connection
      const now = Date.now()
      this.#file?.assertThereAt(now)
      if (request.type === 'find' && this.#maySlice && reads.queries.mayFindMuch(request.query)) {
        return this.#sliced.read(
          { connection, reads, request, now, signal },
          this.#owner(connection),
        ) as Promise<ResultOf<R>>
      }
      // A read of several statements needs one state.
      const isOne = request.type !== 'getMany' && request.type !== 'count'
      const result = isOne
        ? performRead(reads, request, now)
        : transactions.run('read', () => performRead(reads, request, now))
      catalog.assertFits(request)
      return result
    })
  }

  #get(key: Uint8Array): Promise<StoredRow | null> {
    return this.#run(() => {
      const now = Date.now()
      this.#file?.assertThereAt(now)
      return this.#pool.hot.find(key, now) ?? this.#getCold(key, now)
    })
  }

  #getCold(key: Uint8Array, now: number): StoredRow | null {
    const { database, reads, hot } = this.#pool.top
    // The logger of a program may call `get`, too: before this statement, and between those of a commit.
    const { asked } = hot
    const row = reads.get(key, now)
    if (row !== null && asked !== null && !database.inTransaction) hot.keep(asked, row)
    return row
  }

  /** Several statements with pauses in between read one state only in a session. */
  async #ofSession<R extends Read>(request: R, signal: AbortSignal | undefined): Promise<ResultOf<R>> {
    const session = this.session('call')
    try {
      return await session.read(request, signal)
    } finally {
      session.end()
    }
  }

  /** A database in memory has no other connection for calls during the pauses. */
  get #maySlice(): boolean {
    return this.#replaced === null && this.#sliced.count < mostSlicing
  }

  #owner(connection: PooledConnection) {
    return {
      keep: () => void this.#pool.take(),
      assertWanted: () => {},
      giveBack: () => this.#pool.giveBack(connection),
    }
  }

  session(use: SessionUse): Session {
    return this.#replaced === null
      ? new FileSession(this.#snapshots, this.#sliced, use, this.#run)
      : new MemorySession(this.#pool.top, this.#replaced, this.#run)
  }

  now(): number {
    return Date.now()
  }

  latestVersion(): Promise<number> {
    return this.#onTop(({ statements }) => {
      this.#file?.assertThereAt(Date.now())
      return latestVersion(statements)
    })
  }

  commit(batch: CommitBatch): Promise<BatchOutcome> {
    return this.#run(
      () => {
        this.#checkpointer?.wrote()
        const began = clock()
        const outcome = this.#passingOverDamage(
          ({ batches }) => batches.commit(batch),
          ({ statements }) => concernsDamaged(batch, statements),
        )
        this.#share.used(began, clock(), batch.writes.length)
        if (outcome.type === 'done') this.#notice(batch, outcome.outcomes)
        return outcome
      },
      () => this.#share.due(clock(), this.#options.busyTimeout, this.#latest),
    )
  }

  mayClaimInPlace(query: Planned<FindPlan>): boolean {
    assertOpen(this.#pool)
    return this.#pool.top.reads.queries.isFast(query)
  }

  #notice({ writes }: CommitBatch, outcomes: readonly CommitOutcome[]): void {
    this.#checkpointer?.committed(writes, outcomes)
    const last = outcomes.findLast(({ type }) => type === 'committed')
    if (last?.type === 'committed') this.#newestOwn = last.version
  }

  takeTurn(id: string, hold: number): Promise<boolean> {
    return this.#onTop((connection) => takeTurn(connection, id, hold))
  }

  endTurn(id: string): Promise<void> {
    return this.#onTop((connection) => endTurn(connection, id))
  }

  commitsSince(version: number, limit: number): Promise<LogPage> {
    return this.#onTop(({ statements, transactions }) => {
      this.#file?.assertThereAt(Date.now())
      return transactions.run('read', () => readLogPage(statements, version, limit))
    })
  }

  rowsOfVersions(written: readonly WrittenVersion[], bytes: number): Promise<(StoredRow | null)[]> {
    return this.#onTop(({ reads, transactions }) => {
      this.#file?.assertThereAt(Date.now())
      return transactions.run('read', () => reads.ofVersions(written, bytes))
    })
  }

  follow(_since: number, signal: AbortSignal): AsyncIterable<number | null> {
    const newestOfOthers = foreignCommits(this.#pool, this.#file, () => this.#newestOwn)
    const look = () => {
      try {
        return this.#attempt(newestOfOthers)
      } catch (error) {
        throw isPassing(error) ? error : toKvError(error)
      }
    }
    return lookForCommits(look, signal)
  }

  async stats(signal?: AbortSignal): Promise<DatabaseStats> {
    const { readStats } = await import('./stats.ts')
    assertOpen(this.#pool)
    const oldestSnapshot = this.#snapshots.oldestAge
    const path = this.#file?.path ?? null
    const read = (connection: Connection, pause: () => Promise<void>) =>
      readStats({ connection, path, pause })
    // A database in memory has no other connection.
    const stats = await (path === null
      ? read(this.#pool.top.database, this.#sliced.pauseFor(signal))
      : this.#sliced.onOwn(read, signal))
    return { ...stats, oldestSnapshot }
  }

  async sizes(): Promise<Sizes> {
    const { readSizes } = await import('./stats.ts')
    return this.#onTop(({ database }) => readSizes(database, this.#file?.path ?? null))
  }

  async lastCommits(limit: number): Promise<readonly LoggedSize[]> {
    const { readLastCommits } = await import('./stats.ts')
    return this.#onTop(({ database }) => readLastCommits(database, limit))
  }

  clear(signal?: AbortSignal): Promise<void> {
    this.#checkpointer?.wrote()
    return this.#onTop((connection) => clearRows(connection, this.#options.retention, signal))
  }

  nextExpiry(of?: CollectionExpiry): Promise<number | null> {
    return this.#onTop(({ statements, reads }) =>
      of === undefined ? nextExpiry(statements) : reads.nextExpiry(of),
    )
  }

  sweep(limit: number): Promise<SweepOutcome> {
    this.#checkpointer?.wrote()
    const swept = (most: number) =>
      this.#passingOverDamage((connection) =>
        inSweep(connection.database, () => sweepRows(connection, this.#options.retention, most)),
      )
    return this.#run(() => {
      // Without expired rows, SQLite would find nothing to refuse.
      this.assertWritable()
      return sweepPastDamage(swept, limit)
    })
  }

  backup(target: string, options: BackupOptions): Promise<Backup> {
    return this.#backups.start(target, options)
  }

  async close(): Promise<void> {
    this.#snapshots.close()
    const synced = this.#checkpointer?.close()
    this.#pool.end()
    await this.#sliced.settled()
    await this.#backups.close()
    this.#pool.close()
    if (this.#options.readOnly && this.#file !== null) removeEmptyLog(this.#file.path)
    this.#file?.close()
    await synced
  }

  assertWritable(outcome = 'nothing was written'): void {
    if (this.#options.readOnly) throw openedToRead(outcome)
  }

  async destroy(): Promise<void> {
    this.assertWritable('its files stay')
    await this.close()
    if (this.#file !== null) await removeFiles(this.#file, this.#options.busyTimeout)
  }

  #onTop<T>(attempt: (connection: PooledConnection) => T | Promise<T>): Promise<T> {
    return this.#run(() => attempt(this.#pool.top)) as Promise<T>
  }

  /** Works on the top connection; if damaged rows are in the way, on one that skips them. */
  #passingOverDamage<T>(
    work: (connection: PooledConnection) => T,
    isDamaged: (connection: PooledConnection) => boolean = () => true,
  ): T {
    try {
      return work(this.#pool.top)
    } catch (error) {
      // A database in memory has no other connection.
      const mayPass = isUnanswerable(error) && this.#file !== null && isDamaged(this.#pool.top)
      if (!mayPass) throw error
      return this.#pool.passingOverDamage(work)
    }
  }

  readonly #latest = (): number => latestVersion(this.#pool.top.statements)

  /** Runs `attempt` at once, and again later while other connections are in its way. */
  readonly #run: Run = (attempt, due) => {
    try {
      return Promise.resolve(this.#attempt(attempt))
    } catch (error) {
      if (!isPassing(error)) return Promise.reject(toKvError(error))
      const retrying = retryBusy(() => this.#attempt(attempt), this.#options.busyTimeout, due?.())
      return waited(this.#file?.path ?? memoryPath, 'lock', retrying)
    }
  }

  #attempt<T>(attempt: () => T): T {
    assertOpen(this.#pool)
    try {
      return attempt()
    } catch (error) {
      if (!isReadOnly(error)) throw error
      if (this.#options.readOnly)
        throw engineCode(error) === 'SQLITE_READONLY'
          ? openedToRead('nothing was written', { cause: error })
          : error
      // The engine falls back to read-only if it cannot open the file otherwise, for example while the process has too many files
      // open.
      this.#pool.renew()
      return attempt()
    }
  }
}
