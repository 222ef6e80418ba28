import { hasExpired } from '../../../commit/row.ts'
import { keyText } from '../../../key/key-text.ts'
import type { Read, ReadResults, ResultOf, Session, SessionState, ShownRow, StoredRow } from '../../driver.ts'
import type { PooledConnection } from '../connections/pooled-connection.ts'
import type { Run } from '../file/retry-busy.ts'
import { performRead } from '../reads/row-reads.ts'
import { latestVersion, toStoredRow } from '../rows/statements.ts'
import { isByKey, type KeyRead } from './file-session.ts'

/**
 * The rows that commits replace while sessions read. A database in memory has one connection, which cannot keep an older state
 * beside a newer one. So a session finds the rows that were replaced since it began instead of the present ones.
 */
export class ReplacedRows {
  readonly #connection: PooledConnection
  readonly #sessions = new Set<MemorySession>()

  constructor(connection: PooledConnection) {
    this.#connection = connection
    const { upsert, insert, replace, touch, remove, removeVersion, removeAll, appendLog } =
      connection.statements
    appendLog.beforeRun = () => {
      for (const session of this.#sessions) session.fixVersion()
    }
    upsert.beforeRun = (key) => this.#keep(key)
    insert.beforeRun = (key) => this.#keep(key)
    touch.beforeRun = (_version, _expiresAt, key) => this.#keep(key)
    replace.beforeRun = (_value, _encoding, _types, _version, _expiresAt, key) => this.#keep(key)
    remove.beforeRun = (key) => this.#keep(key)
    removeVersion.beforeRun = (key) => this.#keep(key)
    removeAll.beforeRun = () => this.#keepAll()
  }

  add(session: MemorySession): void {
    this.#sessions.add(session)
  }

  delete(session: MemorySession): void {
    this.#sessions.delete(session)
  }

  #keep(key: Uint8Array): void {
    if (this.#sessions.size === 0) return
    const text = keyText(key)
    let kept: ShownRow | undefined
    for (const session of this.#sessions) {
      if (session.hasReplaced(text)) continue
      kept ??= this.#stored(key)
      session.replace(text, kept)
    }
  }

  #keepAll(): void {
    if (this.#sessions.size === 0) return
    const keys = this.#connection.statements.allKeys.all(new Uint8Array(), Number.MAX_SAFE_INTEGER)
    for (const [key] of keys) this.#keep(key)
  }

  #stored(key: Uint8Array): ShownRow {
    const columns = this.#connection.statements.getFiled.get(key)
    if (columns === undefined) return { key: Uint8Array.from(key), collection: null, row: null }
    return { key: Uint8Array.from(key), collection: columns[5], row: toStoredRow(columns) }
  }
}

/** A session on a database in memory. */
export class MemorySession implements Session {
  readonly isLost = false
  /** The rows to read instead of the stored ones: those that were replaced since it began, and those that it was shown. */
  readonly rows: ShownRow[] = []
  readonly #connection: PooledConnection
  readonly #replaced: ReplacedRows
  readonly #run: Run
  readonly #before = new Map<string, StoredRow | null>()
  readonly #shown = new Set<string>()
  /** The newest version when it began, found when it is needed, or before the next one comes. */
  #version: number | null = null
  /** Milliseconds since the epoch; null before the first read. */
  #at: number | null = null
  #over = false

  constructor(connection: PooledConnection, replaced: ReplacedRows, run: Run) {
    this.#connection = connection
    this.#replaced = replaced
    this.#run = run
  }

  read<R extends Read>(request: R): Promise<ResultOf<R>> {
    return this.#run(() => {
      const at = this.#begin()
      const { reads, shown, transactions } = this.#connection
      if (this.rows.length === 0) return performRead(reads, request, at)
      if (isByKey(request)) return this.#readByKey(request, at) as ResultOf<R>
      try {
        return transactions.run('read', () => performRead(shown.readsOf(this), request, at))
      } catch (error) {
        shown.forget()
        throw error
      }
    })
  }

  show(rows: readonly ShownRow[]): void {
    for (const row of rows) {
      this.#shown.add(keyText(row.key))
      this.rows.push(row)
    }
  }

  async state(): Promise<SessionState> {
    return this.#run(() => {
      const at = this.#begin()
      return { at, version: this.fixVersion() }
    })
  }

  end(): void {
    this.#over = true
    this.#replaced.delete(this)
    this.#connection.shown.release(this)
  }

  fixVersion(): number {
    this.#version ??= latestVersion(this.#connection.statements)
    return this.#version
  }

  hasReplaced(text: string): boolean {
    return this.#before.has(text)
  }

  replace(text: string, row: ShownRow): void {
    this.#before.set(text, row.row)
    if (!this.#shown.has(text)) this.rows.push(row)
  }

  #readByKey(request: KeyRead, at: number): ReadResults[KeyRead['type']] {
    switch (request.type) {
      case 'get':
        return this.#row(request.key, at)
      case 'getMany':
        return request.keys.map((key) => this.#row(key, at))
      case 'exists':
        return this.#row(request.key, at) !== null
    }
  }

  /** The row under a key when the session began. */
  #row(key: Uint8Array, at: number): StoredRow | null {
    const row = this.#before.get(keyText(key))
    if (row === undefined) return this.#connection.reads.get(key, at)
    return row === null || hasExpired(row.expiresAt, at) ? null : row
  }

  #begin(): number {
    if (this.#over) throw new Error('The session has ended')
    if (this.#at === null) {
      this.#at = Date.now()
      this.#replaced.add(this)
    }
    return this.#at
  }
}
