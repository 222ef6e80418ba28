/** The version of every row that a migration writes, until `logCommit` makes it a commit. */
export const nextVersion = '(SELECT coalesce(max(version), 0) + 1 FROM kv_log)'

const now = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"

/** The types of changes, as bytes in hexadecimal. */
const typeBytes = { set: '01', delete: '02', expire: '03' }

/** Makes one commit of all rows written since the last one, so that watchers and units of work of other processes learn of them. */
export function logCommit(type: 'set' | 'expire' = 'set'): string {
  return logged(type, `version = ${nextVersion}`)
}

/** Makes a commit that reports the keys of these rows as deleted. */
export function logDeletions(rows: string): string {
  return logged('delete', rows)
}

/**
 * Removes the expired rows, as a commit: only the others are migrated, and expired rows must not prevent a unique index. Rows that
 * expire meanwhile are not removed, because the commit would not report them.
 */
export const removeExpired = [
  `UPDATE kv SET version = ${nextVersion} WHERE expires_at <= ${now}`,
  logCommit('expire'),
  '-- And out of the table, those that the commit tells\nDELETE FROM kv WHERE version = (SELECT max(version) FROM kv_log)\nAND expires_at <= (SELECT at FROM kv_log ORDER BY version DESC LIMIT 1)',
]

/** Tells processes that have the database open that rows are filed differently now. */
export const newCatalogVersion = [
  `-- A commit without changes\nINSERT INTO kv_log (version, at, changes)\nSELECT ${nextVersion}, ${now}, x''`,
  '-- Its version is that of the catalog: who has the database open reads that again\nUPDATE kv_collections SET version = (SELECT max(version) FROM kv_log)',
]

/**
 * A commit of these rows, if there are any: for each, the byte of its change, the length of its key, and the key. SQL cannot write
 * LEB128 of varying length, so the length always has four bytes.
 */
function logged(type: keyof typeof typeBytes, rows: string): string {
  const typeByte = typeBytes[type]
  return `-- Into the log, for each key: ${typeByte} (${type}), the length of the key (LEB128 in four bytes), the key
INSERT INTO kv_log (version, at, changes)
SELECT ${nextVersion}, ${now},
  unhex(group_concat('${typeByte}' || printf('%02x%02x%02x%02x', n & 127 | 128, n >> 7 & 127 | 128, n >> 14 & 127 | 128, n >> 21) || hex(key), ''))
FROM (SELECT key, length(key) AS n FROM kv WHERE ${rows})
HAVING count(*) > 0`
}
