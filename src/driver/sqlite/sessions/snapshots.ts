import { SnapshotExpiredError } from '../../../contract/errors.ts'
import { clock } from '../../../time/clock.ts'
import type { SessionUse } from '../../driver.ts'
import type { ConnectionPool } from '../connections/connection-pool.ts'
import type { PooledConnection } from '../connections/pooled-connection.ts'
import { SnapshotsTaken } from '../file/engine-error.ts'
import type { Slices } from '../rows/row-slices.ts'
import { latestVersion } from '../rows/statements.ts'

/** How many may be open at a time for each use. Further ones wait, but only for those of their own use. */
const mostOpen = 32
/** With this many open, a snapshot of the newest state is shared. */
const sharedFrom = 4
/** How many milliseconds between two checks of their ages. */
const lookEvery = 1_000

/** A session that reads from a snapshot. */
interface Holder {
  /** Takes the snapshot from it. */
  expire(error: SnapshotExpiredError): void
}

/** A read transaction on a connection of its own, which keeps the state in which it began. */
export class Snapshot {
  readonly connection: PooledConnection
  readonly use: SessionUse
  /** When each of them took it, by the clock of the process. */
  readonly holders = new Map<Holder, number>()
  /** When it began, by the monotonic clock of the process, in milliseconds. */
  readonly since = clock()
  #version: number | null = null
  #slices: Slices | null = null
  #whenFree: PromiseWithResolvers<void> | null = null
  /** The age at which to report it, in milliseconds. */
  tellAt: number

  constructor(connection: PooledConnection, use: SessionUse, tellAt: number) {
    this.connection = connection
    this.use = use
    this.tellAt = tellAt
  }

  /** Resolves when the connection is free: while a query is read in slices, it does nothing else. Undefined if it is free. */
  get whenFree(): Promise<void> | undefined {
    return this.#whenFree?.promise
  }

  /** Reserves the connection for a query that is read in slices. */
  occupy(slices: Slices): void {
    this.#slices = slices
    this.#whenFree = Promise.withResolvers()
  }

  /** The query has ended, or nobody wants its rest. */
  free(slices: Slices): void {
    if (this.#slices !== slices) return
    slices.stop()
    this.#slices = null
    this.#whenFree!.resolve()
    this.#whenFree = null
  }

  get version(): number {
    this.#version ??= latestVersion(this.connection.statements)
    return this.#version
  }
}

/**
 * The open snapshots. While one is open, the engine cannot restart its write-ahead log: so a warning reports one that is held for
 * long, and none is held for longer than `timeout` milliseconds.
 */
export class Snapshots {
  readonly #pool: ConnectionPool
  readonly #timeout: number
  readonly #tellAfter: number
  readonly #open = new Set<Snapshot>()
  readonly #opened: Record<SessionUse, number> = { held: 0, call: 0 }
  #newest: Snapshot | null = null
  #timer: NodeJS.Timeout | undefined

  constructor(pool: ConnectionPool, timeout: number) {
    this.#pool = pool
    this.#timeout = timeout
    this.#tellAfter = Math.min(10_000, timeout / 10)
  }

  get isEmpty(): boolean {
    return this.#open.size === 0
  }

  /** The age of the oldest one, in milliseconds; null if none is open. */
  get oldestAge(): number | null {
    const [oldest] = this.#open
    return oldest === undefined ? null : Math.trunc(clock() - oldest.since)
  }

  /** A snapshot of the newest state. Throws SnapshotsTaken if the caller must wait, or SQLITE_BUSY. */
  hold(holder: Holder, use: SessionUse): Snapshot {
    const snapshot = this.#shared(use) ?? this.#begin(use)
    snapshot.holders.set(holder, clock())
    return snapshot
  }

  release(snapshot: Snapshot, holder: Holder): void {
    const { holders } = snapshot
    holders.delete(holder)
    if (holders.size > 0 || !this.#open.delete(snapshot)) return
    this.#opened[snapshot.use] -= 1
    if (this.#newest === snapshot) this.#newest = null
    const { connection } = snapshot
    try {
      connection.statements.control.commit.run()
    } catch {
      // In a damaged file, or after the engine has ended it. The rows were already returned, or their read has failed, and nothing
      // was written.
      if (connection.database.inTransaction) connection.statements.control.rollback.run()
      connection.shown.forget()
    }
    this.#pool.giveBack(connection)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#open.clear()
  }

  #shared(use: SessionUse): Snapshot | null {
    const newest = this.#newest
    if (newest === null || this.#open.size < sharedFrom || newest.use !== use || newest.whenFree) return null
    // Its last holder may keep it for the timeout from now on. Shared forever, it would never end.
    if (clock() - newest.since > this.#timeout / 2) return null
    return newest.version === latestVersion(this.#pool.top.statements) ? newest : null
  }

  #begin(use: SessionUse): Snapshot {
    if (this.#opened[use] >= mostOpen) throw new SnapshotsTaken(mostOpen)
    const connection = this.#pool.take()
    try {
      connection.statements.control.beginRead.run()
      const snapshot = new Snapshot(connection, use, this.#tellAfter)
      this.#open.add(snapshot)
      this.#opened[use] += 1
      this.#newest = snapshot
      this.#timer ??= setInterval(() => this.#look(), Math.min(lookEvery, this.#tellAfter)).unref()
      return snapshot
    } catch (error) {
      this.#pool.giveBack(connection)
      throw error
    }
  }

  #look(): void {
    if (this.#open.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
      return
    }
    const now = clock()
    for (const snapshot of [...this.#open]) {
      this.#expireHolders(snapshot, now)
      const age = Math.trunc(now - snapshot.since)
      // A connection that is reading a query reports when that is over.
      const isFree = snapshot.whenFree === undefined
      if (this.#open.has(snapshot) && age >= snapshot.tellAt && isFree) this.#tell(snapshot, age)
    }
  }

  #expireHolders(snapshot: Snapshot, now: number): void {
    for (const [holder, since] of [...snapshot.holders]) {
      const age = Math.trunc(now - since)
      if (age < this.#timeout) continue
      holder.expire(new SnapshotExpiredError(age))
      this.release(snapshot, holder)
    }
  }

  #tell(snapshot: Snapshot, age: number): void {
    snapshot.tellAt = 2 * age
    try {
      // Without a later commit, it keeps the engine from nothing.
      if (snapshot.version === latestVersion(this.#pool.top.statements)) return
    } catch {
      return
    }
    const seconds = (age / 1000).toFixed(1)
    process.emitWarning(
      `A unit of work or a snapshot has been open for ${seconds} s: the write-ahead log of the database grows until it ends`,
      { type: 'LongSnapshotWarning', detail: JSON.stringify({ age }) },
    )
  }
}
