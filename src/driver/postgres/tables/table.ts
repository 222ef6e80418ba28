import { sql } from 'drizzle-orm'
import { bigint, customType, index, json, pgSchema, smallint, text } from 'drizzle-orm/pg-core'

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })

/** The Drizzle tables of a database in this schema of the server, without the indexes that schemas declare. */
export function postgresTables(schema: string): PostgresTables {
  return makeTables(schema)
}

function makeTables(name: string) {
  const schema = pgSchema(name)
  const kv = schema.table(
    'kv',
    {
      key: bytea('key').primaryKey(),
      collection: text('collection'),
      encoding: smallint('encoding').notNull(),
      types: json('types'),
      version: bigint('version', { mode: 'number' }).notNull(),
      expiresAt: bigint('expires_at', { mode: 'number' }),
      /** What the texts of the value stand for, where `types` do not tell it to SQL. */
      meanings: json('meanings'),
      /** Null where the value is bytes. */
      value: json('value'),
      raw: bytea('raw'),
    },
    (table) => [
      index('kv_collection').on(table.collection, table.key).where(sql`collection IS NOT NULL`),
      index('kv_expires_at').on(table.expiresAt, table.key).where(sql`expires_at IS NOT NULL`),
    ],
  )
  const kvLog = schema.table('kv_log', {
    version: bigint('version', { mode: 'number' }).primaryKey(),
    at: bigint('at', { mode: 'number' }).notNull(),
    keys: bytea('keys').array().notNull(),
    kinds: bytea('kinds').notNull(),
    /** What the commit changed, values included; null where the log keeps none. */
    changes: bytea('changes'),
    batch: bytea('batch'),
  })
  const kvCollections = schema.table('kv_collections', {
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
