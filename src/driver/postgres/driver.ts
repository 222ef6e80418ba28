import { setTimeout as delay } from 'node:timers/promises'
import { clock } from '../../clock.ts'
import { needsOf } from '../../commit/plan.ts'
import type { LogRetention } from '../../commit/retention.ts'
import { trimOf } from '../../commit/retention.ts'
import { ConnectionError, StorageError } from '../../errors.ts'
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
  SweepOutcome,
} from '../driver.ts'
import type { DatabaseStats } from '../stats.ts'
import { BatchCommit, type CommitRequests, type Heard } from './batch-commit.ts'
import { ServerCatalog } from './catalog.ts'
import { wrongIsolation } from './commit-function.ts'
import type { Connector } from './connect.ts'
import type { Connection, Row, RunStatement, Statement } from './connection.ts'
import type { Connections } from './connections.ts'
import { channelOf } from './ddl.ts'
import { factsParameters, factsStatement, readFacts } from './facts.ts'
import { follow } from './follow.ts'
import { ServerIndexes } from './indexes.ts'
import { loggedCommit } from './log-row.ts'
import { onlyOfFiles } from './only-of-files.ts'
import { clearRows, sweepRows } from './removals.ts'
import { performRead, type Reads } from './row-reads.ts'
import type { ServerClock } from './server-clock.ts'
import { ConnectionLost, isPassing, sqlState, toKvError } from './server-error.ts'
import { PostgresSession } from './session.ts'
import { quoteName } from './sql-text.ts'
import type { Statements } from './statements.ts'
import { endTurn, takeTurn } from './turns.ts'
import type { UniqueIndexes } from './unique-indexes.ts'

/** The log may hold values: a page of it ends where it has this many bytes of changes. */
const bytesPerLogPage = 64 * 1024
/** Milliseconds before a request is made again whose connection was lost: the first time, and at the most. */
const shortestPause = 5
const longestPause = 500

export interface DriverParts {
  readonly address: string
  readonly schema: string
  readonly statements: Statements
  readonly connections: Connections
  readonly connector: Connector
  readonly clock: ServerClock
  readonly unique: UniqueIndexes
  readonly reads: Reads
  readonly options: {
    readonly readOnly: boolean
    readonly snapshotTimeout: number
    readonly busyTimeout: number
    readonly connectTimeout: number
    readonly retention: LogRetention
    readonly logValues: boolean
  }
}

/** The driver of a database in a schema of a PostgreSQL server. */
export class PostgresDriver implements Driver {
  readonly #parts: DriverParts
  readonly #heard: Heard = { latest: 0, turns: '[]' }
  readonly #requests: CommitRequests
  /** Whether a statement that writes has to say the level of isolation: the server's default is another one, and a pooler forgets ours. */
  #sayIsolation = false
  #newestOwn = 0

