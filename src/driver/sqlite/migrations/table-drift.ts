import { getTableConfig, type SQLiteTable } from 'drizzle-orm/sqlite-core'
import { type Drift, driftOf } from '../../migration-database.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { hasTable } from '../tables/own-tables.ts'

/** How the tables of a database differ from the declared ones: tables, columns, and indexes by name. */
export function tableDrift(connection: Connection, tables: readonly SQLiteTable[]): Drift[] {
  return tables.flatMap((table) => {
    const { name, columns, indexes } = getTableConfig(table)
    if (!hasTable(connection, name)) return [driftOf('table', name, 'is missing')]
    const actual = namesOf(connection, 'SELECT name FROM pragma_table_info(?)', name)
    const declared = columns.map((column) => column.name)
    const actualIndexes = namesOf(connection, 'SELECT name FROM pragma_index_list(?)', name)
    const declaredIndexes = indexes.map(({ config }) => config.name)
    return [
      ...missing(declared, actual).map((column) => driftOf('column', `${name}.${column}`, 'is missing')),
      ...missing(actual, declared).map((column) => driftOf('column', `${name}.${column}`, 'is not declared')),
      ...missing(declaredIndexes, actualIndexes).map((index) => driftOf('index', index, 'is missing')),
    ]
  })
}

function namesOf(connection: Connection, query: string, table: string): string[] {
  return connection.prepare<[string], string>(query).pluck().all(table)
}

function missing(wanted: readonly string[], there: readonly string[]): string[] {
  return wanted.filter((name) => !there.includes(name))
}
