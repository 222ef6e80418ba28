import type Database from 'better-sqlite3'
import { and, count, gt, isNotNull, lte, max, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { MigrationError } from '../../errors.ts'
import { decodeKey } from '../../key/codec.ts'
import { ChangeLog } from './change-log.ts'
import { createIndexes } from './ddl.ts'
import { engineCode } from './engine-error.ts'
import { fieldExpression, type IndexedCollection, indexName, type KvTables, ofCollection } from './table.ts'

const mostDuplicatesListed = 10

/** What has to be done for the indexes of `kv` to be the declared ones. */
export interface IndexChanges {
  readonly drop: readonly string[]
  readonly create: readonly string[]
}

/**
 * Compares the indexes that are there with the declared ones. An index of a collection that is not declared here is
 * another program's, and stays.
 */
export function indexChanges(
  connection: Database.Database,
  { kv }: KvTables,
  collections: readonly IndexedCollection[],
): IndexChanges {
  const declared = createIndexes(kv)
  const actual = connection
    .prepare<[], { name: string; sql: string }>(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'kv' AND sql IS NOT NULL",
    )
    .all()
  const conditions = collections.map(({ name }) => ` WHERE collection = '${name.replaceAll("'", "''")}'`)
  const same = new Set<string>()
  const drop: string[] = []
  for (const { name, sql: text } of actual) {
    if (declared.get(name)?.replace(' IF NOT EXISTS', '') === text) same.add(name)
    else if (declared.has(name) || conditions.some((condition) => text.endsWith(condition))) drop.push(name)
  }
  return { drop, create: [...declared.keys()].filter((name) => !same.has(name)) }
}

/** Makes the changes, inside the transaction that is open. */
export function applyIndexChanges(
  connection: Database.Database,
  tables: KvTables,
  collections: readonly IndexedCollection[],
  { drop, create }: IndexChanges,
): void {
  const declared = createIndexes(tables.kv)
  for (const name of drop) connection.exec(`DROP INDEX "${name.replaceAll('"', '""')}"`)
  if (create.length > 0) removeExpired(connection, tables)
  for (const name of create) {
    try {
      connection.exec(declared.get(name)!)
    } catch (error) {
      if (engineCode(error) !== 'SQLITE_CONSTRAINT_UNIQUE') throw error
      throw duplicatesError(connection, tables, collections, name, error)
    }
  }
}

/** Rows that have expired must not keep a unique index from being built; the log tells that they are gone. */
function removeExpired(connection: Database.Database, { kv, kvLog }: KvTables): void {
  const db = drizzle(connection)
  const now = Date.now()
  const expired = and(isNotNull(kv.expiresAt), lte(kv.expiresAt, now))
  const log = new ChangeLog(false)
  const rows = db.delete(kv).where(expired).returning({ key: kv.key }).all()
  if (rows.length === 0) return
  for (const { key } of rows) log.add('expire', key)
  const latest =
    db
      .select({ version: max(kvLog.version) })
      .from(kvLog)
      .get()?.version ?? 0
  db.insert(kvLog)
    .values({ version: latest + 1, at: now, changes: Buffer.from(log.take()) })
    .run()
}

/** Tells which rows keep a unique index from being built; gives `cause` back for an index that is none of the collections'. */
export function duplicatesError(
  connection: Database.Database,
  { kv }: KvTables,
  collections: readonly IndexedCollection[],
  name: string,
  cause: unknown,
): unknown {
  for (const collection of collections) {
    const index = collection.indexes.find((declaration) => indexName(collection.name, declaration) === name)
    if (index === undefined) continue
    const fields = index.fields.map((field) => fieldExpression(field))
    const groups = drizzle(connection)
      .select({ keys: sql<string>`group_concat(hex(key))` })
      .from(kv)
      .where(and(ofCollection(collection.name), ...fields.map((field) => isNotNull(field))))
      .groupBy(...fields)
      .having(gt(count(), 1))
      .limit(mostDuplicatesListed)
      .all()
    const lists = groups.map(({ keys }) =>
      keys
        .split(',')
        .slice(0, mostDuplicatesListed)
        .map((key) => JSON.stringify(decodeKey(Buffer.from(key, 'hex')).map(String)))
        .join(' and '),
    )
    const what = `the unique index of ${collection.name} on ${index.fields.join(' and ')}`
    return new MigrationError(`Cannot build ${what}: the same values are in ${lists.join('; ')}`, { cause })
  }
  return cause
}
