// The driver of PostgreSQL implements the whole port; each method is short and calls the room that does the work.
import type { Catalog, Collection } from '../../catalog/catalog.ts'
import { begin } from '../../commit/withdrawal.ts'
import { ConnectionError, StorageError } from '../../contract/errors.ts'
import type { Backup } from '../backup.ts'
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
import type { DatabaseStats, LoggedSize, Sizes } from '../stats.ts'
import { BatchCommit, type Heard } from './commit/batch-commit.ts'
import { type CommitParts, CommitRequests } from './commit/commit-requests.ts'
import { Requests } from './commit/requests.ts'
import { endTurn, takeTurn } from './commit/turns.ts'
import type { ServerDrizzle } from './drizzle.ts'
import { onlyOfFiles } from './only-of-files.ts'
import { clearRows, sweepRows } from './removals.ts'
import { performRead, type Reads } from './row-reads.ts'
import { storedRow } from './rows/kv-row.ts'
import { loggedCommit } from './rows/log-row.ts'
import { metaRow } from './rows/meta-row.ts'
import type { Statements } from './rows/statements.ts'
import type { Connector } from './server/connect.ts'
import type { Connection } from './server/connection.ts'
import type { Connections } from './server/connections.ts'
import { follow } from './server/follow.ts'
import type { ServerClock } from './server/server-clock.ts'
import { ConnectionLost } from './server/server-error.ts'
import { quoteName } from './server/sql-text.ts'
import type { Statement } from './server/statement.types.ts'
import { beginningOf, PostgresSession } from './session.ts'
import { ServerCatalog } from './tables/catalog.ts'
import { CatalogGuard } from './tables/catalog-guard.ts'
import { channelOf } from './tables/ddl.ts'
import { ServerIndexes } from './tables/indexes.ts'
import type { UniqueIndexes } from './tables/unique-indexes.ts'
import { bigints, byteas } from './values/binary-array.ts'

/** How many bytes of changes end a page of the log, which may contain values. */
const bytesPerLogPage = 64 * 1024

export interface DriverParts {
  readonly address: string
  readonly schema: string
  readonly statements: Statements
  readonly connections: Connections
  readonly connector: Connector
  readonly clock: ServerClock
  readonly unique: UniqueIndexes
  readonly reads: Reads
  readonly plain: ServerDrizzle
  readonly declared: readonly Collection[]
  /** As it was when the database was opened. */
  readonly catalog: Catalog
  readonly options: CommitParts['options'] & {
    readonly readOnly: boolean
    readonly snapshotTimeout: number
    readonly connectTimeout: number
  }
}

/** The driver of a database in a schema of a PostgreSQL server. */
export class PostgresDriver implements Driver {
  readonly #parts: DriverParts
  readonly #requests: Requests
  readonly #commits: CommitRequests
  readonly #guard: CatalogGuard
  readonly #beginning: readonly Statement[]
  readonly #heard: Heard = { latest: 0, turns: '[]', undisturbed: 0 }
  readonly #sessions = new Set<PostgresSession>()
  /** The reads of the newest version that are running. */
  readonly #looks = new Set<Promise<unknown>>()
  #newestOwn = 0

  constructor(parts: DriverParts) {
    this.#parts = parts
    const { connections, statements, options, declared, catalog: opened } = parts
    const requests = new Requests(connections, options)
    this.#requests = requests
    this.#commits = new CommitRequests({ ...parts, requests, queries: parts.reads.queries })
    const version = async () => metaRow((await requests.run(statements.state, []))[0])[1] as number
    this.#beginning = beginningOf(options.snapshotTimeout)
    this.#guard = new CatalogGuard({ declared, opened, version, catalog: (run) => this.#catalog(run) })
  }

