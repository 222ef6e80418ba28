import { sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { columnsOf, type FieldForm, placeOf } from './field-columns.ts'

const dialect = new PgDialect()

/** An index, whoever has made it, and in which form it holds each of its fields. */
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
