import { sameFields } from '../catalog/catalog.ts'
import type { Mutation } from './write.ts'

/** A row that has what a unique index over these fields allows once. `expiresAt` in milliseconds since the epoch. */
export interface UniqueHolder {
  readonly key: Uint8Array
  readonly expiresAt: number | null
  readonly fields: readonly string[]
}

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