  read<R extends Read>(request: R, signal?: AbortSignal): Promise<ResultOf<R>> {
    const { run, runLong } = this.#requests
    return this.#requests.again(() => {
      signal?.throwIfAborted()
      return this.#guard.watch(request, isShort(request) ? run : runLong, (watched) =>
        performRead(this.#parts.reads, request, { run: watched }),
      )
    })
  }

  session(use: SessionUse): Session {
    const { connections, statements, reads, options } = this.#parts
    const session: PostgresSession = new PostgresSession({
      reads,
      statements,
      guard: this.#guard,
      requests: this.#requests,
      snapshotTimeout: options.snapshotTimeout,
      beginning: this.#beginning,
      lease: () => connections.lease(use),
      giveBack: (connection) => connections.giveBack(connection),
      began: () => void this.#sessions.add(session),
      ended: () => void this.#sessions.delete(session),
    })
    return session
  }

  /** The query runs before the lock is taken. */
  mayClaimInPlace(): boolean {
    return true
  }

  now(): number {
    return this.#parts.clock.now()
  }

  async latestVersion(): Promise<number> {
    const look = this.#latest()
    this.#looks.add(look)
    try {
      return await look
    } finally {
      this.#looks.delete(look)
    }
  }

  async #latest(connection?: Connection): Promise<number> {
    const { latest } = this.#parts.statements
    const [row] = await (connection?.run(latest) ??
      this.#requests.again(() => this.#requests.run(latest, [])))
    return metaRow(row)[0] as number
  }

  async commit(batch: CommitBatch): Promise<BatchOutcome> {
    this.#assertWriting()
    batch.writes.forEach(begin)
    if (this.#looks.size > 0) await this.#afterLooks()
    try {
      const outcome = await new BatchCommit(batch, this.#commits, this.#heard).commit()
      if (outcome.type === 'done') {
        const last = outcome.outcomes.findLast(({ type }) => type === 'committed')
        if (last?.type === 'committed') this.#newestOwn = last.version
      }
      return outcome
    } catch (error) {
      throw this.#requests.toKvError(error)
    }
  }

  async takeTurn(id: string, hold: number): Promise<boolean> {
    this.#assertWriting()
    return this.#requests.again(() => takeTurn(this.#parts.statements, this.#requests.write, id, hold))
  }

  endTurn(id: string): Promise<void> {
    return this.#requests.again(() => endTurn(this.#parts.statements, this.#requests.write, id))
  }

  async commitsSince(version: number, limit: number): Promise<LogPage> {
    const { logSince } = this.#parts.statements
    await this.#commits.trimmed
    const rows = await this.#requests.again(() =>
      this.#requests.run(logSince, [version, limit, bytesPerLogPage]),
    )
    const [latest, oldest] = metaRow(rows[0]) as [number, number]
    const commits = rows
      .filter(([, , found]) => found !== null)
      .map(([, , found, at, keys, kinds, changes]) =>
        loggedCommit(
          found as number,
          at as number,
          keys as Buffer[],
          kinds as Buffer,
          changes as Buffer | null,
        ),
      )
    return { commits, oldest, latest }
  }

  async rowsOfVersions(written: readonly WrittenVersion[], bytes: number): Promise<(StoredRow | null)[]> {
    const { rowsOfVersions } = this.#parts.statements
    const keys = byteas(written.map(({ key }) => key))
    const versions = bigints(written.map(({ version }) => version))
    const rows = await this.#requests.again(() => this.#requests.run(rowsOfVersions, [keys, versions, bytes]))
    return rows.map((row) => (row[4] === null ? null : storedRow(row)))
  }

  follow(since: number, signal: AbortSignal): AsyncIterable<number | null> {
    const { connector, schema } = this.#parts
    return follow(
      {
        connect: (isWanted) => connector.again(isWanted),
        channel: channelOf(schema),
        latest: (connection) => this.#latest(connection),
        notify: async (channel, payload) => {
          await this.#requests.run({ text: 'select pg_notify($1, $2)' }, [channel, payload])
        },
        isOwn: (version) => version === this.#newestOwn,
      },
      since,
      signal,
    )
  }

  async stats(signal?: AbortSignal): Promise<DatabaseStats> {
    const { readStats } = await import('./stats.ts')
    const { schema } = this.#parts
    await this.#commits.trimmed
    const stats = await this.#requests.again(async () => {
      const built = await this.#indexes().built()
      const { collections } = await this.#catalog()
      const known = collections.map(({ name }) => name)
      return readStats({
        run: this.#requests.runLong,
        schema,
        known,
        built,
        assertWanted: () => signal?.throwIfAborted(),
      })
    })
    const ages = [...this.#sessions].map((session) => session.age)
    return { ...stats, oldestSnapshot: ages.length === 0 ? null : Math.max(...ages) }
  }

  async sizes(): Promise<Sizes> {
    const { readSizes } = await import('./stats.ts')
    return this.#requests.again(() => readSizes(this.#requests.run, this.#parts.schema))
  }

  async lastCommits(limit: number): Promise<readonly LoggedSize[]> {
    const { readLastCommits } = await import('./stats.ts')
    return this.#requests.again(() => readLastCommits(this.#requests.run, this.#parts.schema, limit))
  }

  async clear(signal?: AbortSignal): Promise<void> {
    this.#assertWriting()
    if (this.#looks.size > 0) await this.#afterLooks()
    signal?.throwIfAborted()
    const { statements, options } = this.#parts
    try {
      const { before, latest } = await clearRows(statements, this.#requests.write, options.busyTimeout)
      await this.#commits.trimAfter(before, latest)
    } catch (error) {
      // Repeating it would remove what others have written since.
      if (error instanceof ConnectionLost) throw new ConnectionError(null, { cause: error.cause })
      throw this.#requests.toKvError(error)
    }
  }

  async nextExpiry(of?: CollectionExpiry): Promise<number | null> {
    const { nextExpiry, nextExpiryOf } = this.#parts.statements
    const [row] = await this.#requests.again(() =>
      of === undefined
        ? this.#requests.run(nextExpiry, [])
        : this.#requests.run(nextExpiryOf, [of.after, of.collection]),
    )
    return row![0] as number | null
  }

  async sweep(limit: number): Promise<SweepOutcome> {
    this.#assertWriting()
    const { statements, options } = this.#parts
    const { removed, next, latest } = await this.#requests.again(() =>
      sweepRows(statements, this.#requests.write, limit, options.busyTimeout),
    )
    if (removed > 0) await this.#commits.trimAfter(latest - 1, latest)
    return { removed, next }
  }

  backup(): Promise<Backup> {
    return onlyOfFiles(this.#parts.address, 'backup')
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.end()
    await Promise.all([this.#parts.connections.end(), this.#parts.plain.end()])
  }

  assertWritable(outcome = 'nothing was written'): void {
    if (!this.#parts.options.readOnly) return
    throw new StorageError('25006', `The database was opened with readOnly: ${outcome}`)
  }

  async destroy(): Promise<void> {
    this.assertWritable('its schema stays')
    await this.close()
    const { connector, schema } = this.#parts
    const connection = await connector.first()
    try {
      await connection.execute(`drop schema if exists ${quoteName(schema)} cascade`)
    } catch (error) {
      throw this.#requests.toKvError(error)
    } finally {
      await connection.end()
    }
  }

  /**
   * Waits for reads of the newest version that have begun, so that a write after them, even on another connection, has a newer
   * version. So a feed has everything that is written after the call that begins it.
   */
  async #afterLooks(): Promise<void> {
    await Promise.allSettled(this.#looks)
  }

  #assertWriting(): void {
    this.#parts.connections.assertOpen()
    this.assertWritable()
  }

  #catalog(run = this.#requests.run): Promise<Catalog> {
    return new ServerCatalog(this.#parts.schema, run).read()
  }

  #indexes(): ServerIndexes {
    return new ServerIndexes(this.#parts.schema, this.#requests.run)
  }
}

/** Whether a read takes so little time that others may wait behind it. */
function isShort({ type }: Read): boolean {
  return type === 'get' || type === 'getMany' || type === 'exists' || type === 'explain'
}
