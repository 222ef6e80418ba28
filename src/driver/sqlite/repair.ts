import { existsSync, rmSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Catalog, IndexDeclaration } from '../../catalog/catalog.ts'
import { CorruptKeyError, MigrationError } from '../../contract/errors.ts'
import { decodeKey } from '../../key/codec.ts'
import { keyLabel } from '../../key/key-label.ts'
import { PatternIndex } from '../../key/pattern-index.ts'
import { bigintFields } from '../../schema/bigint-fields.ts'
import type { JsonSchema } from '../../schema/json-schema.ts'
import type { Repair } from '../verification.ts'
import { PartialFile } from './backup/partial-file.ts'
import { connect } from './file/connection.ts'
import { engineCode, isUnanswerable, toKvError } from './file/engine-error.ts'
import { retryBusy } from './file/retry-busy.ts'
import { withModule } from './module/open-connection.ts'
import type { Connection } from './module/sqlite-module.ts'
import { checkIntegrity, isOfText, passOverDamage } from './rows/damaged-rows.ts'
import { readCatalog, touchCatalog } from './tables/catalog.ts'
import { buildIndexes, indexChanges } from './tables/indexes.ts'
import { hasTables } from './tables/own-tables.ts'
import { isSearchSound } from './tables/search-check.ts'
import { buildSearch, knownSearches, searchName } from './tables/search-indexes.ts'
import { kvTables } from './tables/table.ts'

const rowsPerPage = 1_000
const mostProblems = 1_000

/**
 * Copies a file, then rebuilds in one transaction what follows from its rows and its catalogue: indexes, and the filing of rows. If
 * that changes nothing, or fails, the file stays as it was, and the copy is removed.
 */
export function repairSqlite(path: string, busyTimeout: number): Promise<Repair> {
  return withModule(path, () => repairHeld(path, busyTimeout))
}

async function repairHeld(path: string, busyTimeout: number): Promise<Repair> {
  const open = (readOnly: boolean) =>
    retryBusy(() => connect({ path, readOnly, durability: 'full' }).connection, busyTimeout)
  let connection = await open(true)
  let backup: string | null = null
  let isKept = false
  try {
    // Opening an empty file for writing would change it.
    if (!hasTables(connection)) return nothingRepaired('The file has no database to repair')
    connection.close()
    connection = await open(false)
    backup = await copied(connection, path)
    const repaired = await retryBusy(() => repairPassingOverDamage(connection), busyTimeout)
    isKept = repaired.rebuilt + repaired.filed + repaired.built.length > 0
    return { backup: isKept ? backup : null, ...repaired }
  } catch (error) {
    if (!isDamage(error)) throw toKvError(error)
    return nothingRepaired(
      'The file cannot be repaired, because pages of it are damaged, and stays as it was: restore a backup, or save what can be read with "valkeyrie export --skip-unreadable"',
    )
  } finally {
    connection.close()
    if (backup !== null && !isKept) rmSync(backup)
  }
}

function nothingRepaired(reason: string): Repair {
  return { backup: null, rebuilt: 0, built: [], filed: 0, failed: [reason] }
}

/** Whether the engine cannot read the pages of the file. */
function isDamage(error: unknown): boolean {
  const code = engineCode(error) ?? engineCode((error as Error).cause)
  return code !== undefined && /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ)/.test(code)
}

/** Copies all pages as they are, damaged or not, which `db.backup` would refuse. */
async function copied(connection: Connection, path: string): Promise<string> {
  let target = `${path}.before-repair`
  for (let i = 2; existsSync(target); i++) target = `${path}.before-repair.${i}`
  const partial = PartialFile.create(target, path)
  try {
    // One state: otherwise each commit of others would restart the copy.
    connection.exec('BEGIN')
    await connection.backup(partial.path)
    await partial.sync()
    partial.place()
    return target
  } finally {
    if (connection.inTransaction) connection.exec('ROLLBACK')
    await partial.discard()
  }
}

/** Repairs; skips damaged rows that are in the way of an index. */
function repairPassingOverDamage(connection: Connection): ReturnType<typeof repair> {
  try {
    return repair(connection)
  } catch (error) {
    if (!isUnanswerable(error)) throw error
    passOverDamage(connection)
    return repair(connection)
  }
}

function repair(connection: Connection): Omit<Repair, 'backup'> {
  connection.exec('BEGIN IMMEDIATE')
  try {
    const failed: string[] = []
    const catalog = readCatalog(connection)
    const rebuilt = reindex(connection, failed)
    // First, because writing rows also writes to searches.
    const searches = buildSearches(connection)
    const filed = fileRows(connection, catalog, failed)
    const built = [...buildMissing(connection, catalog, failed), ...searches]
    if (filed + built.length > 0)
      touchCatalog(
        connection,
        kvTables(),
        catalog.collections.map(({ name }) => name),
      )
    connection.exec('COMMIT')
    return { rebuilt, built, filed, failed }
  } finally {
    if (connection.inTransaction) connection.exec('ROLLBACK')
  }
}

