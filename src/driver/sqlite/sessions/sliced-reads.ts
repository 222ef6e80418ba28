import type { FindPlan, Planned } from '../../../query/plan.ts'
import { pauseDue } from '../../../time/give-way.ts'
import type { KeyedRow } from '../../driver.ts'
import type { ConnectionPool } from '../connections/connection-pool.ts'
import type { PooledConnection } from '../connections/pooled-connection.ts'
import { assertOpen, isUnanswerable, toKvError } from '../file/engine-error.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { performRead, type RowReads } from '../reads/row-reads.ts'
import type { RowSlices } from '../rows/row-slices.ts'

/** A query to read in slices: on which connection, through which of its reads, and as of which time (ms since the epoch). */
interface SlicedRead {
  readonly connection: PooledConnection
  readonly reads: RowReads
  readonly query: Planned<FindPlan>
  readonly now: number
  readonly signal: AbortSignal | undefined
}

/** The owner of the connection, which does nothing else in the pauses. */
interface Owner {
  /** Keeps the connection while the rest is read. */
  keep(slices: RowSlices): void
  /** Throws if nobody wants the rest any more. */
  assertWanted(): void
  giveBack(slices: RowSlices): void
}

/** Queries of a database that are being read in slices, and other reads with pauses. */
export class SlicedReads {
  readonly #pool: ConnectionPool
  readonly #running = new Set<Promise<unknown>>()

  constructor(pool: ConnectionPool) {
    this.#pool = pool
  }

  get count(): number {
    return this.#running.size
  }

  /** The rows of a query, from the state in which the first slice is read; returned synchronously if that is all. */
  find(read: SlicedRead, owner: Owner): KeyedRow[] | Promise<KeyedRow[]> {
    const { connection, reads, query, now } = read
    let slices: RowSlices | undefined
    let isAll: boolean
    try {
      slices = reads.queries.slices(query, now)
      isAll = slices.read()
      connection.catalog.assertFits({ type: 'find', query })
    } catch (error) {
      slices?.stop()
      if (!isUnanswerable(error)) throw reads.queries.failure(query, error)
      // It names an index that another process has just dropped: without it, the result is the same.
      return performRead(reads, { type: 'find', query }, now)
    }
    if (isAll) {
      reads.queries.found(query, slices.rows.length, slices.took)
      return slices.rows
    }
    owner.keep(slices)
    const rest = this.#readRest(slices, read, owner).then((rows) => {
      reads.queries.found(query, slices.rows.length, slices.took)
      return rows
    })
    this.#running.add(rest)
    const done = () => this.#running.delete(rest)
    rest.then(done, done)
    return rest
  }

  async #readRest(
    slices: RowSlices,
    { reads, query, signal }: SlicedRead,
    owner: Owner,
  ): Promise<KeyedRow[]> {
    try {
      do {
        await pauseDue()
        signal?.throwIfAborted()
        assertOpen(this.#pool)
        owner.assertWanted()
      } while (!slices.read())
      return slices.rows
    } catch (error) {
      slices.stop()
      throw toKvError(reads.queries.failure(query, error))
    } finally {
      slices.stop()
      owner.giveBack(slices)
    }
  }

  /** Works with pauses on a connection of its own, which reads one state. */
  async onOwn<T>(
    work: (connection: Connection, pause: () => Promise<void>) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const connection = this.#pool.take()
    const { database } = connection
    const result = (async () => {
      try {
        database.exec('BEGIN')
        return await work(database, this.pauseFor(signal))
      } catch (error) {
        throw toKvError(error)
      } finally {
        if (database.inTransaction) database.exec('ROLLBACK')
        this.#pool.giveBack(connection)
      }
    })()
    this.#running.add(result)
    const done = () => this.#running.delete(result)
    result.then(done, done)
    return result
  }

  /** Pauses if a pause is due; throws if nobody wants to continue afterwards. */
  pauseFor(signal: AbortSignal | undefined): () => Promise<void> {
    return async () => {
      await pauseDue()
      signal?.throwIfAborted()
      assertOpen(this.#pool)
    }
  }

  /** Resolves when nothing is being read: once the pool is closed, each read ends at its next slice. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running)
  }
}