  constructor(parts: DriverParts) {
    this.#parts = parts
    const { statements, options, unique, clock: server } = parts
    const facts = factsStatement(parts.schema)
    this.#requests = {
      get unique() {
        return unique.fields
      },
      retention: options.retention,
      logValues: options.logValues,
      lockTimeout: options.busyTimeout,
      now: () => server.now(),
      commit: async (parameters) => (await this.#write(statements.commit, parameters))[0]!,
      facts: async (writes) => {
        const needs = needsOf(writes)
        const claims = writes.flatMap(({ claim }) => claim ?? [])
        const read = (run: RunStatement) => run(facts, factsParameters(needs))
        const find = (run: RunStatement) =>
          Promise.all(claims.map((claim) => parts.reads.queries.find(claim.query, { run })))
        const sent = Date.now()
        const [rows, found] = await this.#again(async () =>
          claims.length === 0
            ? ([await read(this.#run), []] as const)
            : this.#ofOneState(async (run) => Promise.all([read(run), find(run)])),
        )
        const known = readFacts(needs, rows)
        server.heard(known.now, sent, Date.now())
        return { known, claimable: new Map(claims.map((claim, place) => [claim, found[place]!])) }
      },
      holders: (plan) =>
        this.#again(async () => {
          unique.know(await new ServerIndexes(parts.schema, this.#run).built())
          return unique.holdersOf(plan.rows, this.#run)
        }),
      trim: (trim) => this.#trim(trim),
      catalog: async () => {
        const catalog = await this.#again(async () => {
          const built = await new ServerIndexes(parts.schema, this.#run).built()
          unique.know(built)
          return new ServerCatalog(parts.schema, this.#run).read(built)
        })
        return { type: 'stale', catalog }
      },
    }
  }

  read<R extends Read>(request: R, signal?: AbortSignal): Promise<ResultOf<R>> {
    return this.#again(() => {
      signal?.throwIfAborted()
      const run = isShort(request) ? this.#run : this.#runLong
      return performRead(this.#parts.reads, request, { run })
    })
  }

  session(_use: SessionUse): Session {
    const { connections, statements, reads, options } = this.#parts
    return new PostgresSession({
      reads,
      statements,
      snapshotTimeout: options.snapshotTimeout,
      lease: () => this.#again(() => connections.lease()),
      giveBack: (connection: Connection) => connections.giveBack(connection),
      toKvError: (error) => this.#toKvError(error),
    })
  }

  now(): number {
    return this.#parts.clock.now()
  }

  async latestVersion(): Promise<number> {
    const [row] = await this.#again(() => this.#run(this.#parts.statements.latest, []))
    return row![0] as number
  }

  async commit(batch: CommitBatch): Promise<BatchOutcome> {
    this.#parts.connections.assertOpen()
    try {
      const outcome = await new BatchCommit(batch, this.#requests, this.#heard).commit()
      if (outcome.type === 'done') {
        const last = outcome.outcomes.findLast(({ type }) => type === 'committed')
        if (last?.type === 'committed') this.#newestOwn = last.version
      }
      return outcome
    } catch (error) {
      throw this.#toKvError(error)
    }
  }

  takeTurn(id: string, hold: number): Promise<boolean> {
    return this.#again(() => takeTurn(this.#parts.statements, this.#write, id, hold))
  }

  endTurn(id: string): Promise<void> {
    return this.#again(() => endTurn(this.#parts.statements, this.#write, id))
  }

  async commitsSince(version: number, limit: number): Promise<LogPage> {
    const { logSince } = this.#parts.statements
    const rows = await this.#again(() => this.#run(logSince, [version, limit, bytesPerLogPage]))
    const [latest, oldest] = rows[0] as [number, number]
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

  follow(signal: AbortSignal): AsyncIterable<number | null> {
    const { connector, schema } = this.#parts
    return follow(
      {
        connect: (isWanted) => connector.again(isWanted),
        channel: channelOf(schema),
        latest: () => this.latestVersion(),
        notify: async (channel, payload) => {
          await this.#run({ text: 'select pg_notify($1, $2)' }, [channel, payload])
        },
        isOwn: (version) => version === this.#newestOwn,
      },
      signal,
    )
  }

  stats(): Promise<DatabaseStats> {
    return onlyOfFiles(this.#parts.address, 'verify')
  }

  async clear(): Promise<void> {
    const { statements, options } = this.#parts
    const { before, latest } = await this.#again(() =>
      clearRows(statements, this.#write, options.busyTimeout),
    )
    await this.#trimAfter(before, latest)
  }

  async nextExpiry(of?: CollectionExpiry): Promise<number | null> {
    const { nextExpiry, nextExpiryOf } = this.#parts.statements
    const [row] = await this.#again(() =>
      of === undefined ? this.#run(nextExpiry, []) : this.#run(nextExpiryOf, [of.after, of.collection]),
    )
    return row![0] as number | null
  }

  async sweep(limit: number): Promise<SweepOutcome> {
    const { statements, options } = this.#parts
    const { removed, next, latest } = await this.#again(() =>
      sweepRows(statements, this.#write, limit, options.busyTimeout),
    )
    if (removed > 0) await this.#trimAfter(latest - 1, latest)
    return { removed, next }
  }

  backup(): Promise<Backup> {
    return onlyOfFiles(this.#parts.address, 'backup')
  }

  async close(): Promise<void> {
    await this.#parts.connections.end()
  }

  assertWritable(): void {
    if (!this.#parts.options.readOnly) return
    throw new StorageError('25006', 'The database is opened with readOnly: its schema stays')
  }

  async destroy(): Promise<void> {
    this.assertWritable()
    await this.close()
    const { connector, schema } = this.#parts
    const connection = await connector.first()
    try {
      await connection.execute(`drop schema if exists ${quoteName(schema)} cascade`)
    } finally {
      await connection.end()
    }
  }

  readonly #run: RunStatement = (statement, values) => this.#parts.connections.run(statement, values)
  readonly #runLong: RunStatement = (statement, values) => this.#parts.connections.runLong(statement, values)

  /** Reads that are sent all at once, of one state. */
  #ofOneState<T>(read: (run: RunStatement) => Promise<T>): Promise<T> {
    return this.#parts.connections.withOne(async (connection) => {
      const begun = connection.execute('begin isolation level repeatable read read only')
      const found = read((statement, values) => connection.run(statement, values))
      const [first, second] = await Promise.allSettled([begun, found, connection.execute('commit')])
      if (first.status === 'rejected') throw first.reason
      if (second.status === 'rejected') throw second.reason
      return second.value
    })
  }

  /** Runs a statement that writes, in a transaction of its own at the level that a commit needs. */
  readonly #write = async (statement: Statement, values: readonly unknown[]): Promise<Row[]> => {
    if (!this.#sayIsolation) {
      try {
        return await this.#run(statement, values)
      } catch (error) {
        if (sqlState(error) !== wrongIsolation) throw error
        this.#sayIsolation = true
      }
    }
    return this.#parts.connections.withOne(async (connection) => {
      const [begun, rows, committed] = await Promise.allSettled([
        connection.execute('begin isolation level read committed'),
        connection.run(statement, values),
        connection.commit(),
      ])
      if (begun.status === 'rejected') throw begun.reason
      if (rows.status === 'rejected') throw rows.reason
      if (committed.status === 'rejected') throw committed.reason
      // A commit of a transaction that has failed is answered too, as undone.
      if (!committed.value) throw new StorageError('40000', 'The server has undone the transaction')
      return rows.value
    })
  }

