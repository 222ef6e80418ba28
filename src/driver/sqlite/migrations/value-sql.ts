import { moveOrder } from '../../../catalog/move-order.ts'
import type { FieldPath, ValueChange } from '../../../catalog/value-change.ts'
import { breakpoint } from '../../migration.ts'
import { nextVersion } from './log-sql.ts'

/** Rows whose value is JSON text; others have no fields. */
const isJson = 'encoding IN (0, 1)'

/** `'it''s'` */
export function quote(text: string): string {
  const literal = `'${text.replaceAll("'", "''")}'`
  if (!text.includes(breakpoint)) return literal
  return `(${literal.replaceAll(breakpoint, `${breakpoint[0]}' || '${breakpoint.slice(1)}`)})`
}

/** Whether SQL can contain a word, as a text and as a name in a JSON path, which has no escapes. */
export function isWritable(word: string): boolean {
  return !/["\\\p{Cc}\p{Cs}]/u.test(word)
}

/** `$.address.city`: a JSON path. */
export function jsonPath(path: FieldPath): string {
  return ['$', ...path.map((name) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `"${name}"`))].join('.')
}

/** The statements that change the values of a collection. Rows with nothing to change stay as they are. */
export function changeSql(collection: string, change: ValueChange): string[] {
  const rows = `collection = ${quote(collection)} AND ${isJson}`
  const { path } = change
  const at = quote(jsonPath(path))
  switch (change.type) {
    case 'add': {
      const parent = quote(jsonPath(path.slice(0, -1)))
      const value = `json_set(value, ${at}, json(${quote(JSON.stringify(change.value))}))`
      return [
        `${update(value, withoutTypes(path))}\nWHERE ${rows}\n  AND json_type(value, ${parent}) = 'object'\n  AND ${isAbsent(path)}`,
      ]
    }
    case 'remove':
      return [
        `${update(`json_remove(value, ${at})`, withoutTypes(path))}\nWHERE ${rows}\n  AND json_type(value, ${at}) IS NOT NULL`,
      ]
    case 'rename':
      return moveOrder(change.moves, change.spare).map(([name, to]) =>
        moveSql(rows, [...path, name], [...path, to]),
      )
    case 'replace':
      return [
        `${update(`json_set(value, ${at}, ${quote(change.to)})`)}\nWHERE ${rows}\n  AND value ->> ${at} = ${quote(change.from)} AND json_type(value, ${at}) = 'text'`,
      ]
  }
}

/** Moves a field. A row that already has the new one keeps both: neither may be lost. */
function moveSql(rows: string, from: FieldPath, to: FieldPath): string {
  const [source, target] = [quote(jsonPath(from)), quote(jsonPath(to))]
  const value = `json_set(json_remove(value, ${source}), ${target}, json(value -> ${source}))`
  const types: Types = {
    key: `CASE WHEN ${isUnder(from)} THEN ${quote(typesKey(to))} || substr(entry.key, ${[...typesKey(from)].length + 1}) ELSE entry.key END`,
    rest: `NOT (${isUnder(to)})`,
  }
  return `${update(value, types)}\nWHERE ${rows}\n  AND json_type(value, ${source}) IS NOT NULL\n  AND ${isAbsent(to)}`
}

/** The remaining types of a row, each with its key. */
interface Types {
  readonly key: string
  readonly rest: string
}

function withoutTypes(path: FieldPath): Types {
  return { key: 'entry.key', rest: `NOT (${isUnder(path)})` }
}

function update(value: string, types?: Types): string {
  const changed = [`value = ${value}`, `version = ${nextVersion}`]
  if (types !== undefined) {
    const entries = `FROM json_each(kv.types, '$.values') AS entry WHERE ${types.rest}`
    const left = `json_set(kv.types, '$.values', json_group_object(${types.key}, json(entry.value)))`
    const none = `CASE WHEN ${holdsItself} THEN json_remove(kv.types, '$.values') END`
    changed.push(
      `types = CASE WHEN types IS NULL OR ${isOfRoot} THEN types ELSE (\n    SELECT CASE WHEN count(*) > 0\n      THEN ${left}\n      ELSE ${none} END\n    ${entries}\n  ) END`,
      // Without types, the rest is plain JSON.
      `encoding = (types IS NOT NULL AND (\n    ${isOfRoot}\n    OR EXISTS (SELECT 1 ${entries})\n    OR ${holdsItself}\n  ))`,
    )
  }
  return `UPDATE kv SET ${changed.join(',\n  ')}`
}

/** Whether the value itself stands for something else, such as an instance of a class: no path leads to that. */
const isOfRoot = "json_type(kv.types, '$.values') IS 'array'"
const holdsItself = "json_type(kv.types, '$.referentialEqualities') IS NOT NULL"

/** Whether a row lacks a field, or has it as undefined, which is stored as null. */
function isAbsent(path: FieldPath): string {
  const type = `json_type(value, ${quote(jsonPath(path))})`
  const isUndefined = `EXISTS (SELECT 1 FROM json_each(kv.types, '$.values') AS entry WHERE entry.key = ${quote(typesKey(path))} AND entry.value = '["undefined"]')`
  return `(${type} IS NULL OR ${type} = 'null' AND ${isUndefined})`
}

/** Whether an entry of the types is about a field, or something in it. */
function isUnder(path: FieldPath): string {
  const under = `${typesKey(path)}.`
  return `entry.key = ${quote(typesKey(path))} OR substr(entry.key, 1, ${[...under].length}) = ${quote(under)}`
}

/** A path as superjson writes it, with dots in names escaped. */
function typesKey(path: FieldPath): string {
  return path.map((name) => name.replaceAll('.', '\\.')).join('.')
}
