import { sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { quoteName, quoteText } from '../server/sql-text.ts'
import { columnsOf, type FieldForm, placeOf } from './field-columns.ts'

const dialect = new PgDialect()

/** An index, whoever has created it, and the form in which it has each of its fields. */
export interface TypedIndex {
  readonly collection: string
  readonly fields: readonly string[]
  readonly unique: boolean
  readonly forms: readonly FieldForm[]
}

/** The expressions of an index, as SQL over `value`, in the order of its fields. */
export function indexedColumns(
  { fields, forms }: Pick<TypedIndex, 'fields' | 'forms'>,
  root = 'value',
): string[] {
  return fields.flatMap((path, i) =>
    columnsOf(forms[i]!, placeOf(sql.raw(root), path.split('.'))).map(
      (column) => dialect.sqlToQuery(column.sql).sql,
    ),
  )
}

/** The statement that creates an index. `how`: follows its kind, such as `CONCURRENTLY`. */
export function createIndex(name: string, index: TypedIndex, table: string, how = ''): string {
  const columns = indexedColumns(index).map((column) => `(${column}) NULLS FIRST`)
  const kind = index.unique ? 'UNIQUE INDEX' : 'INDEX'
  // With the key in the index, rows with equal fields come out in a total order without a sort.
  const all = index.unique ? columns : [...columns, 'key']
  return `CREATE ${kind} ${how}${quoteName(name)} ON ${table} (${all.join(', ')}) WHERE ${ofCollection(index)}`
}

export function ofCollection({ collection }: Pick<TypedIndex, 'collection'>): string {
  return `collection = ${quoteText(collection)}`
}
