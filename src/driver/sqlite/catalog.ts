import type Database from 'better-sqlite3'
import { eq, inArray, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { Catalog, Collection, KnownCollection, KnownIndex } from '../../catalog/catalog.ts'
import { sameIndex } from '../../catalog/catalog.ts'
import { parsePatternText, patternText } from '../../catalog/pattern-text.ts'
import { MigrationError, StorageError } from '../../errors.ts'
import { decodeKey } from '../../key/codec.ts'
import { patternRange } from '../../key/pattern.ts'
import { PatternIndex } from '../../key/pattern-index.ts'
import { isStamp } from '../../key/versionstamp.ts'
import { holdsBigints } from './index-text.ts'
import { type BuiltIndex, builtIndexes } from './indexes.ts'
import type { KvTables } from './table.ts'

/** What an index that is there declares, whoever has made it. */
type BuiltDeclaration = Pick<KnownIndex, 'fields' | 'unique' | 'ordersBigints'>

type Row = Readonly<Record<string, unknown>>

/** What the database knows. A StorageError where something else has written there, or the file is damaged. */
export function readCatalog(
  connection: Database.Database,
  indexes: readonly BuiltIndex[] = builtIndexes(connection),
): Catalog {
  // Every column that there is: one of an older release has fewer of them.
  const rows = connection.prepare<[], Row>('SELECT * FROM kv_collections ORDER BY name').all()
  const built = indexes.flatMap(({ declaration, text }) =>
    declaration === null ? [] : { ...declaration, ordersBigints: holdsBigints(text) },
  )
  const collections = rows.map((row) => {
    const there = built.filter(({ collection }) => collection === row['name'])
    return readCollection(row, there)
  })
  const patterns = new Map(collections.map((it) => [patternText(it.pattern), it.name]))
  const double = collections.find((it) => patterns.get(patternText(it.pattern)) !== it.name)
  if (double !== undefined)
    throw damaged(double.name, `its pattern is that of ${patterns.get(patternText(double.pattern))}`)
  return {
    version: rows.reduce((newest, row) => Math.max(newest, Number(row['version'])), 0),
    collections,
  }
}

/** What reads the version of the catalogue, which changes with it. */
export function versionReader(connection: Database.Database): () => number {
  let newest: Database.Statement<[], number | null> | null = null
  return () => {
    newest ??= connection.prepare<[], number | null>('SELECT max(version) FROM kv_collections').pluck()
    return newest.get() ?? 0
  }
}

function readCollection(row: Row, built: readonly BuiltDeclaration[]): KnownCollection {
  const { name, pattern, schema, version, indexes = null, references = null, migrated = null } = row
  if (typeof name !== 'string') throw damaged(String(name), 'its name is no text')
  const read = <T>(column: string, parse: () => T): T => {
    try {
      return parse()
    } catch (cause) {
      throw damaged(name, `its ${column} cannot be read`, cause)
    }
  }
  if (!isStamp(version)) throw damaged(name, 'its version is none')
  if (migrated !== null && !Number.isSafeInteger(migrated))
    throw damaged(name, 'its last migration is no number')
  return {
    name,
    pattern: read('pattern', () => parsePatternText(text(pattern))),
    schema: read('schema', () => (schema === null ? null : object(JSON.parse(text(schema))))),
    indexes: read('indexes', () => knownIndexes(indexes === null ? [] : JSON.parse(text(indexes)), built)),
    references: read('references', () =>
      references === null ? {} : referencesOf(object(JSON.parse(text(references)))),
    ),
    migrated: (migrated as number | null) ?? 0,
  }
}

/** Those that are kept as declared, and others that are there. */
function knownIndexes(kept: unknown, built: readonly BuiltDeclaration[]): KnownIndex[] {
  if (!Array.isArray(kept)) throw new TypeError('no array of indexes')
  const declared = kept.map((index) => {
    const { fields, unique } = object(index) as { fields?: unknown; unique?: unknown }
    if (!Array.isArray(fields) || typeof unique !== 'boolean') throw new TypeError('no index')
    return { fields: fields.map(text), unique }
  })
  const others = built.filter((index) => !declared.some((it) => sameIndex(it, index)))
  return [...declared, ...others].map(({ fields, unique }) => {
    const same = built.find((index) => sameIndex(index, { fields, unique }))
    return { fields, unique, built: same !== undefined, ordersBigints: same?.ordersBigints ?? false }
  })
}

function referencesOf(kept: object): Record<string, string> {
  return Object.fromEntries(Object.entries(kept).map(([field, name]) => [field, text(name)]))
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('no text')
  return value
}

function object(value: unknown): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('no object')
  return value
}

