import { keyText } from '../key/key-text.ts'
import type { CommitFacts } from './facts.ts'
import type { AtomicWrite, Mutation } from './write.ts'

/** What writes say of the database themselves, as far as that is all that is to be known. */
export interface Foreseen extends Pick<CommitFacts, 'versions'> {
  /** The version at which they have read; null: they have read nothing. */
  readonly since: number | null
}

/**
 * What writes can be planned by that build on nothing but what they have read; null if there is more to know. The plan holds where
 * nobody has changed what was read, which is found out when it is carried out.
 */
export function foreseen(writes: readonly AtomicWrite[]): Foreseen | null {
  const versions = new Map<string, CommitFacts['versions'][number]>()
  let since: number | null = null
  for (const { reads } of writes) {
    if (reads === undefined) continue
    // What the first of them writes would take a version that another has read at.
    if (since !== null && reads.since !== since) return null
    since = reads.since
    for (const { key, version } of reads.keys) {
      const text = keyText(key)
      const known = versions.get(text)
      if (known !== undefined && (known.row?.version ?? null) !== version) return null
      // When it expires, `validUntil` says.
      versions.set(text, { key, row: version === null ? null : { version, expiresAt: null } })
    }
  }
  const isKnown = (mutation: Mutation) =>
    mutation.type === 'set'
      ? mutation.expiresAt !== undefined
      : mutation.type === 'delete' && versions.has(keyText(mutation.key))
  for (const { checks, mutations, claim } of writes) {
    if (claim !== undefined || checks.length > 0 || !mutations.every(isKnown)) return null
  }
  return { versions: [...versions.values()], since }
}
