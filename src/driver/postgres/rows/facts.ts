import type { LoggedCommit } from '../../../commit/log-format.ts'
import type { CommitNeeds } from '../../../commit/plan.ts'
import type { StoredRow } from '../../../commit/row.ts'
import type { RowVersion } from '../../../commit/transaction.ts'
import { keyText } from '../../../key/key-text.ts'
import { began, moment, quoteName } from '../server/sql-text.ts'
import type { Row, RunStatement, Statement } from '../server/statement.types.ts'
import { statementName } from '../server/statement-name.ts'
import { byteas } from '../values/binary-array.ts'
import { fewKeys, rowColumns, rowsOfFew, storedRow } from './kv-row.ts'
import { loggedCommit } from './log-row.ts'
import { metaRow } from './meta-row.ts'

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
export class FactsStatements {
  /** If a few keys are all: the server keeps one plan. */
  readonly #ofFew: Statement
  /** How to find the rest depends on how much there is: the server plans it every time. */
  readonly #whole: Statement

  constructor(schema: string) {
    const s = quoteName(schema)
    const none = 'null::json, null::bytea, null::smallint, null::json'
    const database = `select 0, ${none}, m.version, ${moment}, null::bytea, m.turns, m.catalog, (select coalesce(min(l.version), 0) from ${s}.kv_log l), null::bytea[] from ${s}.kv_meta m where m.one`
    const version = `1, ${none}, kv.version, kv.expires_at, kv.key, null, null, null, null`
    const row = `2, ${rowColumns}, kv.key, null, null, null, null`
    this.#ofFew = statement('facts_of_few', [
      database,
      rowsOfFew(schema, '$1', version),
      rowsOfFew(schema, '$2', row),
    ])
    this.#whole = statement('facts', [
      database,
      `select ${version} from ${s}.kv where kv.key = any($1)`,
      `select ${row} from ${s}.kv where kv.key = any($2)`,
      `select * from (select 3, ${none}, l.version, l.at, l.kinds, null::text, null::bigint, null::bigint, l.keys from ${s}.kv_log l where l.version > $3 order by l.version) l`,
      `select 4, ${none}, kv.version, kv.expires_at, kv.key, null, null, null, null from ${s}.kv where kv.expires_at > $4 and kv.expires_at <= ${began}`,
    ])
  }

  read({ versions, rows, since, expiredAfter }: CommitNeeds, run: RunStatement): Promise<Row[]> {
    const keys = [byteas(versions), byteas(rows)]
    const isFew = since === null && expiredAfter === null && versions.length + rows.length <= fewKeys
    return isFew ? run(this.#ofFew, keys) : run(this.#whole, [...keys, since, expiredAfter])
  }
}

function statement(kind: string, parts: readonly string[]): Statement {
  const text = parts.join('\nunion all\n')
  return { name: statementName(kind, text), text }
}

/** The facts in the rows that were read. */
export function readFacts({ versions, rows }: CommitNeeds, found: readonly Row[]): KnownFacts {
  const known = new Map<string, StoredRow>()
  const logged: LoggedCommit[] = []
  const expired: { key: Uint8Array; version: number; expiresAt: number }[] = []
  let database: Row | undefined
  for (const [kind, ...row] of found) {
    const key = row[6] as Uint8Array
    if (kind === 0) database = row
    else if (kind === 1 || kind === 2) known.set(keyText(key), storedRow(row))
    else if (kind === 3)
      logged.push(loggedCommit(row[4] as number, row[5] as number, row[10] as Buffer[], key, null))
    else expired.push({ key, version: row[4] as number, expiresAt: row[5] as number })
  }
  const [, , , , latest, now, , turns, catalogVersion, oldestLogged] = metaRow(database) as [
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
