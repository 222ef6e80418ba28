import type Database from 'better-sqlite3'
import { appliedMutations, type Claimed, claimRows, claimUnchanged } from '../../commit/claim.ts'
import type { LogRetention } from '../../commit/retention.ts'
import { activeTurn, leaveTurn, type Ticket } from '../../commit/turn.ts'
import type { AtomicWrite, CommitOutcome, Mutation } from '../../commit/write.ts'
import type { BatchOutcome, CommitBatch } from '../driver.ts'
import {
  type ApplyContext,
  applyInserts,
  applyMutations,
  areInserts,
  failedChecks,
  InsertConflict,
} from './apply-write.ts'
import { readCatalog, schemaVersionReader, versionReader } from './catalog.ts'
import { changedReads } from './changed-reads.ts'
import { engineCode } from './engine-error.ts'
import { applyReplacements, areReplacements } from './replace-rows.ts'
import type { RowReads } from './row-reads.ts'
import { latestVersion } from './statements.ts'
import type { Transactions } from './transactions.ts'
import { trimLog } from './trim-log.ts'
import { readTurns, writeTurns } from './turns.ts'

/** A write without a savepoint failed, as under a unique index that another process has declared since: nothing may stay. */
class HalfApplied extends Error {}

/** What the connections of a database know of its catalog: its version, and the newest commit when it was read last. */
export interface BatchState {
  catalogVersion: number
  seenVersion: number
  /** Whose turn it was then. */
  turn: Ticket | null
}

/** The connection that a batch is committed on. */
interface Connection extends Pick<ApplyContext, 'statements' | 'uniqueIndexes' | 'log'> {
  readonly database: Database.Database
  readonly transactions: Transactions
  readonly reads: RowReads
}

interface Shared {
  readonly batches: BatchState
  readonly options: { readonly retention: LogRetention }
}

/** Commits batches of writes: each batch in one transaction, each of its writes with a version and an outcome of its own. */
export class BatchCommit {
  readonly #connection: Connection
  readonly #shared: Shared
  readonly #readVersion: ReturnType<typeof versionReader>
  /** The version of the catalog when the unique indexes of the connection were read. */
  #uniquesOf: number
  readonly #readSchemaVersion: () => number
  #schemaVersion: number

  constructor(connection: Connection, shared: Shared) {
    this.#connection = connection
    this.#shared = shared
    this.#readVersion = versionReader(connection.database)
    this.#uniquesOf = shared.batches.catalogVersion
    this.#readSchemaVersion = schemaVersionReader(connection.database)
    this.#schemaVersion = this.#readSchemaVersion()
  }

  commit(batch: CommitBatch): BatchOutcome {
    try {
      return this.#commitBatch(batch, false)
    } catch (error) {
      if (!(error instanceof HalfApplied)) throw error
      return this.#commitBatch(batch, true)
    }
  }

  /** `guardAll`: every write has a savepoint to go back to. */
  #commitBatch({ catalogVersion, writes }: CommitBatch, guardAll: boolean): BatchOutcome {
    const { database, transactions, statements } = this.#connection
    const { batches, options } = this.#shared
    let latest = 0
    const result = transactions.run<BatchOutcome>('write', () => {
      const started = performance.now()
      latest = latestVersion(statements)
      if (latest !== batches.seenVersion || catalogVersion !== batches.catalogVersion) {
        batches.catalogVersion = this.#readVersion()
        if (batches.catalogVersion !== catalogVersion)
          return { type: 'stale', catalog: readCatalog(database) }
      }
      if (this.#hasLostUnique()) return { type: 'stale', catalog: readCatalog(database) }
      const before = latest
      const now = Date.now()
      let turn = this.#turnAt(latest, now)
      const outcomes: CommitOutcome[] = []
      for (const write of writes) {
        if (turn !== null && write.turn !== turn.id) {
          outcomes.push({ type: 'waits', until: turn.until })
          continue
        }
        const outcome = this.#commitOne(write, latest + 1, now, guardAll)
        if (outcome.type === 'committed') {
          latest = outcome.version
          // What is written beside the unit of work whose turn it is does not end it.
          if (turn !== null && write.reads !== undefined) {
            writeTurns(statements, leaveTurn(readTurns(statements), turn.id))
            turn = null
          }
        }
        outcomes.push(outcome)
      }
      trimLog(statements, options.retention, before, latest, now)
      return { type: 'done', outcomes, took: performance.now() - started }
    })
    // Where the catalogue was stale, nobody has looked whose turn it is.
    if (result.type === 'done') batches.seenVersion = latest
    return result
  }

