import { sameFields } from '../catalog/catalog.ts'
import type { StoredValue } from '../value/encoding.ts'
import type { Mutation } from './write.ts'

/** A row with the same values of the fields of a unique index. `expiresAt` in milliseconds since the epoch. */
export interface UniqueHolder {
  readonly key: Uint8Array
  readonly expiresAt: number | null
  readonly fields: readonly string[]
}

/** What keeps a value from being stored: a stored row of this version, or a row of the same plan with the value `stored`. */
export type HeldValue = UniqueHolder &
  (
    | { readonly version: number; readonly stored?: undefined }
    | { readonly stored: StoredValue; readonly version?: undefined }
  )

/** The rows in the way of each value to be stored. */
export type HeldValues = ReadonlyMap<StoredValue, readonly HeldValue[]>

/** The fields of each unique index, by the name of its collection. */
export type UniqueFields = ReadonlyMap<string, readonly (readonly string[])[]>

/** Whether one of these mutations could violate a unique index. */
export function mayViolate(unique: UniqueFields, mutations: readonly Mutation[]): boolean {
  if (unique.size === 0) return false
  return mutations.some((mutation) => mutation.type === 'set' && unique.has(mutation.collection ?? ''))
}

/** Whether a unique index was dropped. */
export function hasLostUnique(before: UniqueFields, now: UniqueFields): boolean {
  return [...before].some(([collection, lists]) => {
    const left = now.get(collection) ?? []
    return lists.some((fields) => !left.some((it) => sameFields(it, fields)))
  })
}
