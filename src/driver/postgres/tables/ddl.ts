import { quoteName, quoteText } from '../server/sql-text.ts'
import { commitFunction } from './commit-function.ts'
import { functions } from './functions.ts'

/** The format of the tables, as `kv_meta` says it. */
export const format = 1

/** The tables of a database. */
export const ownTableNames = ['kv', 'kv_log', 'kv_meta', 'kv_collections']

/** The name on which the commits of a schema are told; no longer than the server allows one to be. */
export function channelOf(schema: string): string {
  return `valkeyrie:${schema}`
}

/** The statements that create what a database has, where it is not there. They may be run by several at once, under a lock. */
export function ownTables(schema: string): string {
  const s = quoteName(schema)
  const channel = quoteText(channelOf(schema))
  return `
create schema if not exists ${s};

create table if not exists ${s}.kv (
  key bytea primary key,
  collection text,
  encoding smallint not null,
  types json,
  version bigint not null,
  expires_at bigint,
  meanings json,
  value json,
  raw bytea
);
create index if not exists kv_collection on ${s}.kv (collection, key) where collection is not null;
create index if not exists kv_expires_at on ${s}.kv (expires_at, key) where expires_at is not null;

create table if not exists ${s}.kv_log (
  version bigint primary key,
  at bigint not null,
  keys bytea[] not null,
  kinds bytea not null,
  changes bytea,
  batch bytea
);

create table if not exists ${s}.kv_meta (
  one boolean primary key default true check (one),
  format integer not null,
  version bigint not null,
  catalog bigint not null,
  turns text not null
) with (fillfactor = 10, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_scale_factor = 0);
insert into ${s}.kv_meta values (true, ${format}, 0, 0, '[]') on conflict do nothing;

create table if not exists ${s}.kv_collections (
  name text primary key,
  pattern text not null,
  schema text,
  version bigint not null,
  indexes text,
  "references" text,
  migrated bigint
);

${commitFunction(s, channel)}
${functions(s, channel)}
`
}