/**
 * Rebuilds the indexes if the engine's check finds a problem that this fixes; returns how many. Each is rebuilt separately, so rows
 * that violate a unique index only fail that one.
 */
function reindex(connection: Connection, failed: string[]): number {
  const before = checkIntegrity(connection, mostProblems)
  if (before.length === 0) return 0
  connection.exec('SAVEPOINT reindex')
  const names = connection
    .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'index'")
    .pluck()
    .all()
  let rebuilt = 0
  for (const name of names) {
    try {
      connection.exec(`REINDEX "${name.replaceAll('"', '""')}"`)
      rebuilt += 1
    } catch (error) {
      if (isOfText(error)) {
        failed.push(`The index ${name} cannot be rebuilt: ${(error as Error).message}`)
        continue
      }
      if (!engineCode(error)?.startsWith('SQLITE_CONSTRAINT')) throw error
      failed.push(
        `The index ${name} cannot be rebuilt, because rows have the same unique values: delete or change one of them`,
      )
    }
  }
  const isMended = !isDeepStrictEqual(checkIntegrity(connection, mostProblems), before)
  if (!isMended) connection.exec('ROLLBACK TO reindex')
  connection.exec('RELEASE reindex')
  return isMended ? rebuilt : 0
}

/** Files each row under the pattern of its key; returns how many were filed wrongly. */
function fileRows(connection: Connection, { collections }: Catalog, failed: string[]): number {
  const index = new PatternIndex(collections.map(({ name, pattern }) => [pattern, name]))
  const page = connection
    .prepare<[number], [number, unknown, string | null]>(
      `SELECT rowid, key, collection FROM kv WHERE rowid > ? ORDER BY rowid LIMIT ${rowsPerPage}`,
    )
    .raw()
  const file = connection.prepare<[string | null, number]>(
    'UPDATE OR IGNORE kv SET collection = ? WHERE rowid = ?',
  )
  let filed = 0
  for (let last = Number.MIN_SAFE_INTEGER; ; ) {
    const rows = page.all(last)
    for (const [rowid, key, collection] of rows) {
      const expected = collectionOf(index, key)
      if (expected === undefined || expected === collection) continue
      if (file.run(expected, rowid).changes > 0) filed += 1
      else
        failed.push(
          `${keyLabel(key as Uint8Array)} belongs to ${expected}, where another row has the same unique values`,
        )
    }
    const next = rows.at(-1)?.[0]
    if (next === undefined || next <= last) return filed
    last = next
  }
}

/** `undefined`: the key is damaged. */
function collectionOf(index: PatternIndex<string>, key: unknown): string | null | undefined {
  if (!(key instanceof Uint8Array)) return undefined
  try {
    return index.find(decodeKey(key)) ?? null
  } catch (error) {
    if (error instanceof CorruptKeyError) return undefined
    throw error
  }
}

/** Builds the missing declared indexes; returns their names. */
function buildMissing(connection: Connection, { collections }: Catalog, failed: string[]): string[] {
  const missing = collections.flatMap(({ name, schema, indexes }) =>
    indexes.filter((index) => !index.built).map((index) => [{ name, indexes: [declaredOf(index, schema)] }]),
  )
  const tables = kvTables()
  const built: string[] = []
  // First those of every database, then one by one: the name of one may be that of another.
  for (const declared of [[], ...missing]) {
    let name = ''
    try {
      for (name of indexChanges(connection, declared).create) {
        buildIndexes(connection, tables, declared, { create: [name], replace: [] })
        built.push(name)
      }
    } catch (error) {
      if (isOfText(error)) failed.push(`The index ${name} cannot be built: ${(error as Error).message}`)
      else if (error instanceof MigrationError) failed.push(error.message)
      else throw error
    }
  }
  return built
}

/** Builds the searches that are missing, or do not match the rows; returns the names of their tables. */
function buildSearches(connection: Connection): string[] {
  return knownSearches(connection).flatMap((of) => {
    if (of.search.built && isSearchSound(connection, of)) return []
    buildSearch(connection, of)
    return [searchName(of)]
  })
}

/** An index as its schema declares it: one that is not unique keeps bigints in order. */
function declaredOf({ fields, unique }: IndexDeclaration, schema: object | null): IndexDeclaration {
  const bigints = unique ? [] : bigintFields(fields, schema as JsonSchema | null)
  return bigints.length === 0 ? { fields, unique } : { fields, unique, bigints }
}
