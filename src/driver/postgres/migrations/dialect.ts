import { is, View } from 'drizzle-orm'
import { isPgEnum, isPgSequence, PgSchema, PgTable } from 'drizzle-orm/pg-core'
import type { StoredChange, ToldChanges } from '../../../catalog/stored-change.ts'
import type { DeclaredTable } from '../../migration-database.ts'
import type { MigrationDialect } from '../../migration-dialect.ts'
import { tablesOf } from '../tables/table.ts'
import { searchStatement } from './search-statement.ts'
import { stagingTable } from './staging-sql.ts'
import { createIndexes, tableSql } from './table-sql.ts'
import { tryOut } from './try-out.ts'
import { changeSql, isWritable, nextVersion, quote } from './value-sql.ts'

/** Migrations in the SQL of PostgreSQL. They name no schema: they run in that of the database they are applied to. */
export const postgresDialect: MigrationDialect = {
  name: 'postgresql',
  statements: (groups) => groups.flatMap(groupSql),
  consumeSteps: (files) =>
    `-- The values that ${files.join(', ')} makes: "valkeyrie migrate" runs it, and no other migrator does.\nDROP TABLE "${stagingTable}"`,
  nothing: 'UPDATE kv_collections SET name = name WHERE false',
  isWritable,
  isTable: (exported): exported is DeclaredTable => is(exported, PgTable),
  isDeclared: (exported) =>
    [PgTable, PgSchema, View].some((entity) => is(exported, entity)) ||
    isPgEnum(exported) ||
    isPgSequence(exported),
  declaredBy: ['postgresKvTables', 'valkeyrie/postgres'],
  indexNames: (table) => [...createIndexes(table as PgTable)],
  declaredIndexNames: (collections) => [
    ...createIndexes(tablesOf(collections.map((it) => ({ schema: null, ...it }))).kv),
  ],
  tableSql,
  tryOut: async (migrations) => tryOut(migrations),
}

function groupSql({ told, changes }: ToldChanges): string[] {
  // The comment must stay on one line, and must not end the statement.
  const comment = `-- ${told.replaceAll(/\s+/g, ' ').replaceAll('-->', '->')}\n`
  return changes.flatMap(storedSql).map((statement, at) => (at === 0 ? comment : '') + statement)
}

function storedSql(change: StoredChange): readonly string[] {
  switch (change.type) {
    case 'removeExpired':
      return ['SELECT kv_remove_expired_1()']
    case 'refile': {
      const target = change.to === null ? 'NULL' : quote(change.to)
      return [`UPDATE kv SET collection = ${target} WHERE collection = ${quote(change.from)}`]
    }
    case 'tellGone':
      return [`SELECT kv_told_gone_1(${quote(change.collection)})`]
    case 'rekey': {
      const { from, to } = change
      const collection = quote(change.collection)
      const key = `decode('${Buffer.from(to).toString('hex')}', 'hex') || substring(key FROM ${from.length + 1})`
      return [`UPDATE kv SET key = ${key}, version = ${nextVersion}\nWHERE collection = ${collection}`]
    }
    case 'values':
      return changeSql(change.collection, change.change)
    case 'commit':
      return ['SELECT kv_told_1()']
    case 'forget':
      return [`DELETE FROM kv_collections WHERE name = ${quote(change.collection)}`]
    case 'declare': {
      const row = [quote(change.collection), quote(change.pattern), schemaSql(change.schema), 0].join(', ')
      return [`INSERT INTO kv_collections (name, pattern, schema, version)\nVALUES (${row})`]
    }
    case 'redeclare': {
      const name = quote(change.collection)
      return [`UPDATE kv_collections SET schema = ${schemaSql(change.schema)}\nWHERE name = ${name}`]
    }
    case 'renewCatalog':
      return ['SELECT kv_renew_catalog_1()']
    case 'dropSearch':
    case 'buildSearch':
      return [searchStatement(change)]
  }
}

function schemaSql(schema: unknown): string {
  return schema === null ? 'NULL' : quote(JSON.stringify(schema))
}
