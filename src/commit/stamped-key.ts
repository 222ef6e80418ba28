import { encodeKey } from '../key/codec.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'
import type { Mutation } from './write.ts'

/** The last part of a key in whose place the versionstamp of its commit comes: as long as that is. */
export const stampPlace = formatVersionstamp(0)

/** The same mutations, those that are stamped under keys that end in the versionstamp of this version. */
export function stampKeys(mutations: readonly Mutation[], version: number): readonly Mutation[] {
  const stamp = encodeKey([formatVersionstamp(version)])
  return mutations.map((mutation) => {
    if (mutation.type !== 'set' || !mutation.stamped) return mutation
    const key = mutation.key.slice()
    key.set(stamp, key.length - stamp.length)
    return { ...mutation, key }
  })
}
