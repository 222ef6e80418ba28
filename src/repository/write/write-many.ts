import { checkQueryNames } from '../../arguments/option-names.ts'
import { checkBoolean } from '../../arguments/option-values.ts'
import type { Mutation } from '../../commit/write.ts'
import { QueryError } from '../../contract/errors.ts'
import type { Key } from '../../contract/key.types.ts'
import type { KeyedRow } from '../../driver/driver.ts'
import { encodeStoredKey } from '../../key/codec.ts'
import { formatVersionstamp } from '../../key/versionstamp.ts'
import { checkNarrows } from '../../query/emptiness.ts'
import type { FindPlan, Planned } from '../../query/plan.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import { checkExpireIn } from '../../store/expiry.ts'
import { retryConflicts } from '../../store/retry-conflicts.ts'
import type { RowEntry, RowStore } from '../../store/row-store.ts'
import { inSlices } from '../../time/give-way.ts'
import { entriesOf, planFind } from '../find/found-rows.ts'
import type { WriteManyResult } from '../types/query-methods.types.ts'
import { checkUpdate, type UntypedUpdate, updateMutation } from './update.ts'
import { judgeWritten, writtenEntry } from './written-entry.ts'

export interface UntypedWriteMany {
  readonly where?: unknown
  readonly prefix?: Key
  readonly set?: UntypedUpdate
  readonly expireIn?: number | undefined
  readonly returning?: boolean
}

/** Which rows to write, in which order, and how many at most. */
export interface UntypedSelection {
  readonly where?: unknown
  readonly prefix?: Key
  readonly orderBy?: unknown
  readonly limit?: number
}

export interface UntypedWriteManyResult extends WriteManyResult {
  readonly entries?: readonly RowEntry[]
}

const patience = { attempts: 100, beforeTurn: 2 }
export const nothingWritten: WriteManyResult = { ok: true, count: 0, versionstamp: null }

export function updateMany(
  store: RowStore,
  definition: AnyDefinition,
  options: UntypedWriteMany,
): Promise<UntypedWriteManyResult> {
  checkQueryNames(options, ['where', 'prefix', 'set', 'expireIn', 'returning'], 'updateMany')
  const { expireIn } = options
  const set = checkSet(options, 'updateMany')
  checkExpireIn(expireIn)
  return writeMany(store, definition, options, 'updateMany', (row) =>
    updateMutation({ store, definition, key: row.key, row }, set, expireIn),
  )
}

export function deleteMany(
  store: RowStore,
  definition: AnyDefinition,
  options: UntypedWriteMany,
): Promise<UntypedWriteManyResult> {
  checkQueryNames(options, ['where', 'prefix', 'returning'], 'deleteMany')
  return writeMany(store, definition, options, 'deleteMany', ({ key }) => ({
    type: 'delete',
    key: encodeStoredKey(key),
  }))
}

/** The patch or function for each row. Throws a TypeError if it is missing, or anything else. */
export function checkSet({ set }: { readonly set?: UntypedUpdate }, call: string): UntypedUpdate {
  if (set === undefined)
    throw new TypeError(`${call} takes { where, set }: set is a patch, or a function of the stored value`)
  checkUpdate(set)
  return set
}

/**
 * The plan of the rows to write. Throws a QueryError unless the caller says which: for all of them, `where: {}`, literally, or a
 * `prefix` alone.
 */
export function planWrite(
  store: RowStore,
  definition: AnyDefinition,
  options: UntypedSelection,
  call: string,
): Planned<FindPlan> {
  const { where, prefix, orderBy, limit } = options
  for (const name of ['where', 'prefix'] as const) {
    if (name in options && options[name] === undefined)
      throw new QueryError(
        `The ${name} of ${call} is undefined: say which rows, where: { city: 'Rome' }, or where: {} for all of them`,
      )
  }
  if (where === undefined && (prefix === undefined || prefix?.length === 0))
    throw new QueryError(`${call} needs a where or a prefix: where: {} means all rows`)
  const planned = planFind(store, definition, {
    where,
    ...(prefix !== undefined && { prefix }),
    ...(orderBy !== undefined && { orderBy }),
    ...(limit !== undefined && { limit }),
  })
  if (where !== undefined && Reflect.ownKeys(where as object).length > 0)
    checkNarrows(planned, definition.pattern, call)
  return planned
}

/** Commits a mutation of each row found, all or none. Tries again if others have changed one in between. */
async function writeMany(
  store: RowStore,
  definition: AnyDefinition,
  options: UntypedWriteMany,
  call: string,
  mutate: (row: KeyedRow) => Mutation | Promise<Mutation>,
): Promise<UntypedWriteManyResult> {
  const { returning = false } = options
  checkBoolean(returning, `returning of ${call}`)
  const earlier = store.earlierWrites?.()
  if (earlier !== undefined) await earlier
  return retryConflicts<UntypedWriteManyResult>(store, patience, async (ready) => {
    await ready()
    const started = performance.now()
    store.assertOpen()
    const planned = planWrite(store, definition, options, call)
    const rows = await store.read({ type: 'find', query: planned })
    if (rows.length === 0) return { result: { ...nothingWritten, ...(returning && { entries: [] }) } }
    const mutations = await inSlices(rows, mutate)
    if (returning) await judgeWritten(store, definition, mutations)
    // Reports an unreadable value before its row is gone.
    const deleted =
      returning && mutations[0]!.type === 'delete' ? await entriesOf(store, definition, rows) : []
    const checks = mutations.map(({ key }, i) => ({ key, version: rows[i]!.version }))
    const lasted = performance.now() - started
    const outcome = await store.commit({ checks, mutations })
    if (outcome.type === 'conflict') return { conflicts: outcome.conflicts, lasted }
    const { version } = outcome
    const written = { ok: true, count: rows.length, versionstamp: formatVersionstamp(version) } as const
    if (!returning) return { result: written }
    const entries = await inSlices(mutations, (mutation, i) =>
      mutation.type === 'set' ? writtenEntry(store, definition, mutation, version) : deleted[i]!,
    )
    return { result: { ...written, entries } }
  })
}
