import { type SQL, sql } from 'drizzle-orm'
import type { ShownRow } from '../../driver.ts'
import { bigints, byteas, jsons, smallints, texts } from '../values/binary-array.ts'
import { escapeJson } from '../values/json-text.ts'
import { meaningsOf } from '../values/meanings.ts'
import { bindShown } from './binding.ts'

type Shown = ShownRow & { readonly row: NonNullable<ShownRow['row']> }

/** The columns of `kv`, and how to make an array of each from the rows that a session was shown. */
const columns: Readonly<Record<string, readonly [type: string, of: (rows: readonly Shown[]) => Uint8Array]>> =
  {
    key: ['bytea', (rows) => byteas(rows.map(({ key }) => key))],
    collection: ['text', (rows) => texts(rows.map(({ collection }) => collection))],
    encoding: ['smallint', (rows) => smallints(rows.map(({ row }) => row.encoding))],
    types: ['json', (rows) => jsons(rows.map(({ row }) => row.types))],
    version: ['bigint', (rows) => bigints(rows.map(({ row }) => row.version))],
    expires_at: ['bigint', (rows) => bigints(rows.map(({ row }) => row.expiresAt))],
    meanings: ['json', (rows) => jsons(rows.map(({ row }) => meaningsOf(row.types)))],
    value: [
      'json',
      (rows) =>
        jsons(rows.map(({ row: { value } }) => (typeof value === 'string' ? escapeJson(value) : null))),
    ],
    raw: [
      'bytea',
      (rows) => byteas(rows.map(({ row: { value } }) => (typeof value === 'string' ? null : value))),
    ],
  }

const names = sql.raw(Object.keys(columns).join(', '))

/** The rows of this table, with the rows that a session was shown instead of the stored ones, under the name `kv`. */
export function shownSource(table: SQL): SQL {
  return sql`(SELECT ${names} FROM ${table} WHERE kv.key <> ALL(${shownKeys()}) UNION ALL SELECT * FROM ${shownRows()}) AS kv`
}

/** The keys of the rows that a session was shown, and of those that it was shown to be gone. */
export function shownKeys(): SQL {
  return bindShown((shown) => byteas(shown.map(({ key }) => key)), 'bytea[]')
}

/** The rows that a session was shown, under the name of `shown`. */
export function shownRows(): SQL {
  const lists = Object.values(columns).map(([type, of]) =>
    bindShown((shown) => of(shown.filter((one): one is Shown => one.row !== null)), `${type}[]`),
  )
  return sql`unnest(${sql.join(lists, sql.raw(', '))}) AS shown(${names})`
}
