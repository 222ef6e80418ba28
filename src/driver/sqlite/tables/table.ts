import { type SQL, sql } from 'drizzle-orm'
import { blob, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { IndexDeclaration } from '../../../catalog/catalog.ts'
import { indexName, indexNameClash } from '../../../schema/index-name.ts'

/** The parts of a declared schema that `kvTables` needs; every Definition has them. */
export interface IndexedCollection {
  readonly name: string
  readonly indexes: readonly IndexDeclaration[]
}

/** A name as SQLite compares it: without the case of A to Z. */
export function foldedName(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/** The columns of `kv`. */
export function kvColumns() {
  return {
    key: blob('key', { mode: 'buffer' }).primaryKey().notNull(),
    collection: text('collection'),
    encoding: integer('encoding').notNull(),
    types: text('types'),
    version: integer('version').notNull(),
    expiresAt: integer('expires_at'),
    // Last, because a value larger than a page would separate the key from the columns after it.
    value: text('value').notNull(),
  }
}

/**
 * The Drizzle tables of a database with these schemas and their indexes. Export them from your schema module for drizzle-kit.
 *
 * ```ts
 * const { kv, kvLog, kvCollections } = kvTables([books])
 * Object.keys(kv) // => ['key', 'collection', 'encoding', 'types', 'version', 'expiresAt', 'value']
 * ```
 *
 * Throws a TypeError if two indexes would have the same name; the message says how to mend it. For SQLite, names that differ only
 * in case are the same.
 */
export function kvTables(collections: readonly IndexedCollection[] = []): KvTables {
  const clash = indexNameClash(collections, foldedName)
  if (clash !== null) throw new TypeError(clash)
  return makeTables(collections)
}

/** The same for collections that are already known to a database or to migrations. */
export function tablesOf(collections: readonly IndexedCollection[]): KvTables {
  return makeTables(collections)
}

/** Like `kvTables`, but made on first use: opening a complete file needs none, and they take Drizzle a millisecond. */
export function lazyTables(collections: readonly IndexedCollection[]): KvTables {
  let made: KvTables | undefined
  const tables = () => {
    made ??= tablesOf(collections)
    return made
  }
  return {
    get kv() {
      return tables().kv
    },
    get kvLog() {
      return tables().kvLog
    },
    get kvCollections() {
      return tables().kvCollections
    },
  }
}

function makeTables(collections: readonly IndexedCollection[]) {
  const kv = sqliteTable('kv', kvColumns(), (table) => [
    index('kv_collection').on(table.collection, table.key).where(sql`collection IS NOT NULL`),
    index('kv_expires_at').on(table.expiresAt).where(sql`expires_at IS NOT NULL`),
    // A partial index over arrow expressions. SQLite uses it for a query that repeats both the expression and the condition on
    // `collection` exactly. drizzle-kit splits an index expression at its commas, so `json_extract(value, …)` does not work.
    ...collections.flatMap(({ name, indexes }) =>
      indexes.map((declaration) => {
        const create = declaration.unique ? uniqueIndex : index
        const [first, ...rest] = declaration.fields.flatMap((field) => indexColumns(field, declaration)) as [
          SQL,
          ...SQL[],
        ]
        // With the key in the index, rows with equal fields come out in a total order without a sort.
        const columns = declaration.unique ? rest : [...rest, table.key]
        return create(indexName(name, declaration))
          .on(first, ...columns)
          .where(ofCollection(name))
      }),
    ),
  ])
  const kvLog = sqliteTable('kv_log', {
    version: integer('version').primaryKey(),
    at: integer('at').notNull(),
    changes: blob('changes', { mode: 'buffer' }).notNull(),
  })
  const kvCollections = sqliteTable('kv_collections', {
    name: text('name').primaryKey(),
    pattern: text('pattern').notNull(),
    schema: text('schema'),
    version: integer('version').notNull(),
    // Null if an older release has written the row, which only keeps what its indexes themselves show.
    indexes: text('indexes'),
    references: text('references'),
    migrated: integer('migrated'),
  })
  return { kv, kvLog, kvCollections }
}

type Tables = ReturnType<typeof makeTables>
type Kv = Tables['kv']
type KvLog = Tables['kvLog']
type KvCollections = Tables['kvCollections']

// Interfaces, so that the declarations of a program that exports its tables name these and not Drizzle's machinery.

/** The Drizzle table of the values. */
export interface KvTable extends Kv {}
/** The Drizzle table of what each commit changed. */
export interface KvLogTable extends KvLog {}
/** The Drizzle table of the declared schemas. */
export interface KvCollectionsTable extends KvCollections {}

/** The result of `kvTables`: `kv` for the values, `kvLog` for what each commit changed, `kvCollections` for the schemas. */
export interface KvTables {
  readonly kv: KvTable
  readonly kvLog: KvLogTable
  readonly kvCollections: KvCollectionsTable
}

/** What an index contains for a field. For a bigint to be kept in order: first the integer that SQLite casts it to. */
function indexColumns(field: string, { bigints = [] }: IndexDeclaration): SQL[] {
  const expression = indexedExpression(field)
  return bigints.includes(field) ? [sql`CAST(${expression} AS INTEGER)`, expression] : [expression]
}

/** `value ->> '$.address.city'`: the expression shared by an index on this path and its queries. */
export function indexedExpression(path: string, value?: SQL): SQL {
  return fieldExpression(path.split('.'), value)
}

/** `value ->> '$.address.city'`. */
export function fieldExpression(names: readonly string[], value: SQL = sql.raw('value')): SQL {
  return sql`${value} ->> ${jsonPath(names)}`
}

/** `'$.address.city'`: the path of a field, as a literal. */
export function jsonPath(names: readonly string[]): SQL {
  return sql.raw(jsonPathText(names))
}

export function jsonPathText(names: readonly string[]): string {
  const steps = names.map((name) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : JSON.stringify(name)))
  return quoteText(`$.${steps.join('.')}`)
}

/** The field of a JSON path: `address.city` for `$.address.city`; `null` for a path that `jsonPath` does not write. */
export function pathOfJson(path: string): string | null {
  if (!path.startsWith('$.')) return null
  const names: string[] = []
  for (let at = 1; at < path.length; ) {
    if (path[at] !== '.') return null
    const quoted = path[at + 1] === '"'
    const close = path.indexOf(quoted ? '"' : '.', at + (quoted ? 2 : 1))
    if (quoted && close === -1) return null
    const end = close === -1 ? path.length : close
    names.push(path.slice(at + (quoted ? 2 : 1), end))
    at = quoted ? end + 1 : end
  }
  return names.join('.')
}

/** `collection = 'users'`: the condition shared by an index and its queries; a bound name would not match it. */
export function ofCollection(name: string): SQL {
  return sql`collection = ${sql.raw(quoteText(name))}`
}

/** A text as a literal. */
export function quoteText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}
