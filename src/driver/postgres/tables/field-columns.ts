import { type SQL, sql } from 'drizzle-orm'
import { type FieldTypes, isBigint } from '../../../schema/fields.ts'
import { quoteText } from '../server/sql-text.ts'
import { escapeText } from '../values/json-text.ts'

/**
 * In how many columns, and of which types, a field is compared and ordered. `text`: it can be nothing but a text or a Date. `bigint`:
 * nothing but a bigint. `any`: a number first, and behind all numbers whatever else there is by its text.
 */
export type FieldForm = 'text' | 'bigint' | 'any'

export function formOf(types: FieldTypes): FieldForm {
  if (isBigint(types)) return 'bigint'
  const { number, string, boolean, date, bigint, structure } = types
  return (string || date) && !number && !boolean && !bigint && !structure ? 'text' : 'any'
}

/** One of the columns that rows are ordered by, which are null all together: where there is nothing. */
export interface FieldColumn {
  readonly sql: SQL
  readonly type: 'text' | 'numeric' | 'float8'
}

/** A place in a JSON document: `node` as JSON, `text` as a text; both are null if there is nothing, and `text` of a JSON null. */
export interface JsonPlace {
  readonly node: SQL
  readonly text: SQL
}

/** The place that these names lead to: text that an index can hold; an array has none. */
export function placeOf(root: SQL, names: readonly string[]): JsonPlace {
  const literals = names.map((name) => sql.raw(quoteText(escapeText(name))))
  const last = literals.pop()
  if (last === undefined) return { node: root, text: sql`(${root} #>> '{}')` }
  const holder = literals.reduce((node, name) => sql`(${node} -> ${name})`, root)
  return { node: sql`(${holder} -> ${last})`, text: sql`(${holder} ->> ${last})` }
}

/** The number of a field of the form `any` that is not a number, and behind all of them. */
export const noNumber = sql.raw("'NaN'::float8")

/** The text of a field of the form `any` that is a number or a boolean. */
export const noText = sql.raw("''")

/**
 * The columns of a field, without an error for whatever a row holds there. An index is over these expressions, and the server finds it for
 * a query that has the same ones.
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
