import { is } from 'drizzle-orm'
import { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { StoredChange, ToldChanges } from '../../../catalog/stored-change.ts'
import type { DeclaredTable } from '../../migration-database.ts'
import type { MigrationDialect } from '../../migration-dialect.ts'
import { createIndexes } from '../tables/ddl.ts'
import { createSearch, dropSearch } from '../tables/search-tables.ts'
import { kvTables } from '../tables/table.ts'
import { logCommit, logDeletions, newCatalogVersion, nextVersion, removeExpired } from './log-sql.ts'
import { stagingTable } from './staging-table.ts'
import { tableSql } from './table-sql.ts'
import { changeSql, isWritable, quote } from './value-sql.ts'

/** Migrations in the SQL of SQLite. */
export const sqliteDialect: MigrationDialect = {
  name: 'sqlite',
  statements: (groups) => groups.flatMap(groupSql),
  consumeSteps: (files) =>
    `-- The values that ${files.join(', ')} makes: "valkeyrie migrate" runs it, and no other migrator does.\nDROP TABLE "${stagingTable}"`,
  nothing: 'UPDATE kv_collections SET name = name WHERE false',
  isWritable,
  isTable,
  isDeclared: isTable,
  declaredBy: ['kvTables', 'valkeyrie/schema'],
  indexNames: (table) => [...createIndexes(table as SQLiteTable).keys()],
  declaredIndexNames: (collections) => [...createIndexes(kvTables(collections).kv).keys()],
  tableSql,
  async tryOut(migrations) {
    // Loaded on demand: the engine's binary crashes a Node.js that is too old for it.
    const { tryOut } = await import('./try-out.ts')
    return tryOut(migrations)
  },
}

function isTable(exported: unknown): exported is DeclaredTable {
  return is(exported, SQLiteTable)
}

function groupSql({ told, changes }: ToldChanges): string[] {
  // The comment must stay on one line, and must not end the statement.
  const comment = `-- ${told.replaceAll(/\s+/g, ' ').replaceAll('-->', '->')}\n`
  return changes.flatMap(storedSql).map((statement, at) => (at === 0 ? comment : '') + statement)
}

function storedSql(change: StoredChange): readonly string[] {
  switch (change.type) {
    case 'removeExpired':
      return removeExpired
    case 'refile': {
      const target = change.to === null ? 'NULL' : quote(change.to)
      return [`UPDATE kv SET collection = ${target} WHERE collection = ${quote(change.from)}`]
    }
    case 'tellGone':
      return [logDeletions(`collection = ${quote(change.collection)}`)]
    case 'rekey': {
      const { from, to } = change
      const key = `unhex(${quote(Buffer.from(to).toString('hex'))} || hex(substr(key, ${from.length + 1})))`
      return [
        `UPDATE kv SET key = ${key}, version = ${nextVersion}\nWHERE collection = ${quote(change.collection)}`,
      ]
    }
    case 'values':
      return changeSql(change.collection, change.change)
    case 'commit':
      return [logCommit()]
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
      return newCatalogVersion
    case 'dropSearch':
      return dropSearch(change.collection, change.search)
    case 'buildSearch':
      return createSearch(change.collection, change.search)
  }
}

function schemaSql(schema: unknown): string {
  return schema === null ? 'NULL' : quote(JSON.stringify(schema))
}
