import { is, type SQL } from 'drizzle-orm'
import {
  getTableConfig,
  type Index,
  SQLiteColumn,
  SQLiteSyncDialect,
  type SQLiteTable,
} from 'drizzle-orm/sqlite-core'

const dialect = new SQLiteSyncDialect()

/** The statement that creates a table, unless it is there. */
export function createTable(table: SQLiteTable): string {
  const { name, columns } = getTableConfig(table)
  const definitions = columns.map((column) => {
    const primaryKey = column.primary ? ' PRIMARY KEY' : ''
    const notNull = column.notNull ? ' NOT NULL' : ''
    return `${quoteName(column.name)} ${column.getSQLType()}${primaryKey}${notNull}`
  })
  return `CREATE TABLE IF NOT EXISTS ${quoteName(name)} (${definitions.join(', ')})`
}

/** The statements that create the indexes of a table, by the indexes' names, each unless it is there. */
export function createIndexes(table: SQLiteTable): Map<string, string> {
  const { name, indexes } = getTableConfig(table)
  return new Map(indexes.map((index) => [index.config.name, createIndex(name, index)]))
}

function createIndex(table: string, { config }: Index): string {
  const columns = config.columns.map((column) =>
    is(column, SQLiteColumn) ? quoteName(column.name) : literalSql(column as SQL),
  )
  const unique = config.unique ? 'UNIQUE ' : ''
  const where = config.where ? ` WHERE ${literalSql(config.where)}` : ''
  return `CREATE ${unique}INDEX IF NOT EXISTS ${quoteName(config.name)} ON ${quoteName(table)} (${columns.join(', ')})${where}`
}

/** SQL that holds no operands: a statement that defines something cannot bind any. */
function literalSql(expression: SQL): string {
  const { sql, params } = dialect.sqlToQuery(expression.inlineParams())
  if (params.length > 0) throw new TypeError(`the SQL of an index cannot hold operands: ${sql}`)
  return sql
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
