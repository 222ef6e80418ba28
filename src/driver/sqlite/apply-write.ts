import { DisplacedRows } from '../../commit/displaced.ts'
import type { ChangeLog } from '../../commit/log-format.ts'
import { arithmeticSet } from '../../commit/mutated-row.ts'
import { hasExpired } from '../../commit/row.ts'
import type {
  ArithmeticMutation,
  CheckConflict,
  KeyCheck,
  Mutation,
  SetMutation,
  TouchMutation,
} from '../../commit/write.ts'
import { UniqueConstraintError } from '../../errors.ts'
import { decodeKey } from '../../key/codec.ts'
import type { EncodingId } from '../../value/encoding.ts'
import { engineCode } from './engine-error.ts'
import { type Statements, toStoredRow } from './statements.ts'
import type { UniqueIndexes } from './unique-indexes.ts'

/** Where a write is applied: inside an open transaction, as this version, at this time (ms since the epoch). */
export interface ApplyContext {
  readonly statements: Statements
  readonly uniqueIndexes: UniqueIndexes
  readonly log: ChangeLog
  readonly version: number
  readonly now: number
}

/** The conflicts of the checks that do not hold. */
export function failedChecks(
  checks: readonly KeyCheck[],
  { statements, now }: Pick<ApplyContext, 'statements' | 'now'>,
): CheckConflict[] {
  const conflicts: CheckConflict[] = []
  for (const { key, version } of checks) {
    const row = statements.version.get(key)
    const actual = row !== undefined && !hasExpired(row[1], now) ? row[0] : null
    if (actual !== version) conflicts.push({ key, expected: version, actual })
  }
  return conflicts
}

/** Applies the mutations in order. Gives the number of values that deletes and touches found. */
export function applyMutations(mutations: readonly Mutation[], context: ApplyContext): number {
  const displaced = mutations.length > 1 ? new DisplacedRows(mutations) : null
  let touched = 0
  for (let place = 0; place < mutations.length; place++) {
    touched += applyMutation(mutations[place]!, context, displaced, place)
  }
  return touched
}

function applyMutation(
  mutation: Mutation,
  context: ApplyContext,
  displaced: DisplacedRows | null,
  place: number,
): number {
  switch (mutation.type) {
    case 'set':
      applySet(mutation, context, 'upsert', displaced, place)
      displaced?.settle(mutation.key)
      return 0
    case 'delete':
      return applyDelete(mutation.key, context, displaced?.settle(mutation.key) ?? false)
    case 'touch':
      return displaced?.touch(mutation.key, mutation.expiresAt) ? 1 : applyTouch(mutation, context)
    case 'sum':
    case 'min':
    case 'max':
      applyArithmeticMutation(mutation, context)
      return 0
  }
}

/**
 * Whether every check is that there is no value under the key of the set at the same place: each pair is one INSERT then,
 * which finds out by itself.
 */
export function areInserts(
  checks: readonly KeyCheck[],
  mutations: readonly Mutation[],
): mutations is readonly SetMutation[] {
  if (checks.length === 0 || checks.length !== mutations.length) return false
  for (let i = 0; i < checks.length; i++) {
    const mutation = mutations[i]!
    if (checks[i]!.version !== null || mutation.type !== 'set' || mutation.key !== checks[i]!.key)
      return false
  }
  return true
}

/** Some of the keys to insert have a value already. What was inserted before that was found is there still. */
export class InsertConflict extends Error {
  readonly conflicts: readonly CheckConflict[]

  constructor(conflicts: readonly CheckConflict[]) {
    super('There is a value under a key that was to be inserted')
    this.conflicts = conflicts
  }
}

/** Stores the values of new keys. Throws an InsertConflict with every key that is not new. */
export function applyInserts(mutations: readonly SetMutation[], context: ApplyContext): 0 {
  const conflicts: CheckConflict[] = []
  for (const mutation of mutations) {
    if (applySet(mutation, context, 'insert')) continue
    const [conflict] = failedChecks([{ key: mutation.key, version: null }], context)
    // An expired row is no value, and one of this very version was inserted just before.
    if (conflict === undefined || conflict.actual === context.version) applySet(mutation, context)
    else conflicts.push(conflict)
  }
  if (conflicts.length > 0) throw new InsertConflict(conflicts)
  return 0
}

/**
 * Whether the value was stored; only an `insert` may find that there is a row. A row that a unique index holds against it goes
 * where it has expired, or may be displaced by the mutation at `place`.
 */
function applySet(
  mutation: SetMutation,
  context: ApplyContext,
  statement: 'insert' | 'upsert' = 'upsert',
  displaced: DisplacedRows | null = null,
  place = 0,
): boolean {
  const { key, collection, stored } = mutation
  const expiresAt =
    mutation.expiresAt === undefined ? expiryToKeep(key, context, displaced) : mutation.expiresAt
  const { encoding, types, value } = stored
  const { statements, uniqueIndexes, log, version } = context
  for (;;) {
    try {
      const changed = statements[statement].run(key, collection, encoding, types, version, expiresAt, value)
      if (changed === 0) return false
      break
    } catch (error) {
      if (engineCode(error) !== 'SQLITE_CONSTRAINT_UNIQUE' || collection === null) throw error
      const holder = uniqueIndexes.holderOf(collection, key, stored)
      if (holder === null) throw error
      const expired = hasExpired(holder.expiresAt, context.now)
      if (!expired && !displaced?.displace(holder, place)) {
        throw new UniqueConstraintError(collection, holder.fields, decodeKey(holder.key))
      }
      statements.remove.run(holder.key)
      if (expired) log.add('expire', holder.key)
    }
  }
  log.add('set', key, stored)
  return true
}

/** When the value under a key expires; null where there is none that has not. */
function expiryToKeep(
  key: Uint8Array,
  { statements, now }: ApplyContext,
  displaced: DisplacedRows | null,
): number | null {
  const row = statements.version.get(key)
  const expiresAt = row === undefined ? (displaced?.expiryOf(key) ?? null) : row[1]
  return hasExpired(expiresAt, now) ? null : expiresAt
}

/** `displaced`: its row was taken away before. */
function applyDelete(key: Uint8Array, { statements, log, now }: ApplyContext, displaced: boolean): number {
  const row = statements.version.get(key)
  if (row === undefined && !displaced) return 0
  statements.remove.run(key)
  const expired = row !== undefined && hasExpired(row[1], now)
  log.add(expired ? 'expire' : 'delete', key)
  return expired ? 0 : 1
}

function applyTouch(
  { key, expiresAt }: TouchMutation,
  { statements, log, version, now }: ApplyContext,
): number {
  const row = statements.get.get(key)
  if (row === undefined || hasExpired(row[4], now)) return 0
  statements.touch.run(version, expiresAt, key)
  log.add('set', key, { value: row[0], encoding: row[1] as EncodingId, types: row[2] })
  return 1
}

function applyArithmeticMutation(mutation: ArithmeticMutation, context: ApplyContext): void {
  const row = context.statements.get.get(mutation.key)
  const current = row !== undefined && !hasExpired(row[4], context.now) ? toStoredRow(row) : null
  applySet(arithmeticSet(mutation, current), context)
}