  /** Whether a unique index is gone that was there: a release that keeps no catalogue drops one without a word. */
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

  /** Whose turn it is. One begins with a new version. */
  #turnAt(latest: number, now: number): Ticket | null {
    const { batches } = this.#shared
    if (latest !== batches.seenVersion || batches.turn !== null) {
      batches.turn = activeTurn(readTurns(this.#connection.statements), now)
    }
    return batches.turn
  }

  #claimed({ claim }: AtomicWrite, latest: number, now: number): Claimed | null {
    if (claim === undefined) return null
    const unchanged = claim.since === latest ? claimUnchanged(claim, now) : null
    return unchanged ?? claimRows(claim, this.#connection.reads.queries.find(claim.query, now))
  }

  #commitOne(write: AtomicWrite, version: number, now: number, guardAll: boolean): CommitOutcome {
    const { statements, uniqueIndexes, log, database } = this.#connection
    const context: ApplyContext = { statements, uniqueIndexes, log, version, now }
    if (write.reads !== undefined) {
      const conflicts = changedReads(write.reads, version - 1, context)
      if (conflicts !== null) return { type: 'conflict', conflicts }
    }
    const claimed = this.#claimed(write, version - 1, now)
    if (claimed !== null && 'conflicts' in claimed) return { type: 'conflict', ...claimed }
    const { checks } = write
    const mutations = appliedMutations(write, claimed?.places)
    if (
      mutations.length > 1 &&
      !guardAll &&
      !uniqueIndexes.concern(mutations) &&
      areReplacements(checks, mutations)
    ) {
      if (this.#replace(checks, mutations, context)) {
        statements.appendLog.run(version, now, log.take())
        const touched = mutations.filter(isDelete).length
        return { type: 'committed', version, touched, ...(claimed && { claimed: claimed.places }) }
      }
    }
    const inserting = areInserts(checks, mutations)
    if (checks.length > 0 && !inserting) {
      const conflicts = failedChecks(checks, context)
      if (conflicts.length > 0) return { type: 'conflict', conflicts }
    }
    const { savepoint, release, rollbackTo } = statements.control
    const mayFail = inserting || mutations.some(isArithmetic)
    // A single insert, sum, min or max fails before it has changed anything; a savepoint costs as much as a mutation.
    const guarded = guardAll || uniqueIndexes.concern(mutations) || (mayFail && mutations.length > 1)
    if (guarded) savepoint.run()
    try {
      const touched = inserting ? applyInserts(mutations, context) : applyMutations(mutations, context)
      statements.appendLog.run(version, now, log.take())
      if (guarded) release.run()
      return { type: 'committed', version, touched, ...(claimed && { claimed: claimed.places }) }
    } catch (error) {
      log.reset()
      if (engineCode(error) !== undefined || !database.inTransaction) throw error
      if (!guarded && !mayFail) throw new HalfApplied()
      if (guarded) {
        rollbackTo.run()
        release.run()
      }
      return error instanceof InsertConflict
        ? { type: 'conflict', conflicts: error.conflicts }
        : { type: 'failed', error }
    }
  }

  /** Whether the rows were replaced; where not, nothing is left of it. */
  #replace(...replacements: Parameters<typeof applyReplacements>): boolean {
    const { statements, log } = this.#connection
    const { savepoint, release, rollbackTo } = statements.control
    savepoint.run()
    const isDone = applyReplacements(...replacements)
    if (!isDone) {
      rollbackTo.run()
      log.reset()
    }
    release.run()
    return isDone
  }
}

function isDelete({ type }: Mutation): boolean {
  return type === 'delete'
}

function isArithmetic({ type }: Mutation): boolean {
  return type === 'sum' || type === 'min' || type === 'max'
}
