/** The version that every row which a migration writes is given, until `logCommit` makes it a commit. */
export const nextVersion = '(SELECT coalesce(max(version), 0) + 1 FROM kv_log)'

const now = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"

/**
 * Makes one commit of all rows written since the last one, so that watchers and units of work of other processes learn of them: for each key
 * a byte of the type of change, the key's length (LEB128), and the key.
 */
export function logCommit(type: 'set' | 'expire' = 'set'): string {
  return `INSERT INTO kv_log (version, at, changes)\nSELECT ${nextVersion}, ${now}, ${changesOf(type === 'set' ? '01' : '03')}\nFROM kv WHERE version = ${nextVersion} HAVING count(*) > 0`
}

/** Makes a commit that tells the keys of these rows as deleted. */
export function logDeletions(rows: string): string {
  return `INSERT INTO kv_log (version, at, changes)\nSELECT ${nextVersion}, ${now}, ${changesOf('02')}\nFROM kv WHERE ${rows} HAVING count(*) > 0`
}

/**
 * Removes the rows that have expired, as a commit: what is migrated are the others, and they must not keep a unique index from being
 * built. Of those that expire meanwhile, none goes that the commit does not tell.
 */
export const removeExpired = [
  `UPDATE kv SET version = ${nextVersion} WHERE expires_at <= ${now}`,
  logCommit('expire'),
  'DELETE FROM kv WHERE version = (SELECT max(version) FROM kv_log)\nAND expires_at <= (SELECT at FROM kv_log ORDER BY version DESC LIMIT 1)',
]

/** Lets processes that have the database open know that rows are filed otherwise now. */
export const newCatalogVersion = [
  `INSERT INTO kv_log (version, at, changes)\nSELECT ${nextVersion}, ${now}, x''`,
  'UPDATE kv_collections SET version = (SELECT max(version) FROM kv_log)',
]

function changesOf(type: string): string {
  return `unhex(group_concat('${type}' || ${leb128('length(key)')} || hex(key), ''))`
}

/** The hex digits of a number in LEB128: seven bits a byte, the lowest first, and the high bit set in all but the last. */
function leb128(number: string): string {
  const shortest = [7, 14, 21].map((bits, at) => {
    const bytes = Array.from({ length: at + 1 }, (_, i) => byteOf(number, 7 * i, i < at))
    return ` WHEN ${number} < ${2 ** bits} THEN printf('${'%02x'.repeat(at + 1)}', ${bytes.join(', ')})`
  })
  const bytes = [0, 1, 2, 3].map((i) => byteOf(number, 7 * i, i < 3))
  return `CASE${shortest.join('')} ELSE printf('%02x%02x%02x%02x', ${bytes.join(', ')}) END`
}

function byteOf(number: string, shift: number, goesOn: boolean): string {
  const bits = shift === 0 ? number : `${number} / ${2 ** shift}`
  return goesOn ? `${bits} % 128 + 128` : bits
}