function damaged(name: string, reason: string, cause?: unknown): StorageError {
  return new StorageError(
    'SQLITE_CORRUPT',
    `What the database keeps of the schema '${name}' is damaged, ${reason}: restore the file from a backup, or delete this row of kv_collections and open the file with that schema`,
    { cause },
  )
}

/** Writes what is to be kept of collections, inside the transaction that is open. `touchCatalog` tells others of it. */
export function keepCollections(
  connection: Database.Database,
  { kvCollections }: KvTables,
  collections: readonly Collection[],
): void {
  const db = drizzle(connection)
  for (const { name, pattern, schema, indexes, references } of collections) {
    const row = {
      pattern: patternText(pattern),
      schema: schema && JSON.stringify(schema),
      indexes: JSON.stringify(indexes.map(({ fields, unique }) => ({ fields, unique }))),
      references: JSON.stringify(references),
    }
    db.insert(kvCollections)
      .values({ name, version: 0, ...row })
      .onConflictDoUpdate({ target: kvCollections.name, set: row })
      .run()
  }
}

let changes = 0

/** How often this process has changed a catalogue, of whichever database. */
export function ownCatalogChanges(): number {
  return changes
}

/**
 * Gives collections of the catalogue the version of a commit of their own, so that the processes which have the database open notice
 * that something has changed. Gives that version.
 */
export function touchCatalog(
  connection: Database.Database,
  { kvCollections, kvLog }: KvTables,
  names: readonly string[],
): number {
  changes += 1
  const db = drizzle(connection)
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

/** Gives the rows of collections other names, all at once: they may change places. */
export function renameRows(
  connection: Database.Database,
  { kv, kvCollections }: KvTables,
  renamed: ReadonlyMap<string, string>,
): void {
  if (renamed.size === 0) return
  const db = drizzle(connection)
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
  connection: Database.Database,
  collections: readonly Pick<Collection, 'name' | 'pattern'>[],
  changed: readonly Pick<Collection, 'pattern'>[],
): void {
  if (changed.length === 0) return
  provideFiling(connection, collections)
  const db = drizzle(connection)
  for (const { pattern } of changed) {
    const { start, end } = patternRange(pattern)
    db.run(sql`UPDATE kv SET collection = valkeyrie_collection(key)
      WHERE key >= ${start} AND key < ${end} AND collection IS NOT valkeyrie_collection(key)`)
  }
}

/** A row that one of the added patterns would take out of the collection that it is filed under, and the two names. */
export function takenRow(
  connection: Database.Database,
  { kv }: KvTables,
  collections: readonly Collection[],
  added: readonly Collection[],
): { readonly key: Uint8Array; readonly from: string; readonly by: string } | null {
  if (added.length === 0) return null
  provideFiling(connection, collections)
  const db = drizzle(connection)
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

/** Makes the SQL function that tells under which of these collections a key is filed. */
function provideFiling(
  connection: Database.Database,
  collections: readonly Pick<Collection, 'name' | 'pattern'>[],
): void {
  const index = new PatternIndex(collections.map(({ name, pattern }) => [pattern, name]))
  connection.function('valkeyrie_collection', { deterministic: true }, (key) => {
    if (!(key instanceof Uint8Array)) throw new MigrationError('A row of kv has a key that is not bytes')
    return index.find(decodeKey(key)) ?? null
  })
}

/** Tells those who have the database open that these collections are no longer as they knew them. */
export function markMigrated(connection: Database.Database, names: readonly string[], version: number): void {
  const mark = connection.prepare('UPDATE kv_collections SET migrated = ? WHERE name = ?')
  for (const name of names) mark.run(version, name)
}

/** What reads a number that changes with every change of the schema of the file, whichever release makes it. */
export function schemaVersionReader(connection: Database.Database): () => number {
  const read = connection.prepare<[], number>('PRAGMA schema_version').pluck()
  return () => read.get()!
}

/** The newest version; 0 for a database without commits. */
function latestLogged(connection: Database.Database): number {
  return connection.prepare<[], number | null>('SELECT max(version) FROM kv_log').pluck().get() ?? 0
}
