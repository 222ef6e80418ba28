import { moveOrder } from '../../../catalog/move-order.ts'
import type { FieldPath, ValueChange } from '../../../catalog/value-change.ts'
import { joinPath } from '../../../value/dotted-path.ts'
import { breakpoint } from '../../migration.ts'
import { quoteText } from '../server/sql-text.ts'
import { escapeJson, escapeText, isEscaped } from '../values/json-text.ts'

/** The version of every row that a migration writes, until `kv_told_1` makes it a commit. */
export const nextVersion = '(SELECT version + 1 FROM kv_meta)'

/** Rows whose value is JSON; others have no fields. */
const isJson = 'encoding IN (0, 1)'

/** `'it''s'`. Escapes the separator of statements, because files are split at it even within a text. */
export function quote(text: string): string {
  if (!text.includes(breakpoint)) return quoteText(text).trimStart()
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "''")
  return `E'${escaped.replaceAll(breakpoint, `\\055${breakpoint.slice(1)}`)}'`
}

/** Whether SQL can contain a word: it will be in a file, whose line ends a checkout may change. */
export function isWritable(word: string): boolean {
  return !/[\p{Cc}\p{Cs}]/u.test(word) && !isEscaped(word)
}

/** The statements that change the values of a collection. Rows with nothing to change stay as they are. */
export function changeSql(collection: string, change: ValueChange): string[] {
  const rows = `collection = ${quote(collection)} AND ${isJson}`
  const { path } = change
  switch (change.type) {
    case 'add': {
      const value = quote(escapeJson(JSON.stringify(change.value)))
      const isThere = `json_typeof(${nodeOf(path.slice(0, -1))}) = 'object'`
      return [`${update(put(path, value), path)}\nWHERE ${rows} AND ${isAbsent(path)} AND ${isThere}`]
    }
    case 'remove':
      return [`${update(drop(path), path)}\nWHERE ${rows} AND (${nodeOf(path)}) IS NOT NULL`]
    case 'rename':
      return moveOrder(change.moves, change.spare).map(([name, to]) =>
        moveSql(rows, [...path, name], [...path, to]),
      )
    case 'replace': {
      const value = quote(JSON.stringify(change.to))
      return [
        `${update(put(path, value))}\nWHERE ${rows} AND json_typeof(${nodeOf(path)}) = 'string' AND (${textOf(path)}) = ${quote(change.from)}`,
      ]
    }
  }
}

/** Moves a field. A row that already has the new one keeps both: neither may be lost. */
function moveSql(rows: string, from: FieldPath, to: FieldPath): string {
  const value = put(to, nodeOf(from), drop(from))
  return `${update(value, from, to)}\nWHERE ${rows} AND (${nodeOf(from)}) IS NOT NULL AND ${isAbsent(to)}`
}

/** `types`: the path whose types to remove, and where they move to. */
function update(value: string, ...types: readonly FieldPath[]): string {
  const changed = [`value = ${value}`, `version = ${nextVersion}`]
  if (types.length > 0) {
    const [path, moved] = [typesKey(types[0]!), types[1] === undefined ? 'NULL' : typesKey(types[1])]
    changed.push(
      // Without types, the rest is plain JSON.
      `(types, encoding) = (SELECT t, CASE WHEN t IS NULL THEN 0 ELSE 1 END FROM kv_types_1(types, ${path}, ${moved}) t)`,
      `meanings = kv_meanings_1(meanings, types, ${path}, ${moved})`,
    )
  }
  return `UPDATE kv SET ${changed.join(',\n  ')}`
}

function put(path: FieldPath, value: string, object = 'value'): string {
  return `kv_put_1(${object}, ${arrayOf(path)}, ${value})`
}

function drop(path: FieldPath): string {
  return `kv_drop_1(value, ${arrayOf(path)})`
}

/** Whether a row lacks a field, or has it as undefined, which is stored as null. */
function isAbsent(path: FieldPath): string {
  const node = nodeOf(path)
  return `((${node}) IS NULL OR json_typeof(${node}) = 'null' AND kv_undefined_1(types, ${typesKey(path)}))`
}

/** `value -> 'address' -> 'city'`: unlike `#>`, it finds nothing in an array. */
export function nodeOf(path: FieldPath): string {
  return ['value', ...path.map((name) => quote(escapeText(name)))].join(' -> ')
}

function textOf(path: FieldPath): string {
  return `${nodeOf(path.slice(0, -1))} ->> ${quote(escapeText(path.at(-1)!))}`
}

function arrayOf(path: FieldPath): string {
  return `ARRAY[${path.map((name) => quote(escapeText(name))).join(', ')}]`
}

/** A path as in the JSON of `types`, without the quotes. */
function typesKey(path: FieldPath): string {
  return quote(JSON.stringify(joinPath(path)).slice(1, -1))
}
