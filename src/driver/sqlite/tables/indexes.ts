import { isDeepStrictEqual } from 'node:util'
import { and, count, gt, isNotNull, lte, max, sql } from 'drizzle-orm'
import { ChangeLog } from '../../../commit/log-format.ts'
import { MigrationError } from '../../../contract/errors.ts'
import { decodeKey } from '../../../key/codec.ts'
import { indexName, indexNameClash } from '../../../schema/index-name.ts'
import { engineCode } from '../file/engine-error.ts'
import { drizzleOver } from '../module/drizzle-over.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { createDeclaredIndexes } from './ddl.ts'
import { holdsBigints, type IndexText, readIndexText, sameStatement } from './index-text.ts'
import {
  foldedName,
  type IndexedCollection,
  indexedExpression,
  type KvTables,
  ofCollection,
} from './table.ts'

const mostDuplicatesListed = 10

/** An index of `kv`, and its declaration; `null` if no schema can declare it. */
export interface BuiltIndex {
  readonly name: string
  readonly text: string
  readonly declaration: IndexText | null
}

/** The existing indexes of `kv`, whoever has created them. */
export function builtIndexes(connection: Connection): BuiltIndex[] {
  return connection
    .prepare<[], { name: string; sql: string }>(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'kv' AND sql IS NOT NULL",
    )
    .all()
    .map(({ name, sql: text }) => ({ name, text, declaration: readIndexText(text) }))
}

/** How the indexes of `kv` differ from the declared ones, by name. */
export interface IndexChanges {
  /** Declared indexes that are missing. */
  readonly create: readonly string[]
  /** Indexes with the name of a declared one that no schema can declare, or that do not keep its bigints in order. */
  readonly replace: readonly string[]
  /** Indexes of these collections that are not declared here; another program may need them. */
  readonly extra: readonly string[]
}

/** Throws a MigrationError if another declaration already uses the name of a declared index. */
export function indexChanges(
  connection: Connection,
  collections: readonly IndexedCollection[],
  built: readonly BuiltIndex[] = builtIndexes(connection),
): IndexChanges {
  const declared = createDeclaredIndexes(collections)
  const declaredNames = new Map([...declared.keys()].map((name) => [foldedName(name), name]))
  const names = new Set(collections.map(({ name }) => name))
  const there = new Set<string>()
  const replace: string[] = []
  const extra: string[] = []
  for (const index of built) {
    const { name, declaration } = index
    const declaredName = declaredNames.get(foldedName(name))
    if (declaredName === undefined) {
      if (declaration !== null && names.has(declaration.collection)) extra.push(name)
    } else {
      const wanted = declared.get(declaredName)!
      there.add(declaredName)
      if (!isServing(index, declaredName, wanted)) replace.push(declaredName)
    }
  }
  return { create: [...declared.keys()].filter((name) => !there.has(name)), replace, extra }
}

/**
 * Whether an index with the name of a declared one is as good as that, whose statement is `wanted`. Throws a MigrationError if it is of
 * another declaration.
 */
export function isServing({ text, declaration }: BuiltIndex, name: string, wanted: string): boolean {
  if (sameStatement(text, wanted)) return true
  if (declaration === null) return false
  if (!isDeepStrictEqual(declaration, readIndexText(wanted))) throw takenName(name, declaration)
  // An index that keeps bigints in order also serves an opener that does not know that they are bigints.
  return holdsBigints(text) && !holdsBigints(wanted)
}

/** Throws a MigrationError if two indexes that a database knows, of different programs or of another engine, would have one name. */
export function assertBuildable(collections: readonly IndexedCollection[]): void {
  const clash = indexNameClash(collections, foldedName)
  if (clash !== null) throw new MigrationError(`${clash}, or drop one of them with dropIndexes`)
}

function takenName(name: string, { collection, fields }: IndexText): MigrationError {
  return new MigrationError(
    `An index would be called ${name}, like the one of '${collection}' on ${fields.join(' and ')}: give a repository or a field another name, or drop that index with dropIndexes`,
    { repository: collection },
  )
}

export function dropIndex(connection: Connection, name: string): void {
  connection.exec(`DROP INDEX "${name.replaceAll('"', '""')}"`)
}

/** Builds indexes inside the open transaction, existing ones again. */
export function buildIndexes(
  connection: Connection,
  tables: KvTables,
  collections: readonly IndexedCollection[],
  { create, replace }: Pick<IndexChanges, 'create' | 'replace'>,
): void {
  const declared = createDeclaredIndexes(collections)
  for (const name of replace) dropIndex(connection, name)
  const names = [...create, ...replace]
  if (names.length > 0) removeExpired(connection, tables)
  for (const name of names) {
    try {
      connection.exec(declared.get(name)!)
    } catch (error) {
      if (engineCode(error) !== 'SQLITE_CONSTRAINT_UNIQUE') throw error
      throw duplicatesError(connection, tables, collections, name, error)
    }
  }
}

/** Expired rows must not prevent a unique index; the log reports that they are gone. */
export function removeExpired(connection: Connection, { kv, kvLog }: KvTables): void {
  const db = drizzleOver(connection)
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

/** Finds the rows that prevent a unique index; returns `cause` for an index of no collection. */
export function duplicatesError(
  connection: Connection,
  { kv }: KvTables,
  collections: readonly IndexedCollection[],
  name: string,
  cause: unknown,
): unknown {
  for (const collection of collections) {
    const index = collection.indexes.find((declaration) => indexName(collection.name, declaration) === name)
    if (index === undefined) continue
    const fields = index.fields.map((field) => indexedExpression(field))
    const groups = drizzleOver(connection)
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
