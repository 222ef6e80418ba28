import type { Catalog, Collection } from '../../../catalog/catalog.ts'
import { parsePatternText, patternText } from '../../../catalog/pattern-text.ts'
import type { MigratedCollection } from '../../migration.ts'
import { engineCode } from '../file/engine-error.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { fileRows, keepCollections, markMigrated, readCatalog, touchCatalog } from '../tables/catalog.ts'
import { builtIndexes, dropIndex, duplicatesError } from '../tables/indexes.ts'
import { createOwnTables } from '../tables/own-tables.ts'
import { type KvTables, kvTables } from '../tables/table.ts'

/**
 * Makes the database know the collections as a migration leaves them, inside its transaction: the next one may change the rows that
 * are filed under them. `before` is what it knew when the migration began. Throws a MigrationError where rows that a pattern matches
 * now clash in a unique index.
 */
export function registerMigrated(
  connection: Connection,
  collections: readonly MigratedCollection[],
  before: Catalog,
): void {
  // The migrations of a folder may begin with ones that know nothing of these tables.
  if (collections.length === 0) return
  const tables = kvTables(collections)
  createOwnTables(connection, tables)
  const migrated = collections.map(({ name, pattern, schema, indexes, references = {} }) => ({
    name,
    pattern: parsePatternText(pattern),
    schema,
    indexes,
    references,
  }))
  connection.exec('SAVEPOINT register')
  try {
    register(connection, tables, migrated)
  } catch (error) {
    if (!isClash(error)) throw error
    // The transaction is lost: without the indexes, the rows that clash in one can be filed and told.
    connection.exec('ROLLBACK TO register')
    const unique = builtIndexes(connection).filter(({ declaration }) => declaration?.unique)
    for (const { name } of unique) dropIndex(connection, name)
    register(connection, tables, migrated)
    throw unique.reduce(
      (cause: unknown, { name }) =>
        cause === error ? duplicatesError(connection, tables, collections, name, cause) : cause,
      error,
    )
  }
  connection.exec('RELEASE register')
  const version = touchCatalog(
    connection,
    tables,
    migrated.map(({ name }) => name),
  )
  const changed = migrated.filter((it) => !isKnown(before, it)).map(({ name }) => name)
  markMigrated(connection, changed, version)
}

/** A collection that has the name or the pattern of one of these goes, and its rows with it. */
function register(connection: Connection, tables: KvTables, migrated: readonly Collection[]): void {
  const { collections } = readCatalog(connection)
  const patterns = new Set(migrated.map((it) => patternText(it.pattern)))
  const names = new Map(migrated.map((it) => [it.name, it]))
  const replaced = collections.filter((it) => {
    const named = names.get(it.name)
    return named === undefined ? patterns.has(patternText(it.pattern)) : !isSame(named, it)
  })
  const added = migrated.filter((it) => !collections.some((known) => isSame(it, known)))
  const remove = connection.prepare('DELETE FROM kv_collections WHERE name = ?')
  for (const { name } of replaced) remove.run(name)
  keepCollections(connection, tables, migrated)
  fileRows(connection, readCatalog(connection).collections, [...replaced, ...added])
}

/** Whether both file the same rows under the same name. */
function isSame(a: Collection, b: Collection): boolean {
  return a.name === b.name && patternText(a.pattern) === patternText(b.pattern)
}

function isKnown({ collections }: Catalog, { name, pattern, schema }: Collection): boolean {
  const text = (it: Pick<Collection, 'pattern' | 'schema'>) =>
    JSON.stringify([patternText(it.pattern), it.schema])
  const known = collections.find((it) => it.name === name)
  return known !== undefined && text(known) === text({ pattern, schema })
}

/** Whether rows clash in a unique index, by an error of the engine that Drizzle may have wrapped. */
function isClash(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (engineCode(cause) === 'SQLITE_CONSTRAINT_UNIQUE') return true
  }
  return false
}
