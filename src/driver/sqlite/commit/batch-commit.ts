import { HalfApplied, type Marks } from '../../../commit/commit-write.ts'
import { commitWrites } from '../../../commit/commit-writes.ts'
import type { LogRetention } from '../../../commit/retention.ts'
import { activeTurn, type Ticket } from '../../../commit/turn.ts'
import { clock } from '../../../time/clock.ts'
import type { BatchOutcome, CommitBatch } from '../../driver.ts'
import { latestVersion } from '../rows/statements.ts'
import { readCatalog, schemaVersionReader, versionReader } from '../tables/catalog.ts'
import { OpenTransaction, type WritingConnection } from './open-transaction.ts'
import type { Transactions } from './transactions.ts'
import { trimLog } from './trim-log.ts'
import { readTurns } from './turns.ts'

/** What the connections of a database know of its catalogue: its version, and the newest commit when it was last read. */
export interface BatchState {
  catalogVersion: number
  seenVersion: number
  /** Whose turn it was then. */
  turn: Ticket | null
}

interface Connection extends WritingConnection {
  readonly transactions: Transactions
}

interface Shared {
  readonly batches: BatchState
  readonly options: { readonly retention: LogRetention }
}

/** Commits batches of writes: each batch in one transaction, each write with its own version and outcome. */
export class BatchCommit {
  readonly #connection: Connection
  readonly #transaction: OpenTransaction
  readonly #shared: Shared
  readonly #readVersion: ReturnType<typeof versionReader>
  /** The version of the catalogue when this connection last read the unique indexes. */
  #uniquesOf: number
  readonly #readSchemaVersion: () => number
  #schemaVersion: number

  constructor(connection: Connection, shared: Shared) {
    this.#connection = connection
    this.#transaction = new OpenTransaction(connection)
    this.#shared = shared
    this.#readVersion = versionReader(connection.database)
    this.#uniquesOf = shared.batches.catalogVersion
    this.#readSchemaVersion = schemaVersionReader(connection.database)
    this.#schemaVersion = this.#readSchemaVersion()
  }

  commit(batch: CommitBatch): BatchOutcome {
    const started = clock()
    const isOne = batch.writes.length === 1
    try {
      return this.#commitBatch(batch, isOne ? 'none' : 'needed', started)
    } catch (error) {
      if (!(error instanceof HalfApplied)) throw error
      if (isOne && error.outcome !== null)
        return { type: 'done', outcomes: [error.outcome], took: clock() - started }
      return this.#commitBatch(batch, 'all', started)
    }
  }

  #commitBatch({ catalogVersion, writes }: CommitBatch, marks: Marks, started: number): BatchOutcome {
    const { database, transactions, statements } = this.#connection
    const { batches, options } = this.#shared
    let latest = 0
    const result = transactions.run<BatchOutcome>('write', () => {
      const before = latestVersion(statements)
      latest = before
      if (before !== batches.seenVersion || catalogVersion !== batches.catalogVersion) {
        batches.catalogVersion = this.#readVersion()
        if (batches.catalogVersion !== catalogVersion)
          return { type: 'stale', catalog: readCatalog(database) }
      }
      if (this.#hasLostUnique()) return { type: 'stale', catalog: readCatalog(database) }
      const now = Date.now()
      const state = { latest: before, now, turn: this.#turnAt(before, now) }
      const committed = commitWrites(writes, this.#transaction, state, marks)
      latest = committed.latest
      trimLog(statements, options.retention, before, latest, now)
      return { type: 'done', outcomes: committed.outcomes, took: clock() - started }
    })
    // With a stale catalogue, nobody has checked whose turn it is.
    if (result.type === 'done') batches.seenVersion = latest
    return result
  }

  /** Whether a unique index was dropped: a release without a catalogue drops one silently. */
  #hasLostUnique(): boolean {
    const { uniqueIndexes } = this.#connection
    const { catalogVersion } = this.#shared.batches
    const known = catalogVersion === this.#uniquesOf
    if (known && uniqueIndexes.isEmpty) return false
    const schemaVersion = this.#readSchemaVersion()
    if (known && schemaVersion === this.#schemaVersion) return false
    this.#schemaVersion = schemaVersion
    this.#uniquesOf = catalogVersion
    return uniqueIndexes.refresh()
  }

  /** Whose turn it is. A turn begins with a new version. */
  #turnAt(latest: number, now: number): Ticket | null {
    const { batches } = this.#shared
    if (latest !== batches.seenVersion || batches.turn !== null) {
      batches.turn = activeTurn(readTurns(this.#connection.statements), now)
    }
    return batches.turn
  }
}
