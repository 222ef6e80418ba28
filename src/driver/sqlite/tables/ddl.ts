import { is, type SQL } from 'drizzle-orm'
import {
  getTableConfig,
  type Index,
  SQLiteColumn,
  SQLiteSyncDialect,
  type SQLiteTable,
} from 'drizzle-orm/sqlite-core'
import { indexName } from '../../../schema/index-name.ts'
import { type IndexedCollection, jsonPathText, quoteText } from './table.ts'

/** The statement that creates a table if it is missing. */
export function createTable(table: SQLiteTable): string {
  const { name, columns } = getTableConfig(table)
  const definitions = columns.map((column) => {
    const primaryKey = column.primary ? ' PRIMARY KEY' : ''
    const notNull = column.notNull ? ' NOT NULL' : ''
    return `${quoteName(column.name)} ${column.getSQLType()}${primaryKey}${notNull}`
  })
  return `CREATE TABLE IF NOT EXISTS ${quoteName(name)} (${definitions.join(', ')})`
}

/** The statements that create the indexes of a table if they are missing, by name. */
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

/** Like `createIndexes` of `kv`, but without its Drizzle table, which opening an existing file does not need otherwise. */
export function createDeclaredIndexes(collections: readonly IndexedCollection[]): Map<string, string> {
  const texts = new Map([
    ['kv_collection', createKvIndex('kv_collection', ['"collection"', '"key"'], 'collection IS NOT NULL')],
    ['kv_expires_at', createKvIndex('kv_expires_at', ['"expires_at"'], 'expires_at IS NOT NULL')],
  ])
  for (const { name, indexes } of collections) {
    for (const declaration of indexes) {
      const { fields, unique, bigints = [] } = declaration
      const columns = fields.flatMap((field) => {
        const expression = `value ->> ${jsonPathText(field.split('.'))}`
        return bigints.includes(field) ? [`CAST(${expression} AS INTEGER)`, expression] : [expression]
      })
      const text = createKvIndex(
        indexName(name, declaration),
        unique ? columns : [...columns, '"key"'],
        `collection = ${quoteText(name)}`,
        unique,
      )
      texts.set(indexName(name, declaration), text)
    }
  }
  return texts
}

function createKvIndex(name: string, columns: readonly string[], where: string, unique = false): string {
  const create = unique ? 'CREATE UNIQUE INDEX' : 'CREATE INDEX'
  return `${create} IF NOT EXISTS ${quoteName(name)} ON "kv" (${columns.join(', ')}) WHERE ${where}`
}

/** SQL without operands, because a statement that defines something cannot bind any. */
function literalSql(expression: SQL): string {
  const { sql, params } = new SQLiteSyncDialect().sqlToQuery(expression.inlineParams())
  if (params.length > 0) throw new TypeError(`the SQL of an index cannot hold operands: ${sql}`)
  return sql
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
