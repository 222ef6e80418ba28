import { sameFields } from '../catalog/catalog.ts'
import type { StoredValue } from '../value/encoding.ts'
import type { Mutation } from './write.ts'

/** A row that has what a unique index over these fields allows once. `expiresAt` in milliseconds since the epoch. */
export interface UniqueHolder {
  readonly key: Uint8Array
  readonly expiresAt: number | null
  readonly fields: readonly string[]
}

/** What stands in the way of a value: a row that is stored, or, with `stored`, one that the same plan has with that value. */
export interface HeldValue extends UniqueHolder {
  readonly stored?: StoredValue
}

/** What stands in the way of each value that is to be stored. */
export type HeldValues = ReadonlyMap<StoredValue, readonly HeldValue[]>

/** The fields of each unique index, by the name of its collection. */
export type UniqueFields = ReadonlyMap<string, readonly (readonly string[])[]>

/** Whether one of these mutations may violate a unique index. */
export function mayViolate(unique: UniqueFields, mutations: readonly Mutation[]): boolean {
  if (unique.size === 0) return false
  return mutations.some((mutation) => mutation.type === 'set' && unique.has(mutation.collection ?? ''))
}

/** Whether a unique index that was there is gone. */
export function hasLostUnique(before: UniqueFields, now: UniqueFields): boolean {
  return [...before].some(([collection, lists]) => {
    const left = now.get(collection) ?? []
    return lists.some((fields) => !left.some((it) => sameFields(it, fields)))
  })
}
