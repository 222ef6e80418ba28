import { type SQL, sql } from 'drizzle-orm'
import { type FieldTypes, isBigint } from '../../../schema/fields.ts'
import { quoteText } from '../server/sql-text.ts'
import { escapeText } from '../values/json-text.ts'

/**
 * The columns in which a field is compared and ordered, and their types. `text`: it is always a text or a Date. `bigint`: always a
 * bigint. `any`: a number first; everything else comes after all numbers, by its text.
 */
export type FieldForm = 'text' | 'bigint' | 'any'

export function formOf(types: FieldTypes): FieldForm {
  if (isBigint(types)) return 'bigint'
  const { number, string, boolean, date, bigint, structure } = types
  return (string || date) && !number && !boolean && !bigint && !structure ? 'text' : 'any'
}

/** One of the columns that rows are ordered by. For a missing value, all of them are null. */
export interface FieldColumn {
  readonly sql: SQL
  readonly type: 'text' | 'numeric' | 'float8'
}

/** A place in a JSON document: `node` as JSON, `text` as text. Both are null if it is missing, and `text` also for a JSON null. */
export interface JsonPlace {
  readonly node: SQL
  readonly text: SQL
}

/** The place that these names lead to, as text that an index can contain; an array has no such places. */
export function placeOf(root: SQL, names: readonly string[]): JsonPlace {
  const literals = names.map((name) => sql.raw(quoteText(escapeText(name))))
  const last = literals.pop()
  if (last === undefined) return { node: root, text: sql`(${root} #>> '{}')` }
  const holder = literals.reduce((node, name) => sql`(${node} -> ${name})`, root)
  return { node: sql`(${holder} -> ${last})`, text: sql`(${holder} ->> ${last})` }
}

/** The number of a field of the form `any` that is not a number: after all numbers. */
export const noNumber = sql.raw("'NaN'::float8")

/** The text of a field of the form `any` that is a number or a boolean. */
export const noText = sql.raw("''")

/**
 * The columns of a field, which fail for no value that a row may contain. An index consists of these expressions, and the server
 * uses it for a query with the same ones.
 */
export function columnsOf(form: FieldForm, { node, text }: JsonPlace): readonly FieldColumn[] {
  switch (form) {
    case 'text':
      return [{ sql: sql`(${text} COLLATE "C")`, type: 'text' }]
    case 'bigint':
      return [{ sql: sql`(CASE WHEN ${isDigits(text)} THEN ${text}::numeric END)`, type: 'numeric' }]
    case 'any':
      return [
        {
          sql: sql`(CASE json_typeof(${node}) WHEN 'number' THEN ${text}::float8 WHEN 'boolean' THEN CASE ${text} WHEN 'true' THEN 1::float8 ELSE 0::float8 END WHEN 'string' THEN ${noNumber} WHEN 'array' THEN ${noNumber} WHEN 'object' THEN ${noNumber} END)`,
          type: 'float8',
        },
        {
          sql: sql`(CASE json_typeof(${node}) WHEN 'number' THEN '' WHEN 'boolean' THEN '' WHEN 'string' THEN ${text} WHEN 'array' THEN ${text} WHEN 'object' THEN ${text} END COLLATE "C")`,
          type: 'text',
        },
      ]
  }
}

/** Whether a text is a bigint. */
export function isDigits(text: SQL): SQL {
  return sql`${text} ~ '^-?[0-9]+$'`
}
