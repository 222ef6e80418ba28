import type { LoggedCommit } from '../../../commit/log-format.ts'
import type { CommitNeeds } from '../../../commit/plan.ts'
import type { StoredRow } from '../../../commit/row.ts'
import type { RowVersion } from '../../../commit/transaction.ts'
import { keyText } from '../../../key/key-text.ts'
import { began, moment, quoteName } from '../server/sql-text.ts'
import type { Row, Statement } from '../server/statement.types.ts'
import { statementName } from '../server/statement-name.ts'
import { byteas } from '../values/binary-array.ts'
import { rowColumns, storedRow } from './kv-row.ts'
import { loggedCommit } from './log-row.ts'

/** The facts of a database at one moment. */
export interface KnownFacts {
  readonly latest: number
  readonly now: number
  /** The queue for turns, as it is stored. */
  readonly turns: string
  readonly catalogVersion: number
  readonly oldestLogged: number
  readonly versions: readonly { readonly key: Uint8Array; readonly row: RowVersion | null }[]
  readonly rows: readonly { readonly key: Uint8Array; readonly row: StoredRow | null }[]
  readonly logged: readonly LoggedCommit[]
  readonly expired: readonly {
    readonly key: Uint8Array
    readonly version: number
    readonly expiresAt: number
  }[]
}

/**
 * Reads what `needsOf` asks for, in one statement and so from one state. The first column says what a row is: the database (0), a
 * version (1), a row (2), a commit of the log (3), or an expired row (4).
 */
export function factsStatement(schema: string): Statement {
  const s = quoteName(schema)
  const none = 'null::json, null::bytea, null::smallint, null::json'
  const text = `
select 0, ${none}, m.version, ${moment}, null::bytea, m.turns, m.catalog, (select coalesce(min(l.version), 0) from ${s}.kv_log l), null::bytea[] from ${s}.kv_meta m where m.one
union all
select 1, ${none}, kv.version, kv.expires_at, kv.key, null, null, null, null from ${s}.kv where kv.key = any($1)
union all
select 2, ${rowColumns}, kv.key, null, null, null, null from ${s}.kv where kv.key = any($2)
union all
select * from (select 3, ${none}, l.version, l.at, l.kinds, null::text, null::bigint, null::bigint, l.keys from ${s}.kv_log l where l.version > $3 order by l.version) l
union all
select 4, ${none}, kv.version, kv.expires_at, kv.key, null, null, null, null from ${s}.kv where kv.expires_at > $4 and kv.expires_at <= ${began}`
  return { name: statementName('facts', text), text }
}

/** The parameters of `factsStatement`. */
export function factsParameters({ versions, rows, since, expiredAfter }: CommitNeeds): unknown[] {
  return [byteas(versions), byteas(rows), since, expiredAfter]
}

/** The facts in the rows of `factsStatement`. */
export function readFacts({ versions, rows }: CommitNeeds, found: readonly Row[]): KnownFacts {
  const known = new Map<string, StoredRow>()
  const logged: LoggedCommit[] = []
  const expired: { key: Uint8Array; version: number; expiresAt: number }[] = []
  let database: Row = []
  for (const [kind, ...row] of found) {
    const key = row[6] as Uint8Array
    if (kind === 0) database = row
    else if (kind === 1 || kind === 2) known.set(keyText(key), storedRow(row))
    else if (kind === 3)
      logged.push(loggedCommit(row[4] as number, row[5] as number, row[10] as Buffer[], key, null))
    else expired.push({ key, version: row[4] as number, expiresAt: row[5] as number })
  }
  const [, , , , latest, now, , turns, catalogVersion, oldestLogged] = database as [...unknown[]] as [
    unknown,
    unknown,
    unknown,
    unknown,
    number,
    number,
    unknown,
    string,
    number,
    number,
  ]
  const at = (key: Uint8Array) => ({ key, row: known.get(keyText(key)) ?? null })
  return {
    latest,
    now,
    turns,
    catalogVersion,
    oldestLogged,
    versions: versions.map(at),
    rows: rows.map(at),
    logged,
    expired,
  }
}
