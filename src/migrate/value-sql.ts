import type { FieldPath, ValueChange } from './value-change.ts'

/** The version that every row which a migration writes is given, until `logCommit` makes it a commit. */
const nextVersion = '(SELECT coalesce(max(version), 0) + 1 FROM kv_log)'

const now = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"

/** Rows whose value is JSON text: others have no fields. */
const isJson = 'encoding IN (0, 1)'

/** `'it''s'` */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** `$.address.city`: a JSON path. */
export function jsonPath(path: FieldPath): string {
  return ['$', ...path.map((name) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `"${name}"`))].join('.')
}

/** The statements that make a change of the values of a collection. Rows that have nothing to change stay as they are. */
export function changeSql(collection: string, change: ValueChange): string[] {
  const rows = `collection = ${quote(collection)} AND ${isJson}`
  const { path } = change
  const at = quote(jsonPath(path))
  switch (change.type) {
    case 'add': {
      const parent = quote(jsonPath(path.slice(0, -1)))
      const value = `json(${quote(JSON.stringify(change.value))})`
      return [
        `UPDATE kv SET value = json_set(value, ${at}, ${value}), version = ${nextVersion}\nWHERE ${rows} AND json_type(value, ${at}) IS NULL AND json_type(value, ${parent}) = 'object'`,
      ]
    }
    case 'remove':
      return [
        `UPDATE kv SET value = json_remove(value, ${at}), types = ${typesSql(path, null)}, version = ${nextVersion}\nWHERE ${rows} AND json_type(value, ${at}) IS NOT NULL`,
        // What was typed may have been removed: the rest is plain JSON.
        `UPDATE kv SET types = NULL, encoding = 0\nWHERE collection = ${quote(collection)} AND encoding = 1 AND types IS NULL`,
      ]
    case 'rename': {
      const target = [...path.slice(0, -1), change.to]
      const to = quote(jsonPath(target))
      return [
        `UPDATE kv SET value = json_set(json_remove(value, ${at}), ${to}, json(value -> ${at})), types = ${typesSql(path, target)}, version = ${nextVersion}\nWHERE ${rows} AND json_type(value, ${at}) IS NOT NULL`,
      ]
    }
    case 'replace':
      return [
        `UPDATE kv SET value = json_set(value, ${at}, ${quote(change.to)}), version = ${nextVersion}\nWHERE ${rows} AND value ->> ${at} = ${quote(change.from)} AND json_type(value, ${at}) = 'text'`,
      ]
  }
}

/** `types` with the entries at a path, and under it, moved or removed. */
function typesSql(path: FieldPath, to: FieldPath | null): string {
  const from = typesKey(path)
  const under = `${from}.`
  const isAt = `entry.key = ${quote(from)} OR substr(entry.key, 1, ${[...under].length}) = ${quote(under)}`
  const key =
    to === null
      ? 'entry.key'
      : `CASE WHEN ${isAt} THEN ${quote(typesKey(to))} || substr(entry.key, ${[...from].length + 1}) ELSE entry.key END`
  const where = to === null ? ` WHERE NOT (${isAt})` : ''
  return `(SELECT CASE WHEN count(*) > 0 THEN json_object('values', json_group_object(${key}, json(entry.value)), 'v', 1) END FROM json_each(kv.types, '$.values') AS entry${where})`
}

/** A path as superjson writes it: dots within a name are escaped. */
function typesKey(path: FieldPath): string {
  return path.map((name) => name.replaceAll('.', '\\.')).join('.')
}

/**
 * Makes one commit of all rows written since the last one, so that watchers and units of work of other processes learn of them: for each key
 * a byte of the type of change, the key's length (LEB128; keys are shorter than 16,384 bytes), and the key.
 */
export function logCommit(type: 'set' | 'expire' = 'set'): string {
  return `INSERT INTO kv_log (version, at, changes)\nSELECT ${nextVersion}, ${now}, ${changesOf(type === 'set' ? '01' : '03')}\nFROM kv WHERE version = ${nextVersion} HAVING count(*) > 0`
}

/** Makes a commit that tells all keys of a collection as deleted. */
export function logDeletions(collection: string): string {
  return `INSERT INTO kv_log (version, at, changes)\nSELECT ${nextVersion}, ${now}, ${changesOf('02')}\nFROM kv WHERE collection = ${quote(collection)} HAVING count(*) > 0`
}

function changesOf(type: string): string {
  const length =
    "CASE WHEN length(key) < 128 THEN printf('%02x', length(key)) ELSE printf('%02x%02x', length(key) % 128 + 128, length(key) / 128) END"
  return `unhex(group_concat('${type}' || ${length} || hex(key), ''))`
}

/** Removes the rows that have expired, as a commit: they must not keep a unique index from being built. */
export const removeExpired = [
  `UPDATE kv SET version = ${nextVersion} WHERE expires_at <= ${now}`,
  logCommit('expire'),
  `DELETE FROM kv WHERE expires_at <= ${now} AND version = (SELECT max(version) FROM kv_log)`,
]

/** Gives the keys of a collection another beginning. */
export function rekey(collection: string, from: Uint8Array, to: Uint8Array): string {
  const rest = `substr(key, ${from.length + 1})`
  return `UPDATE kv SET key = unhex(${quote(Buffer.from(to).toString('hex'))} || hex(${rest})), version = ${nextVersion}\nWHERE collection = ${quote(collection)}`
}

/** Files the rows of a collection under another one, or under none. */
export function refile(from: string, to: string | null): string {
  const target = to === null ? 'NULL' : quote(to)
  return `UPDATE kv SET collection = ${target}, version = version WHERE collection = ${quote(from)}`
}
