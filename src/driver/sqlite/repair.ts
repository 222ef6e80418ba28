import { existsSync } from 'node:fs'
import type Database from 'better-sqlite3'
import type { Catalog, Collection } from '../../catalog/catalog.ts'
import { CorruptKeyError, MigrationError } from '../../errors.ts'
import { decodeKey } from '../../key/codec.ts'
import { PatternIndex } from '../../key/pattern-index.ts'
import { bigintFields } from '../../schema/bigint-fields.ts'
import type { JsonSchema } from '../../schema/json-schema.ts'
import type { Repair } from '../repair.ts'
import { PartialFile } from './backup/partial-file.ts'
import { readCatalog, touchCatalog } from './catalog.ts'
import { connect } from './connection.ts'
import { engineCode, toKvError } from './engine-error.ts'
import { buildIndexes, indexChanges } from './indexes.ts'
import { keyLabel } from './migrations/key-label.ts'
import { retryBusy } from './retry-busy.ts'
import { kvTables } from './table.ts'

const rowsPerPage = 1_000

/** Copies a file, then rebuilds in one transaction what follows from its rows and its catalogue: indexes, and where rows are filed. */
export async function repairSqlite(path: string, busyTimeout: number): Promise<Repair> {
  const { connection } = await retryBusy(
    () => connect({ path, readOnly: false, durability: 'full' }),
    busyTimeout,
  )
  try {
    const backup = await copied(connection, path)
    const repaired = await retryBusy(() => repair(connection), busyTimeout)
    return { backup, ...repaired }
  } catch (error) {
    throw toKvError(error)
  } finally {
    connection.close()
  }
}

/** A copy of all pages as they are, damaged or not, which `db.backup` would not make. */
async function copied(connection: Database.Database, path: string): Promise<string> {
  let target = `${path}.before-repair`
  for (let i = 2; existsSync(target); i++) target = `${path}.before-repair.${i}`
  const partial = PartialFile.create(target, path)
  try {
    // One state: else each commit of others would make the copy begin anew.
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

function repair(connection: Database.Database): Omit<Repair, 'backup'> {
  connection.exec('BEGIN IMMEDIATE')
  try {
    const failed: string[] = []
    const catalog = readCatalog(connection)
    const rebuilt = reindex(connection, failed)
    const filed = fileRows(connection, catalog, failed)
    const built = buildMissing(connection, catalog, failed)
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

/** Rebuilds the indexes that are there, each by itself: rows that a unique one should have kept out stay out of none of the others. */
function reindex(connection: Database.Database, failed: string[]): number {
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
      if (!engineCode(error)?.startsWith('SQLITE_CONSTRAINT')) throw error
      failed.push(`The index ${name} cannot be rebuilt, since rows that it should keep apart are alike`)
    }
  }
  return rebuilt
}

/** Files each row under the pattern of its key. How many were filed wrongly. */
function fileRows(connection: Database.Database, { collections }: Catalog, failed: string[]): number {
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
      else failed.push(`${keyLabel(key as Uint8Array)} belongs to ${expected}, where another row is like it`)
    }
    const next = rows.at(-1)?.[0]
    if (next === undefined || next <= last) return filed
    last = next
  }
}

/** `undefined`: its key is none. */
function collectionOf(index: PatternIndex<string>, key: unknown): string | null | undefined {
  if (!(key instanceof Uint8Array)) return undefined
  try {
    return index.find(decodeKey(key)) ?? null
  } catch (error) {
    if (error instanceof CorruptKeyError) return undefined
    throw error
  }
}

/** Builds the declared indexes that are missing. Their names. */
function buildMissing(connection: Database.Database, { collections }: Catalog, failed: string[]): string[] {
  const declared = collections.map(declaredOf)
  const tables = kvTables(declared)
  const built: string[] = []
  for (const name of indexChanges(connection, declared).create) {
    try {
      buildIndexes(connection, tables, declared, { create: [name], replace: [] })
      built.push(name)
    } catch (error) {
      if (!(error instanceof MigrationError)) throw error
      failed.push(error.message)
    }
  }
  return built
}

/** A collection with its indexes as its schema declares them: those that are not unique hold bigints in their order. */
function declaredOf(collection: Catalog['collections'][number]): Collection {
  const { schema, indexes } = collection
  const declared = indexes.map(({ fields, unique, built, ordersBigints }) => {
    const bigints =
      unique || (built && !ordersBigints) ? [] : bigintFields(fields, schema as JsonSchema | null)
    return bigints.length === 0 ? { fields, unique } : { fields, unique, bigints }
  })
  return { ...collection, indexes: declared }
}
