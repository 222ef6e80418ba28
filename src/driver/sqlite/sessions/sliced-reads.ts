import { pauseDue } from '../../../time/give-way.ts'
import type { Read } from '../../driver.ts'
import type { ConnectionPool } from '../connections/connection-pool.ts'
import type { PooledConnection } from '../connections/pooled-connection.ts'
import { assertOpen, isUnanswerable, toKvError } from '../file/engine-error.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { performRead, type RowReads } from '../reads/row-reads.ts'
import { RowSlices, type Slices } from '../rows/row-slices.ts'

/** The reads that may return many rows at once. */
type LongRead = Extract<Read, { readonly type: 'find' | 'related' | 'getMany' }>

/** A read in slices: on which connection, through which of its reads, and as of which time (ms since the epoch). */
interface SlicedRead {
  readonly connection: PooledConnection
  readonly reads: RowReads
  readonly request: LongRead
  readonly now: number
  readonly signal: AbortSignal | undefined
}

/** Up to this many rows are read by key without a pause, however large they are. */
export const fewKeys = 100

/** Whether a read may last so long that it needs pauses. */
export function mayLast(request: Read, reads: RowReads): request is LongRead {
  switch (request.type) {
    case 'find':
      return reads.queries.mayFindMuch(request.query)
    case 'related':
      return true
    case 'getMany':
      return request.keys.length > fewKeys
    default:
      return false
  }
}

function slicesOf(reads: RowReads, request: LongRead, now: number): Slices {
  switch (request.type) {
    case 'find':
      return reads.queries.slices(request.query, now)
    case 'related':
      return reads.queries.relatedSlices(request.query, now)
    case 'getMany':
      return reads.slices(request.keys, now)
  }
}

/** The error to report for a failed read. */
function failure(reads: RowReads, request: LongRead, error: unknown): unknown {
  return request.type === 'getMany' ? error : reads.queries.failure(request.query, error)
}

/** Notes how long a query took. */
function found(reads: RowReads, request: LongRead, slices: Slices): void {
  if (request.type === 'find' && slices instanceof RowSlices)
    reads.queries.found(request.query, slices.rows.length, slices.took)
}

/** The owner of the connection, which does nothing else in the pauses. */
interface Owner {
  /** Keeps the connection while the rest is read. */
  keep(slices: Slices): void
  /** Throws if nobody wants the rest any more. */
  assertWanted(): void
  giveBack(slices: Slices): void
}

/** Reads of a database in slices, and others with pauses. */
export class SlicedReads {
  readonly #pool: ConnectionPool
  readonly #running = new Set<Promise<unknown>>()

  constructor(pool: ConnectionPool) {
    this.#pool = pool
  }

  get count(): number {
    return this.#running.size
  }

  /** What a read returns, from the state in which the first slice is read; returned synchronously if that is all. */
  read(read: SlicedRead, owner: Owner): unknown[] | Promise<unknown[]> {
    const { connection, reads, request, now } = read
    let slices: Slices | undefined
    let isAll: boolean
    try {
      const few = request.type === 'find' ? reads.queries.findFew(request.query, now) : null
      if (few !== null) {
        connection.catalog.assertFits(request)
        return few
      }
      slices = slicesOf(reads, request, now)
      isAll = slices.read()
      connection.catalog.assertFits(request)
    } catch (error) {
      slices?.stop()
      if (!isUnanswerable(error)) throw failure(reads, request, error)
      // It names an index that another process has just dropped: without it, the result is the same.
      return performRead(reads, request, now)
    }
    if (isAll) {
      found(reads, request, slices)
      return slices.rows
    }
    owner.keep(slices)
    const rest = this.#readRest(slices, read, owner)
    this.#running.add(rest)
    const done = () => this.#running.delete(rest)
    rest.then(done, done)
    return rest
  }

  async #readRest(slices: Slices, { reads, request, signal }: SlicedRead, owner: Owner): Promise<unknown[]> {
    try {
      do {
        await pauseDue()
        signal?.throwIfAborted()
        assertOpen(this.#pool)
        owner.assertWanted()
      } while (!slices.read())
      found(reads, request, slices)
      return slices.rows
    } catch (error) {
      slices.stop()
      throw toKvError(failure(reads, request, error))
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
