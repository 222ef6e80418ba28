import { UniqueConstraintError } from '../contract/errors.ts'
import { decodeKey } from '../key/codec.ts'
import type { EncodingId } from '../value/encoding.ts'
import { DisplacedRows } from './displaced.ts'
import { arithmeticSet } from './mutated-row.ts'
import { hasExpired } from './row.ts'
import type { CommitTransaction } from './transaction.ts'
import type { ArithmeticMutation, Mutation, SetMutation, TouchMutation } from './write.ts'

/** Where a write is applied: as this version, at this time (ms since the epoch). */
export interface ApplyContext {
  readonly transaction: CommitTransaction
  readonly version: number
  readonly now: number
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
      applySet(mutation, context, displaced, place)
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
 * Stores a value. A row that a unique index holds against it goes where it has expired, or may be displaced by the mutation at `place`;
 * where it stays, that is a UniqueConstraintError.
 */
export function applySet(
  mutation: SetMutation,
  context: ApplyContext,
  displaced: DisplacedRows | null = null,
  place = 0,
): void {
  store(mutation, context, false, displaced, place)
}

/** As `applySet`; whether the value was stored: not where there is a row under its key. */
export function applyInsert(mutation: SetMutation, context: ApplyContext): boolean {
  return store(mutation, context, true, null, 0)
}

function store(
  mutation: SetMutation,
  context: ApplyContext,
  isInsert: boolean,
  displaced: DisplacedRows | null,
  place: number,
): boolean {
  const { key, stored } = mutation
  const { transaction, version } = context
  const expiresAt =
    mutation.expiresAt === undefined ? expiryToKeep(key, context, displaced) : mutation.expiresAt
  for (;;) {
    try {
      if (!isInsert) transaction.upsert(mutation, version, expiresAt)
      else if (!transaction.insert(mutation, version, expiresAt)) return false
      break
    } catch (error) {
      makeWay(error, mutation, context, displaced, place)
    }
  }
  transaction.log.add('set', key, stored)
  return true
}

/** Takes the row away for which this was thrown, or throws why the set cannot be applied. */
function makeWay(
  error: unknown,
  set: SetMutation,
  { transaction, now }: ApplyContext,
  displaced: DisplacedRows | null,
  place: number,
): void {
  const { key, collection, stored } = set
  if (collection === null || !transaction.violatesUnique(error)) throw error
  const holder = transaction.holderOf(collection, key, stored)
  if (holder === null) throw error
  const expired = hasExpired(holder.expiresAt, now)
  if (!expired && !displaced?.displace(holder, place)) {
    throw new UniqueConstraintError(collection, holder.fields, decodeKey(holder.key))
  }
  transaction.remove(holder.key)
  if (expired) transaction.log.add('expire', holder.key)
}

/** When the value under a key expires; null if there is none that has not. */
function expiryToKeep(
  key: Uint8Array,
  { transaction, now }: ApplyContext,
  displaced: DisplacedRows | null,
): number | null {
  const row = transaction.versionOf(key)
  const expiresAt = row === null ? (displaced?.expiryOf(key) ?? null) : row.expiresAt
  return hasExpired(expiresAt, now) ? null : expiresAt
}

/** `displaced`: its row was taken away before. */
function applyDelete(key: Uint8Array, { transaction, now }: ApplyContext, displaced: boolean): number {
  const row = transaction.versionOf(key)
  if (row === null && !displaced) return 0
  transaction.remove(key)
  const expired = row !== null && hasExpired(row.expiresAt, now)
  transaction.log.add(expired ? 'expire' : 'delete', key)
  return expired ? 0 : 1
}

function applyTouch({ key, expiresAt }: TouchMutation, { transaction, version, now }: ApplyContext): number {
  const row = transaction.row(key)
  if (row === null || hasExpired(row.expiresAt, now)) return 0
  const { value, types } = row
  transaction.touch(key, version, expiresAt)
  transaction.log.add('set', key, { value, encoding: row.encoding as EncodingId, types })
  return 1
}

function applyArithmeticMutation(mutation: ArithmeticMutation, context: ApplyContext): void {
  const row = context.transaction.row(mutation.key)
  const current = row !== null && !hasExpired(row.expiresAt, context.now) ? row : null
  applySet(arithmeticSet(mutation, current), context)
}
