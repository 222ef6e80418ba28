import { existsSync, lstatSync } from 'node:fs'
import type { KnownCollection } from '../../../catalog/catalog.ts'
import { builtSearches, type SearchOf } from '../../../catalog/searches.ts'
import { type LoggedCommit, writeChanges } from '../../../commit/log-format.ts'
import { StorageError } from '../../../contract/errors.ts'
import { keyLabel } from '../../../key/key-label.ts'
import { bigintFields } from '../../../schema/bigint-fields.ts'
import { pauseDue } from '../../../time/give-way.ts'
import type { CopiedRow, CopiedState, CopyPlaces, CopyTarget, RefusedRow } from '../../copy.ts'
import { assertPlaceable, failureOf, thereAlready } from '../backup/backup.ts'
import { checkDatabase } from '../backup/copy.ts'
import { PartialFile } from '../backup/partial-file.ts'
import { alone } from '../file/alone.ts'
import { engineCode } from '../file/engine-error.ts'
import { markFormat } from '../file/file-format.ts'
import { retryBusy } from '../file/retry-busy.ts'
import { openConnection, withModule } from '../module/open-connection.ts'
import type { Connection, EngineStatement } from '../module/sqlite-module.ts'
import { assertBuildable, buildIndexes, indexChanges } from '../tables/indexes.ts'
import { createOwnTables } from '../tables/own-tables.ts'
import { keepPastSchemas } from '../tables/past-schemas.ts'
import { buildSearch } from '../tables/search-indexes.ts'
import { kvTables } from '../tables/table.ts'
import { FileState } from './file-state.ts'

const pageSize = 4_096
/** How much of the file to keep in memory: its indexes grow in many places at once. */
const cacheKilobytes = 65_536

/** Begins a file that gets the name of the target once it is complete, checked and synced to disk. */
export async function openFileTarget(path: string, places: CopyPlaces): Promise<CopyTarget> {
  return withModule(path, () => {
    try {
      if (!places.overwrite && lstatSync(path, { throwIfNoEntry: false }) !== undefined)
        throw thereAlready(path)
      assertPlaceable(null, path)
      return new FileTarget(path, PartialFile.create(path, null), places)
    } catch (error) {
      throw failureOf(error, path)
    }
  })
}

class FileTarget implements CopyTarget {
  readonly stored: FileState
  readonly #path: string
  readonly #partial: PartialFile
  readonly #places: CopyPlaces
  readonly #connection: Connection
  readonly #insert: EngineStatement
  readonly #insertCommit: EngineStatement
  /** They are built when all rows are there. */
  #searches: readonly SearchOf[] = []

  constructor(path: string, partial: PartialFile, places: CopyPlaces) {
    this.#path = path
    this.#partial = partial
    this.#places = places
    const connection = openConnection(partial.path)
    this.#connection = connection
    connection.pragma(`page_size = ${pageSize}`)
    // If the process or the machine dies, the copy starts again.
    connection.pragma('journal_mode = MEMORY')
    connection.pragma('synchronous = OFF')
    connection.pragma(`cache_size = ${-cacheKilobytes}`)
    markFormat(connection)
    createOwnTables(connection, kvTables())
    this.#insert = connection.prepare(
      'INSERT INTO kv (key, collection, encoding, types, version, expires_at, value) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    this.#insertCommit = connection.prepare('INSERT INTO kv_log (version, at, changes) VALUES (?, ?, ?)')
    this.stored = new FileState(connection)
  }

  async begin({ collections, catalog }: CopiedState): Promise<void> {
    this.#searches = builtSearches(catalog)
    await this.#write(() => {
      const insert = this.#connection.prepare(
        `INSERT INTO kv_collections (name, pattern, schema, version, indexes, "references", migrated) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      for (const { name, pattern, schema, version, indexes, references, migrated } of collections)
        insert.run(name, pattern, schema, version, indexes, references, migrated)
      if (catalog.past.length > 0) keepPastSchemas(this.#connection, catalog.past)
      const indexed = catalog.collections.map(builtOnly)
      assertBuildable(indexed)
      buildIndexes(this.#connection, kvTables(), indexed, indexChanges(this.#connection, indexed))
    })
  }

  async store(rows: readonly CopiedRow[]): Promise<RefusedRow[]> {
    const refused: RefusedRow[] = []
    await this.#write(() => {
      for (const { key, collection, encoding, types, version, expiresAt, value } of rows) {
        try {
          this.#insert.run(key, collection, encoding, types, version, expiresAt, value)
        } catch (error) {
          if (!isOfRow(error)) throw error
          refused.push({ key: keyLabel(key), collection, reason: `SQLite says: ${(error as Error).message}` })
        }
      }
    })
    return refused
  }

  async append(commits: readonly LoggedCommit[]): Promise<void> {
    await this.#write(() => {
      for (const { version, at, changes } of commits) {
        this.#insertCommit.run(version, at, writeChanges(changes!))
      }
    })
  }

  async finish(): Promise<void> {
    for (const search of this.#searches) await this.#write(() => buildSearch(this.#connection, search))
    const { rows, version } = await this.stored.state()
    this.#connection.close()
    try {
      const copy = await checkDatabase(this.#partial.path, undefined)
      const isWhole = copy.rows === rows && copy.version === version
      const [problem] = isWhole ? copy.problems : ['it is incomplete']
      if (problem !== undefined)
        throw new StorageError('SQLITE_CORRUPT', `The copy is damaged. SQLite finds: ${problem}`)
      await this.#partial.sync()
      await retryBusy(() => this.#place(), this.#places.busyTimeout)
    } catch (error) {
      throw failureOf(error, this.#path)
    }
  }

  async close(): Promise<void> {
    this.#connection.close()
    this.#partial.discard()
  }

  #place(): void {
    // The write-ahead log of the old file must not become part of the new one.
    if (this.#places.overwrite && existsSync(this.#path)) alone(this.#path, () => this.#partial.replace())
    else this.#partial.place()
  }

  /** Writes in its own transaction. */
  async #write(write: () => void): Promise<void> {
    try {
      this.#connection.exec('BEGIN')
      write()
      this.#connection.exec('COMMIT')
    } catch (error) {
      throw failureOf(error, this.#path)
    }
    await pauseDue()
  }
}

/** A collection with its existing indexes only. */
function builtOnly({ name, schema, indexes }: KnownCollection) {
  return {
    name,
    indexes: indexes
      .filter(({ built }) => built)
      .map(({ fields, unique }) => ({
        fields,
        unique,
        bigints: bigintFields(fields, schema as Record<string, unknown>),
      })),
  }
}

/** Whether the error is about one row: an index cannot contain it, or it is too large. */
function isOfRow(error: unknown): boolean {
  return /^SQLITE_(ERROR|CONSTRAINT|TOOBIG|MISMATCH)/.test(engineCode(error) ?? '')
}
