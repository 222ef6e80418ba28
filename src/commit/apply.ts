import { UniqueConstraintError } from '../contract/errors.ts'
import { decodeKey } from '../key/codec.ts'
import type { EncodingId } from '../value/encoding.ts'
import { DisplacedRows } from './displaced.ts'
import { arithmeticSet } from './mutated-row.ts'
import { hasExpired } from './row.ts'
import type { CommitTransaction } from './transaction.ts'
import type { ArithmeticMutation, Mutation, SetMutation, TouchMutation } from './write.ts'

/** The version and the time (ms since the epoch) of the write that is applied. */
export interface ApplyContext {
  readonly transaction: CommitTransaction
  readonly version: number
  readonly now: number
}

/** Applies the mutations in order. Returns how many values the deletes and touches found. */
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
      if (applySet(mutation, context, displaced, place)) displaced?.settle(mutation.key)
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
 * Stores a value. If a unique index reports another row, that row is removed if it has expired, or if the mutation at `place` may
 * displace it. If it may not, but a later mutation replaces the value, the row of the value itself counts as displaced; otherwise
 * this throws a UniqueConstraintError. Returns whether the value is stored.
 */
export function applySet(
  mutation: SetMutation,
  context: ApplyContext,
  displaced: DisplacedRows | null = null,
  place = 0,
): boolean {
  return store(mutation, context, false, displaced, place)
}

/** Like `applySet`, but stores nothing if there is a row under the key. Returns whether it stored the value. */
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
      if (!makeWay(error, { ...mutation, expiresAt }, context, displaced, place)) return false
    }
  }
  transaction.log.add('set', key, stored)
  return true
}

/**
 * Removes the row that this violation is about, or else the row of the set itself, or throws why the set cannot be applied. Returns
 * whether the set has room now.
 */
function makeWay(
  error: unknown,
  set: SetMutation & { readonly expiresAt: number | null },
  { transaction, now }: ApplyContext,
  displaced: DisplacedRows | null,
  place: number,
): boolean {
  const { key, collection, stored } = set
  if (collection === null || !transaction.violatesUnique(error)) throw error
  const holder = transaction.holderOf(collection, key, stored)
  if (holder === null) throw error
  const expired = hasExpired(holder.expiresAt, now)
  const hasRoom = expired || displaced?.displace(holder, place) === true
  if (!hasRoom && !displaced?.displace(set, place)) {
    throw new UniqueConstraintError(collection, holder.fields, decodeKey(holder.key))
  }
  transaction.remove(hasRoom ? holder.key : key)
  if (expired) transaction.log.add('expire', holder.key)
  return hasRoom
}

/** When the value under a key expires; null if there is no value, or if it has expired. */
function expiryToKeep(
  key: Uint8Array,
  { transaction, now }: ApplyContext,
  displaced: DisplacedRows | null,
): number | null {
  const row = transaction.versionOf(key)
  const expiresAt = row === null ? (displaced?.expiryOf(key) ?? null) : row.expiresAt
  return hasExpired(expiresAt, now) ? null : expiresAt
}

/** `displaced`: whether the row was removed earlier, for another mutation. */
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
