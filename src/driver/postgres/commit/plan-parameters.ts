import type { CommitPlan } from '../../../commit/plan.ts'
import type { PlannedCommit, PlannedRow } from '../../../commit/planned-transaction.ts'
import type { UniqueFields } from '../../../commit/unique.ts'
import { logColumns } from '../rows/log-row.ts'
import { bigints, byteas, integers, jsons, smallints, texts } from '../values/binary-array.ts'
import { escapeJson } from '../values/json-text.ts'
import { meaningsOf } from '../values/meanings.ts'

type Put = Extract<PlannedRow, { readonly type: 'put' }>
type Touch = Extract<PlannedRow, { readonly type: 'touch' }>

/** What all plans of a batch have in common. */
export interface BatchParameters {
  readonly catalogVersion: number
  /** The queue for turns that it was planned for. */
  readonly turns: string
  /** The version after which an earlier attempt may have been committed. */
  readonly since: number
  readonly lockTimeout: number
  /** Identifies the batch and its attempt in the log. */
  readonly token: Uint8Array
  readonly unique: UniqueFields
}

/** The parameters of `kv_commit_1`, in their order. `turnsAfter`: the new queue for turns; null if it stays the same. */
export function commitParameters(
  plan: CommitPlan,
  { catalogVersion, turns, since, lockTimeout, token, unique }: BatchParameters,
  turnsAfter: string | null,
): unknown[] {
  const { before, latest, holds, rows, log } = plan
  const puts = rows.filter((row): row is Put => row.type === 'put')
  const touches = rows.filter((row): row is Touch => row.type === 'touch')
  const {
    versions,
    reads: { keys, ranges, validUntil, expiredAfter },
  } = holds
  return [
    catalogVersion,
    turns,
    before,
    since,
    latest - before,
    holds.isLatest,
    String(lockTimeout),
    token,
    byteas(versions.map(({ key }) => key)),
    bigints(versions.map(({ version }) => version ?? 0)),
    byteas(keys),
    byteas(ranges.map(({ start }) => start)),
    byteas(ranges.map(({ end }) => end)),
    validUntil,
    expiredAfter,
    byteas(removedFirst(rows, unique).map(({ key }) => key)),
    byteas(touches.map(({ key }) => key)),
    bigints(touches.map(({ version }) => version)),
    bigints(touches.map(({ expiresAt }) => expiresAt)),
    ...putParameters(puts),
    ...logParameters(log),
    turnsAfter,
  ]
}

/** Rows that swap their values do not violate a unique index: all of them are removed before they are stored. */
function removedFirst(rows: readonly PlannedRow[], unique: UniqueFields): readonly PlannedRow[] {
  const isAlone = rows.length === 1
  return rows.filter(
    (row) => row.type === 'remove' || (!isAlone && row.type === 'put' && unique.has(row.collection ?? '')),
  )
}

function putParameters(puts: readonly Put[]): unknown[] {
  return [
    byteas(puts.map(({ key }) => key)),
    texts(puts.map(({ collection }) => collection)),
    smallints(puts.map(({ stored }) => stored.encoding)),
    jsons(puts.map(({ stored }) => stored.types)),
    bigints(puts.map(({ version }) => version)),
    bigints(puts.map(({ expiresAt }) => expiresAt)),
    jsons(puts.map(({ stored }) => meaningsOf(stored.types))),
    jsons(puts.map(({ stored }) => (typeof stored.value === 'string' ? escapeJson(stored.value) : null))),
    byteas(puts.map(({ stored }) => (typeof stored.value === 'string' ? null : stored.value))),
  ]
}

function logParameters(log: readonly PlannedCommit[]): unknown[] {
  const columns = log.map(({ changes }) => logColumns(changes))
  const places = columns.flatMap(({ keys }, place) => keys.map(() => place + 1))
  return [
    bigints(log.map(({ version }) => version)),
    integers(places),
    byteas(columns.flatMap(({ keys }) => keys)),
    byteas(columns.map(({ kinds }) => kinds)),
    byteas(columns.map(({ changes }) => changes)),
  ]
}