  /** Makes a request again where its connection was lost, or where others were in its way, until `connectTimeout` is over. */
  async #again<T>(request: () => Promise<T>): Promise<T> {
    const began = clock()
    for (let pause = shortestPause; ; pause = Math.min(2 * pause, longestPause)) {
      this.#parts.connections.assertOpen()
      try {
        return await request()
      } catch (error) {
        const isOver = clock() - began >= this.#parts.options.connectTimeout
        if (isOver || !(error instanceof ConnectionLost || isPassing(error))) throw this.#toKvError(error)
      }
      await delay(pause * (0.5 + Math.random() / 2))
    }
  }

  async #trimAfter(before: number, latest: number): Promise<void> {
    const { options, clock: server } = this.#parts
    const trim = trimOf(options.retention, before, latest, server.now())
    if (trim !== null) await this.#trim(trim)
  }

  async #trim({ look, newest, upTo, before }: NonNullable<ReturnType<typeof trimOf>>): Promise<void> {
    // Of an unlimited log, no row is of a time before all.
    const time = Number.isFinite(before) ? Math.floor(before) : 0
    const last = Number.isFinite(upTo) ? upTo : 0
    try {
      await this.#run(this.#parts.statements.trim, [look, newest, last, time])
    } catch {
      // What is written is written: the next one trims the more.
    }
  }

  #toKvError(error: unknown): unknown {
    if (this.#parts.connections.isClosed && error instanceof ConnectionLost) return new ConnectionError(false)
    return toKvError(error, this.#parts.options.busyTimeout)
  }
}

/** Whether a read takes next to no time, so that others may wait behind it. */
function isShort({ type }: Read): boolean {
  return type === 'get' || type === 'getMany' || type === 'exists' || type === 'explain'
}
