import { DatabaseOpenError } from '../../../contract/errors.ts'
import type { Connection } from '../module/sqlite-module.ts'

/** `application_id` in the header of our files: "VLKY". */
const applicationId = 0x564c4b59
/** `user_version` in the header: the format of the file. In the second format, each value has a checksum. */
const plainFormat = 1
const sealedFormat = 2
/** The newest format that this release reads and writes. */
const newestFormat = sealedFormat

/** The columns of our tables since the first release. */
const oldestColumns: Readonly<Record<string, readonly string[]>> = {
  kv: ['key', 'collection', 'encoding', 'types', 'version', 'expires_at', 'value'],
  kv_log: ['version', 'at', 'changes'],
  kv_collections: ['name', 'pattern', 'schema', 'version'],
}
/** Litestream adds these to every file that it replicates, even to a new one. They contain no data. */
const replicatorTables = "'_litestream_seq', '_litestream_lock'"
/** Drizzle's table of the migrations that a database has had. */
export const journalTable = '__drizzle_migrations'

/** Whether the file is marked as one of this library. */
export function isMarked(connection: Connection): boolean {
  return connection.pragma('application_id', { simple: true }) === applicationId
}

/** Whether the values in this file have checksums. */
export function isSealed(connection: Connection): boolean {
  return connection.pragma('user_version', { simple: true }) === sealedFormat
}

/**
 * Marks the file as one of this library, inside the transaction that creates its tables; `checksums`: its values have checksums. A
 * marked file keeps its format.
 */
export function markFormat(connection: Connection, checksums = false): void {
  if (isMarked(connection)) return
  connection.pragma(`application_id = ${applicationId}`)
  connection.pragma(`user_version = ${checksums ? sealedFormat : plainFormat}`)
}

/**
 * Throws a DatabaseOpenError for a file of another application, or of a newer format, before anything is written to it. A file
 * without a mark is ours if it is empty or has our tables, and, with `migrated`, which says that it belongs to a folder of
 * migrations, if Drizzle has migrated it.
 */
export function assertFormat(connection: Connection, path: string, migrated: boolean): void {
  // In one transaction, because another process may be marking a new file.
  connection.exec('BEGIN')
  const application = connection.pragma('application_id', { simple: true }) as number
  const format = connection.pragma('user_version', { simple: true }) as number
  const isForeign =
    application === 0 && format === 0
      ? isOfAnother(connection, kindsByName(connection), migrated)
      : application !== applicationId
  connection.exec('COMMIT')
  if (isForeign) throw new DatabaseOpenError(path, 'it belongs to another application: choose another path')
  if (format > newestFormat) {
    const known = `this version of valkeyrie reads formats up to ${newestFormat}`
    throw new DatabaseOpenError(path, `its format is ${format}, and ${known}: upgrade valkeyrie`)
  }
}

/** Throws a DatabaseOpenError if a table with one of our names is not ours. */
export function assertShape(connection: Connection, path: string): void {
  const kinds = kindsByName(connection)
  const name = misshapen(connection, kinds)
  if (name === undefined) return
  throw new DatabaseOpenError(
    path,
    `its ${kinds.get(name)} ${name} is not the one of valkeyrie: choose another path, or restore the file from a backup`,
  )
}

/** `table` or `view`, for each name in the file except those of its replicator. Names do not depend on case. */
type Kinds = ReadonlyMap<string, string>

function kindsByName(connection: Connection): Kinds {
  const names = connection.prepare<[], [string, string]>(
    `SELECT lower(name), type FROM sqlite_schema WHERE type IN ('table', 'view')
      AND substr(name, 1, 7) <> 'sqlite_' AND name NOT IN (${replicatorTables})`,
  )
  return new Map(names.raw().all())
}

function misshapen(connection: Connection, kinds: Kinds): string | undefined {
  const columnsOf = connection.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck()
  return Object.entries(oldestColumns).find(([name, expected]) => {
    if (!kinds.has(name)) return false
    const columns = columnsOf.all(name)
    return kinds.get(name) !== 'table' || !expected.every((column) => columns.includes(column))
  })?.[0]
}

/** Whether a file without a mark has tables, but none of ours. */
function isOfAnother(connection: Connection, kinds: Kinds, migrated: boolean): boolean {
  if (kinds.size === 0) return false
  if (misshapen(connection, kinds) !== undefined) return true
  const isMigrated = kinds.has(journalTable)
  return !kinds.has('kv') && !(isMigrated && (migrated || kinds.size === 1))
}
