import { type ChangeLog, type LoggedCommit, readChanges } from '../../../commit/log-format.ts'
import type { StoredRow } from '../../../commit/row.ts'
import type { CommitTransaction, ExpiredRow, RowVersion } from '../../../commit/transaction.ts'
import { leaveTurn } from '../../../commit/turn.ts'
import type { UniqueHolder } from '../../../commit/unique.ts'
import type { Claim, Mutation, SetMutation } from '../../../commit/write.ts'
import type { StoredValue } from '../../../value/encoding.ts'
import { engineCode } from '../file/engine-error.ts'
import type { Connection } from '../module/sqlite-module.ts'
import type { HotRows } from '../reads/hot-rows.ts'
import type { RowReads } from '../reads/row-reads.ts'
import { type Statements, toStoredRow } from '../rows/statements.ts'
import type { UniqueIndexes } from '../tables/unique-indexes.ts'
import { readTurns, writeTurns } from './turns.ts'

const commitsPerPage = 1_000

/** The connection with the open transaction. */
export interface WritingConnection {
  readonly database: Connection
  readonly statements: Statements
  readonly uniqueIndexes: UniqueIndexes
  readonly log: ChangeLog
  readonly reads: RowReads
  readonly hot: HotRows
}

/** The open transaction of a connection: each fact is read, and each change is made, at once. */
export class OpenTransaction implements CommitTransaction {
  readonly log: ChangeLog
  readonly #database: Connection
  readonly #statements: Statements
  readonly #uniqueIndexes: UniqueIndexes
  readonly #reads: RowReads
  readonly #hot: HotRows

  constructor({ database, statements, uniqueIndexes, log, reads, hot }: WritingConnection) {
    this.log = log
    this.#database = database
    this.#statements = statements
    this.#uniqueIndexes = uniqueIndexes
    this.#reads = reads
    this.#hot = hot
  }

  versionOf(key: Uint8Array): RowVersion | null {
    const row = this.#statements.version.get(key)
    return row === undefined ? null : { version: row[0], expiresAt: row[1] }
  }

  row(key: Uint8Array): StoredRow | null {
    const row = this.#statements.get.get(key)
    return row === undefined ? null : toStoredRow(row)
  }

  oldestLogged(): number {
    return this.#statements.oldestVersion.get()![0] ?? 0
  }

  loggedAfter(version: number): LoggedCommit[] {
    return this.#statements.logSince
      .all(version, commitsPerPage)
      .map(([version, at, changes]) => ({ version, at, changes: readChanges(changes) }))
  }

  expiredBetween(after: number, until: number): ExpiredRow[] {
    return this.#statements.expiredBetween.all(after, until).map(([key, version]) => ({ key, version }))
  }

  claimable({ query }: Claim, now: number) {
    return this.#reads.queries.findTimed(query, now)
  }

  mayViolateUnique(mutations: readonly Mutation[]): boolean {
    return this.#uniqueIndexes.concern(mutations)
  }

  violatesUnique(error: unknown): boolean {
    return engineCode(error) === 'SQLITE_CONSTRAINT_UNIQUE'
  }

  holderOf(collection: string, key: Uint8Array, stored: StoredValue): UniqueHolder | null {
    return this.#uniqueIndexes.holderOf(collection, key, stored)
  }

  upsert({ key, collection, stored }: SetMutation, version: number, expiresAt: number | null): void {
    const { encoding, types, value } = stored
    this.#hot.forget(key)
    this.#statements.upsert.run(key, collection, encoding, types, version, expiresAt, value)
  }

  insert({ key, collection, stored }: SetMutation, version: number, expiresAt: number | null): boolean {
    const { encoding, types, value } = stored
    // Nothing is kept of a row that was not there.
    return this.#statements.insert.run(key, collection, encoding, types, version, expiresAt, value) > 0
  }

  replace(
    { key, stored }: SetMutation,
    version: number,
    expiresAt: number | null,
    expected: number,
    now: number,
  ): boolean {
    const { encoding, types, value } = stored
    this.#hot.forget(key)
    return this.#statements.replace.run(value, encoding, types, version, expiresAt, key, expected, now) > 0
  }

  touch(key: Uint8Array, version: number, expiresAt: number | null): void {
    this.#hot.forget(key)
    this.#statements.touch.run(version, expiresAt, key)
  }

  remove(key: Uint8Array): void {
    this.#hot.forget(key)
    this.#statements.remove.run(key)
  }

  removeVersion(key: Uint8Array, expected: number, now: number): boolean {
    this.#hot.forget(key)
    return this.#statements.removeVersion.run(key, expected, now) > 0
  }

  append(version: number, at: number): void {
    this.#statements.appendLog.run(version, at, this.log.take())
  }

  endTurn(id: string): void {
    writeTurns(this.#statements, leaveTurn(readTurns(this.#statements), id))
  }

  mark(): void {
    this.#statements.control.savepoint.run()
  }

  undo(): void {
    this.#statements.control.rollbackTo.run()
    this.#statements.control.release.run()
  }

  keep(): void {
    this.#statements.control.release.run()
  }

  /** The engine has failed, or has ended the transaction itself. */
  failsAll(error: unknown): boolean {
    return engineCode(error) !== undefined || !this.#database.inTransaction
  }
}
