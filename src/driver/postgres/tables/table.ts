import { type SQL, sql } from 'drizzle-orm'
import {
  bigint,
  customType,
  index,
  json,
  pgSchema,
  pgTable,
  smallint,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { collectionOf } from '../../../catalog/collection-of.ts'
import type { AnyDefinition } from '../../../schema/definition.types.ts'
import { indexNameClash } from '../../../schema/index-name.ts'
import { declaredIndexes, type IndexedCollection } from './indexes.ts'
import { indexedColumns, ofCollection, type TypedIndex } from './typed-index.ts'

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })

/** The Drizzle tables of a database in this schema of the server, without the indexes that schemas declare. */
export function postgresTables(schema: string): PostgresTables {
  return makeTables(pgSchema(schema).table)
}

/**
 * The Drizzle tables of a database on PostgreSQL with these schemas and their indexes, for drizzle-kit and `valkeyrie generate`
 * to read from a schema module. They name no schema of the server: you name it when you open or migrate the database.
 *
 * ```ts
 * import { postgresKvTables } from 'valkeyrie/postgres'
 *
 * const { kv, kvLog, kvCollections } = postgresKvTables([books])
 * Object.keys(kv).slice(0, 4) // => ['key', 'collection', 'encoding', 'types']
 * ```
 *
 * Throws a TypeError if two indexes would have the same name; the message says how to mend it.
 */
export function postgresKvTables(definitions: readonly AnyDefinition[]): PostgresTables {
  const clash = indexNameClash(definitions)
  if (clash !== null) throw new TypeError(clash)
  // For a table without a schema, only the type differs.
  return makeTables(pgTable as unknown as CreateTable, declaredIndexes(definitions.map(collectionOf)))
}

/** The tables of collections after a migration. */
export function tablesOf(collections: readonly IndexedCollection[]): PostgresTables {
  return makeTables(pgTable as unknown as CreateTable, declaredIndexes(collections))
}

type CreateTable = ReturnType<typeof pgSchema>['table']

function makeTables(create: CreateTable, indexes: ReadonlyMap<string, TypedIndex> = new Map()) {
  const kv = create(
    'kv',
    {
      key: bytea('key').primaryKey(),
      collection: text('collection'),
      encoding: smallint('encoding').notNull(),
      types: json('types'),
      version: bigint('version', { mode: 'number' }).notNull(),
      expiresAt: bigint('expires_at', { mode: 'number' }),
      /** What the texts of the value stand for, if SQL cannot see that in `types`. */
      meanings: json('meanings'),
      /** Null if the value is bytes. */
      value: json('value'),
      raw: bytea('raw'),
    },
    (table) => [
      index('kv_collection').on(table.collection, table.key).where(sql`collection IS NOT NULL`),
      index('kv_expires_at').on(table.expiresAt, table.key).where(sql`expires_at IS NOT NULL`),
      ...Array.from(indexes, ([name, declared]) => {
        const [first, ...rest] = indexedColumns(declared).map((column) =>
          sql.raw(`(${column}) NULLS FIRST`),
        ) as [SQL, ...SQL[]]
        const columns = declared.unique ? rest : [...rest, table.key]
        return (declared.unique ? uniqueIndex : index)(name)
          .on(first, ...columns)
          .where(sql.raw(ofCollection(declared)))
      }),
    ],
  )
  const kvLog = create('kv_log', {
    version: bigint('version', { mode: 'number' }).primaryKey(),
    at: bigint('at', { mode: 'number' }).notNull(),
    keys: bytea('keys').array().notNull(),
    kinds: bytea('kinds').notNull(),
    /** What the commit changed, including values; null if the log keeps none. */
    changes: bytea('changes'),
    batch: bytea('batch'),
  })
  const kvCollections = create('kv_collections', {
    name: text('name').primaryKey(),
    pattern: text('pattern').notNull(),
    schema: text('schema'),
    version: bigint('version', { mode: 'number' }).notNull(),
    indexes: text('indexes'),
    references: text('references'),
    migrated: bigint('migrated', { mode: 'number' }),
  })
  return { kv, kvLog, kvCollections }
}

type Tables = ReturnType<typeof makeTables>
type Kv = Tables['kv']
type KvLog = Tables['kvLog']
type KvCollections = Tables['kvCollections']

// Interfaces, so that the declarations of a program that exports its tables name these and not Drizzle's machinery.

/** The Drizzle table of the values, on PostgreSQL. */
export interface PostgresKvTable extends Kv {}
/** The Drizzle table of what each commit changed, on PostgreSQL. */
export interface PostgresKvLogTable extends KvLog {}
/** The Drizzle table of the declared schemas, on PostgreSQL. */
export interface PostgresKvCollectionsTable extends KvCollections {}

/** The `tables` of a database on PostgreSQL. */
export interface PostgresTables {
  readonly kv: PostgresKvTable
  readonly kvLog: PostgresKvLogTable
  readonly kvCollections: PostgresKvCollectionsTable
}
