import { quoteName, quoteText } from '../server/sql-text.ts'
import { commitFunction } from './commit-function.ts'
import { functions } from './functions.ts'
import { pastSchemasTable } from './past-schemas.ts'

/** The format of the tables, as in `kv_meta`. */
export const format = 1

/** The tables of a database. */
export const ownTableNames = ['kv', 'kv_log', 'kv_meta', 'kv_collections', pastSchemasTable]

/** Drizzle's journal, in the schema of the database, like drizzle-kit's with `migrations: { schema }` in its configuration. */
export const journalTable = '__drizzle_migrations'

/** The channel that announces commits of a schema; no longer than the server allows. */
export function channelOf(schema: string): string {
  return `valkeyrie:${schema}`
}

/** The definition of each table, after its name. */
const tables = {
  kv: `(
  key bytea primary key,
  collection text,
  encoding smallint not null,
  types json,
  version bigint not null,
  expires_at bigint,
  meanings json,
  value json,
  raw bytea
)`,
  kv_log: `(
  version bigint primary key,
  at bigint not null,
  keys bytea[] not null,
  kinds bytea not null,
  changes bytea,
  batch bytea
)`,
  kv_meta: `(
  one boolean primary key default true check (one),
  format integer not null,
  version bigint not null,
  catalog bigint not null,
  turns text not null
) with (fillfactor = 10, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_scale_factor = 0)`,
  kv_collections: `(
  name text primary key,
  pattern text not null,
  schema text,
  version bigint not null,
  indexes text,
  "references" text,
  migrated bigint
)`,
}

/** The indexes of `kv` that every database has. */
const indexes = {
  kv_collection: '(collection, key) where collection is not null',
  kv_expires_at: '(expires_at, key) where expires_at is not null',
}

/** The statement that creates one of the tables, wherever tables are created. */
export function createTable(name: string): string | null {
  return name in tables ? `CREATE TABLE "${name}" ${tables[name as keyof typeof tables]}` : null
}

/** The statements that create the indexes of every database, by name. */
export function createFixedIndexes(): Map<string, string> {
  return new Map(Object.entries(indexes).map(([name, on]) => [name, `CREATE INDEX "${name}" ON "kv" ${on}`]))
}

/**
 * Creates the schema if it is missing. Checks first, because the server refuses even an existing one to roles that may not create
 * any.
 */
export function createSchema(schema: string): string {
  const s = quoteName(schema)
  return `do $kv$ begin
  if to_regnamespace(${quoteText(s)}) is null then execute ${quoteText(`create schema ${s}`)}; end if;
end $kv$`
}

/** The statements that create what is missing. Several may run them, under a lock. */
export function ownTables(schema: string): string {
  const s = quoteName(schema)
  const channel = quoteText(channelOf(schema))
  const statements = [
    createSchema(schema),
    ...Object.entries(tables).map(([name, of]) => `create table if not exists ${s}.${name} ${of}`),
    ...Object.entries(indexes).map(([name, on]) => `create index if not exists ${name} on ${s}.kv ${on}`),
    `insert into ${s}.kv_meta select true, ${format}, coalesce((select max(version) from ${s}.kv_log), 0),
      coalesce(max(version), 0), '[]' from ${s}.kv_collections on conflict do nothing`,
  ]
  return `
${statements.join(';\n')};
${commitFunction(s, channel)}
${functions(s, channel)}
`
}
