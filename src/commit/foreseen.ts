import { keyText } from '../key/key-text.ts'
import type { CommitFacts } from './facts.ts'
import type { AtomicWrite, Mutation } from './write.ts'

/** The facts that the writes themselves bring. */
export interface Foreseen extends Pick<CommitFacts, 'versions'> {
  /** The version that they have read; null if they have read nothing. */
  readonly since: number | null
}

/**
 * The facts for planning writes that depend only on what they have read; null if planning needs more. The plan holds if nobody has
 * changed what was read, which the engine checks when it carries the plan out.
 */
export function foreseen(writes: readonly AtomicWrite[]): Foreseen | null {
  const versions = new Map<string, CommitFacts['versions'][number]>()
  let since: number | null = null
  for (const { reads } of writes) {
    if (reads === undefined) continue
    // The first write takes a version of its own, so the next one cannot have read the same state.
    if (since !== null && reads.since !== since) return null
    since = reads.since
    for (const { key, version } of reads.keys) {
      const text = keyText(key)
      const known = versions.get(text)
      if (known !== undefined && (known.row?.version ?? null) !== version) return null
      // `validUntil` says when it expires.
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
