import type { CommitPlan } from '../../../commit/plan.ts'
import type { PlannedCommit, PlannedRow } from '../../../commit/planned-transaction.ts'
import type { UniqueFields } from '../../../commit/unique.ts'
import { Encoding } from '../../../value/encoding.ts'
import { keptChanges, kindsOf, logColumns } from '../rows/log-row.ts'
import { moment, quoteName, quoteText } from '../server/sql-text.ts'
import type { Statement } from '../server/statement.types.ts'
import { statementName } from '../server/statement-name.ts'
import { channelOf } from '../tables/ddl.ts'
import { bigints, byteas, jsons, texts } from '../values/binary-array.ts'
import { escapeJson } from '../values/json-text.ts'
import { meaningsOf } from '../values/meanings.ts'
import type { BatchParameters } from './plan-parameters.ts'

type Put = Extract<PlannedRow, { readonly type: 'put' }>

/** A plan as one statement, and its parameters. */
export interface ShortCommit {
  readonly statement: Statement
  readonly parameters: readonly unknown[]
}

/**
 * Turns plans that only store rows into statements, which the server runs in half the time of `kv_commit`. Such a statement writes
 * only if nothing was committed since the plan was made: then nothing that was read has changed, and no earlier attempt of the batch
 * was committed.
 */
export class ShortCommits {
  readonly #ofOneRow: Statement
  readonly #ofRows: Statement
  readonly #ofEach: Statement

  constructor(schema: string) {
    const s = quoteName(schema)
    const channel = quoteText(channelOf(schema))
    const columns = 'key, collection, encoding, types, version, expires_at, meanings, value, raw'
    const orReplace = `on conflict (key) do update set collection = excluded.collection, encoding = excluded.encoding, types = excluded.types,
      version = excluded.version, expires_at = excluded.expires_at, meanings = excluded.meanings, value = excluded.value, raw = excluded.raw`
    const named = (kind: string, rows: string, log: string): Statement => {
      const text = `with m as (
    update ${s}.kv_meta m set version = $2 where m.one and m.version = $1 and m.catalog = $3 and m.turns = $4
        and current_setting('transaction_isolation') = 'read committed' and set_config('lock_timeout', $5, true) is not null
      returning m.version, ${moment} as at
  ), w as (insert into ${s}.kv (${columns}) ${rows} ${orReplace}), l as (insert into ${s}.kv_log ${log})
  select m.at, pg_notify(${channel}, m.version::text) from m`
      return { name: statementName(kind, text), text }
    }
    const ofOneCommit = 'select m.version, m.at, $7::bytea[], $8::bytea, $9::bytea, $6::bytea from m'
    const plain = `e.key, e.collection, ${Encoding.json}, null, e.version, null, null, e.value, null`
    this.#ofOneRow = named(
      'commit_row',
      'select $10::bytea, $11::text, $12::smallint, $13::json, m.version, $14::bigint, $15::json, $16::json, $17::bytea from m',
      ofOneCommit,
    )
    this.#ofRows = named(
      'commit_rows',
      `select ${plain} from m, unnest($10::bytea[], $11::text[], $12::bigint[], $13::json[]) e(key, collection, version, value)`,
      ofOneCommit,
    )
    this.#ofEach = named(
      'commit_each',
      `select ${plain} from m, lateral (
        select e.key, e.collection, $1 + e.n as version, e.value from unnest($7::bytea[], $10::text[], $11::json[]) with ordinality e(key, collection, value, n)
          where e.value is not null
      ) e`,
      `select $1 + e.n, m.at, array[e.key], substring($8::bytea from e.n::integer for 1), e.changes, $6::bytea from m, unnest($7::bytea[], $9::bytea[]) with ordinality e(key, changes, n)`,
    )
  }

  /** The statement for a plan; null if the plan needs the function. */
  of(plan: CommitPlan, batch: BatchParameters): ShortCommit | null {
    const { before, latest, holds, endedTurn, rows, log } = plan
    const { validUntil, expiredAfter } = holds.reads
    if (endedTurn !== null || validUntil !== null || expiredAfter !== null) return null
    if (!rows.every(isPut) || log.length === 0) return null
    const [first] = rows
    const { catalogVersion, turns, lockTimeout, token, unique } = batch
    const common = [before, latest, catalogVersion, turns, String(lockTimeout), token]
    if (log.length === 1) {
      const { keys, kinds, changes } = logColumns(log[0]!.changes)
      const ofCommit = [...common, byteas(keys), kinds, changes]
      if (first !== undefined && rows.length === 1)
        return { statement: this.#ofOneRow, parameters: [...ofCommit, ...scalars(first)] }
      if (!arePlain(rows, unique)) return null
      return { statement: this.#ofRows, parameters: [...ofCommit, ...arrays(rows)] }
    }
    if (!arePlain(rows, unique) || log.some(({ changes }) => changes.length !== 1)) return null
    return { statement: this.#ofEach, parameters: [...common, ...commits(log, left(plan, rows))] }
  }
}

function isPut(row: PlannedRow): row is Put {
  return row.type === 'put'
}

/** Whether all rows are JSON without types or an expiry, and none of them can take a unique value from another. */
function arePlain(rows: readonly Put[], unique: UniqueFields): boolean {
  return rows.every(
    ({ stored, expiresAt, collection }) =>
      stored.encoding === Encoding.json && expiresAt === null && !unique.has(collection ?? ''),
  )
}

function scalars({ key, collection, stored, expiresAt }: Put): unknown[] {
  const { encoding, types, value } = stored
  const json = typeof value === 'string' ? escapeJson(value) : null
  return [
    key,
    collection,
    encoding,
    types,
    expiresAt,
    meaningsOf(types),
    json,
    typeof value === 'string' ? null : value,
  ]
}

function arrays(rows: readonly Put[]): unknown[] {
  return [
    byteas(rows.map(({ key }) => key)),
    texts(rows.map(({ collection }) => collection)),
    bigints(rows.map(({ version }) => version)),
    jsons(rows.map(({ stored }) => escapeJson(stored.value as string))),
  ]
}

/** The row that each commit leaves, if each changes one key; null where a later one replaces it. */
function left({ before, log }: CommitPlan, rows: readonly Put[]): readonly (Put | null)[] {
  const left = log.map((): Put | null => null)
  for (const row of rows) left[row.version - before - 1] = row
  return left
}

function commits(log: readonly PlannedCommit[], left: readonly (Put | null)[]): unknown[] {
  const changes = log.map(({ changes }) => changes[0]!)
  return [
    byteas(changes.map(({ key }) => key)),
    kindsOf(changes),
    byteas(log.map(({ changes }) => keptChanges(changes))),
    texts(left.map((row) => row?.collection ?? null)),
    jsons(left.map((row) => (row === null ? null : escapeJson(row.stored.value as string)))),
  ]
}
