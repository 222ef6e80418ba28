import type Database from 'better-sqlite3'
import { eq, max, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { MigrationError } from '../../errors.ts'
import { decodeKey } from '../../key/codec.ts'
import { patternRange } from '../../key/pattern.ts'
import { PatternIndex } from '../../key/pattern-index.ts'
import type { Catalog, Collection } from '../driver.ts'
import { parsePatternText, patternText } from './pattern-text.ts'
import type { KvTables } from './table.ts'

/** Text, as all that every process runs: its first Drizzle query takes one two milliseconds to start with. */
const selectCollections = 'SELECT name, pattern, schema, version FROM kv_collections ORDER BY name'

/** The collections that the database knows. */
export function readCatalog(connection: Database.Database): Catalog {
  const rows = connection.prepare<[], KvTables['kvCollections']['$inferSelect']>(selectCollections).all()
  return {
    version: rows.reduce((newest, row) => Math.max(newest, row.version), 0),
    collections: rows.map((row) => ({
      name: row.name,
      pattern: parsePatternText(row.pattern),
      schema: row.schema === null ? null : JSON.parse(row.schema),
    })),
  }
}

/** Whether the database knows each of these collections under the same pattern and with the same schema. */
export function knowsCollections(catalog: Catalog, declared: readonly Collection[]): boolean {
  const known = new Set(catalog.collections.map(collectionText))
  return declared.every((collection) => known.has(collectionText(collection)))
}

/**
 * Makes the database know the declared collections, inside the transaction that is open, and files every row under the
 * most specific pattern that now matches its key. A known collection with the name or the pattern of a declared one
 * is replaced by it.
 */
export function registerCollections(
  connection: Database.Database,
  tables: KvTables,
  declared: readonly Collection[],
): void {
  const { kvCollections, kvLog } = tables
  const db = drizzle(connection)
  const catalog = readCatalog(connection)
  const known = new Map(catalog.collections.map((collection) => [collection.name, collection]))
  const added = declared.filter((collection) => {
    const stored = known.get(collection.name)
    return stored === undefined || patternText(stored.pattern) !== patternText(collection.pattern)
  })
  const names = new Set(declared.map((collection) => collection.name))
  const patterns = new Set(declared.map((collection) => patternText(collection.pattern)))
  const replaced = catalog.collections.filter(
    ({ name, pattern }) =>
      added.some((collection) => collection.name === name) ||
      (patterns.has(patternText(pattern)) && !names.has(name)),
  )
  const kept = catalog.collections.filter(
    ({ name }) => !names.has(name) && !replaced.some((it) => it.name === name),
  )

  const latest =
    db
      .select({ version: max(kvLog.version) })
      .from(kvLog)
      .get()?.version ?? 0
  const moves = added.length + replaced.length > 0
  const version = moves ? latest + 1 : catalog.version
  for (const { name } of replaced) db.delete(kvCollections).where(eq(kvCollections.name, name)).run()
  for (const { name, pattern, schema } of declared) {
    const row = { pattern: patternText(pattern), schema: schema && JSON.stringify(schema), version }
    db.insert(kvCollections)
      .values({ name, ...row })
      .onConflictDoUpdate({ target: kvCollections.name, set: row })
      .run()
  }
  if (!moves) return
  db.insert(kvLog)
    .values({ version, at: Date.now(), changes: Buffer.alloc(0) })
    .run()
  fileRows(connection, [...kept, ...declared], [...replaced, ...added])
}

/** Files the rows that a changed pattern may match under the most specific of all patterns. */
function fileRows(
  connection: Database.Database,
  collections: readonly Collection[],
  changed: readonly Collection[],
): void {
  const index = new PatternIndex(collections.map(({ name, pattern }) => [pattern, name]))
  connection.function('valkeyrie_collection', { deterministic: true }, (key) => {
    if (!(key instanceof Uint8Array)) throw new MigrationError('A row of kv has a key that is not bytes')
    return index.find(decodeKey(key)) ?? null
  })
  const db = drizzle(connection)
  for (const { pattern } of changed) {
    const { start, end } = patternRange(pattern)
    db.run(sql`UPDATE kv SET collection = valkeyrie_collection(key)
      WHERE key >= ${start} AND key < ${end} AND collection IS NOT valkeyrie_collection(key)`)
  }
}

function collectionText({ name, pattern, schema }: Collection): string {
  return JSON.stringify([name, patternText(pattern), schema])
}
