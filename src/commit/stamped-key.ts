import { encodeKey } from '../key/codec.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'
import type { Mutation } from './write.ts'

/** The last part of a key until its commit puts its versionstamp there; both have the same length. */
export const stampPlace = formatVersionstamp(0)

/** These mutations, with the versionstamp of this version at the end of each stamped key. */
export function stampKeys(mutations: readonly Mutation[], version: number): readonly Mutation[] {
  const stamp = encodeKey([formatVersionstamp(version)])
  return mutations.map((mutation) => {
    if (mutation.type !== 'set' || !mutation.stamped) return mutation
    const key = mutation.key.slice()
    key.set(stamp, key.length - stamp.length)
    return { ...mutation, key }
  })
}
