import { eq, inArray, sql } from 'drizzle-orm'
import type { Catalog, Collection } from '../../../catalog/catalog.ts'
import { withSearches } from '../../../catalog/searches.ts'
import { catalogOf, DamagedCollection, storedCollection } from '../../../catalog/stored-collection.ts'
import type { TakenRow } from '../../../catalog/taken-row.ts'
import { MigrationError, StorageError } from '../../../contract/errors.ts'
import { decodeKey } from '../../../key/codec.ts'
import { patternRange } from '../../../key/pattern.ts'
import { PatternIndex } from '../../../key/pattern-index.ts'
import { drizzleOver } from '../module/drizzle-over.ts'
import type { Connection, EngineStatement } from '../module/sqlite-module.ts'
import { holdsBigints } from './index-text.ts'
import { type BuiltIndex, builtIndexes } from './indexes.ts'
import { readPastSchemas } from './past-schemas.ts'
import { keepWeights, knownSearches } from './search-indexes.ts'
import type { KvTables } from './table.ts'

type Row = Readonly<Record<string, unknown>>

/** The catalogue of a database. Throws a StorageError if another program has written there, or the file is damaged. */
export function readCatalog(
  connection: Connection,
  indexes: readonly BuiltIndex[] = builtIndexes(connection),
): Catalog {
  // All existing columns: an older release has fewer.
  const rows = connection.prepare<[], Row>('SELECT * FROM kv_collections ORDER BY name').all()
  const built = indexes.flatMap(({ declaration, text }) =>
    declaration === null ? [] : { ...declaration, ordersBigints: holdsBigints(text) },
  )
  try {
    return withSearches(catalogOf(rows, built, readPastSchemas(connection)), knownSearches(connection))
  } catch (error) {
    throw error instanceof DamagedCollection ? damaged(error) : error
  }
}

/** Reads the version of the catalogue. */
export function versionReader(connection: Connection): () => number {
  let newest: EngineStatement<[], number | null> | null = null
  return () => {
    newest ??= connection.prepare<[], number | null>('SELECT max(version) FROM kv_collections').pluck()
    return newest.get() ?? 0
  }
}

function damaged(error: DamagedCollection): StorageError {
  const { collection, message, mend, cause } = error
  return new StorageError(
    'SQLITE_CORRUPT',
    `The stored schema '${collection}' is damaged, ${message}: restore the file from a backup, or ${mend}`,
    { cause },
  )
}

/** Writes collections, inside the open transaction. `touchCatalog` tells others. */
export function keepCollections(
  connection: Connection,
  { kvCollections }: KvTables,
  collections: readonly Collection[],
): void {
  const db = drizzleOver(connection)
  for (const collection of collections) {
    const { name, ...row } = storedCollection(collection)
    db.insert(kvCollections)
      .values({ name, version: 0, ...row })
      .onConflictDoUpdate({ target: kvCollections.name, set: row })
      .run()
    keepWeights(connection, collection)
  }
}

let changes = 0

/** How often this process has changed the catalogue of any database. */
export function ownCatalogChanges(): number {
  return changes
}

/**
 * Gives collections of the catalogue the version of a commit of their own, so that processes with the database open notice. Returns
 * that version.
 */
export function touchCatalog(
  connection: Connection,
  { kvCollections, kvLog }: KvTables,
  names: readonly string[],
): number {
  changes += 1
  const db = drizzleOver(connection)
  const version = latestLogged(connection) + 1
  db.insert(kvLog)
    .values({ version, at: Date.now(), changes: Buffer.alloc(0) })
    .run()
  db.update(kvCollections)
    .set({ version })
    .where(inArray(kvCollections.name, [...names]))
    .run()
  return version
}

/** Renames the collections of rows, all at once, because names may be swapped. */
export function renameRows(
  connection: Connection,
  { kv, kvCollections }: KvTables,
  renamed: ReadonlyMap<string, string>,
): void {
  if (renamed.size === 0) return
  const db = drizzleOver(connection)
  const cases = [...renamed].map(([from, to]) => sql`WHEN ${from} THEN ${to}`)
  const names = [...renamed.keys()]
  db.update(kv)
    .set({ collection: sql`CASE collection ${sql.join(cases, sql` `)} END` })
    .where(inArray(kv.collection, names))
    .run()
  for (const name of names) db.delete(kvCollections).where(eq(kvCollections.name, name)).run()
}

/** Files the rows that changed patterns may match under the most specific of all patterns. */
export function fileRows(
  connection: Connection,
  collections: readonly Pick<Collection, 'name' | 'pattern'>[],
  changed: readonly Pick<Collection, 'pattern'>[],
): void {
  if (changed.length === 0) return
  provideFiling(connection, collections)
  const db = drizzleOver(connection)
  for (const { pattern } of changed) {
    const { start, end } = patternRange(pattern)
    db.run(sql`UPDATE kv SET collection = valkeyrie_collection(key)
      WHERE key >= ${start} AND key < ${end} AND collection IS NOT valkeyrie_collection(key)`)
  }
}

/** A row that one of the added patterns would take from its collection, with the two names. */
export function takenRow(
  connection: Connection,
  { kv }: KvTables,
  collections: readonly Collection[],
  added: readonly Collection[],
): TakenRow | null {
  if (added.length === 0) return null
  provideFiling(connection, collections)
  const db = drizzleOver(connection)
  for (const { name, pattern } of added) {
    const { start, end } = patternRange(pattern)
    const row = db
      .select({ key: kv.key, from: kv.collection })
      .from(kv)
      .where(sql`key >= ${start} AND key < ${end} AND collection <> valkeyrie_collection(key)
        AND valkeyrie_collection(key) = ${name} AND (expires_at IS NULL OR expires_at > ${Date.now()})`)
      .limit(1)
      .get()
    if (row !== undefined) return { key: row.key, from: row.from!, by: name }
  }
  return null
}

/** Registers the SQL function that finds which of these collections a key belongs to. */
function provideFiling(
  connection: Connection,
  collections: readonly Pick<Collection, 'name' | 'pattern'>[],
): void {
  const index = new PatternIndex(collections.map(({ name, pattern }) => [pattern, name]))
  connection.function('valkeyrie_collection', { deterministic: true }, (key) => {
    if (!(key instanceof Uint8Array)) throw new MigrationError('A row of kv has a key that is not bytes')
    return index.find(decodeKey(key)) ?? null
  })
}

/** Tells those who have the database open that these collections have changed. */
export function markMigrated(connection: Connection, names: readonly string[], version: number): void {
  const mark = connection.prepare('UPDATE kv_collections SET migrated = ? WHERE name = ?')
  for (const name of names) mark.run(version, name)
}

/** Reads a number that changes whenever any release changes the schema of the file. */
export function schemaVersionReader(connection: Connection): () => number {
  const read = connection.prepare<[], number>('PRAGMA schema_version').pluck()
  return () => read.get()!
}

/** The newest version; 0 without commits. */
function latestLogged(connection: Connection): number {
  return connection.prepare<[], number | null>('SELECT max(version) FROM kv_log').pluck().get() ?? 0
}
