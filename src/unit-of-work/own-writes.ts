import type { Mutation } from '../commit/write.ts'
import type { StoredRow } from '../driver/driver.ts'
import { keyText } from '../key/key-text.ts'

export interface OwnWrite {
  readonly mutations: readonly Mutation[]
  readonly version: number
}

/** No commit has a version that stands for an uncommitted write. */
const firstVersion = 2 ** 52

/** What a unit of work has written so far and not committed. */
export class OwnWrites {
  /** The keys in the order of the writes; one that was written again comes again. */
  readonly keys: Uint8Array[] = []
  readonly #writes = new Map<string, OwnWrite>()
  #latest = firstVersion

  /** The version of the newest write: a stand-in until the commit gives one, another for each write of the unit. */
  get latestVersion(): number {
    return this.#latest
  }

  /** Adds a write. A later one of a key takes the place of an earlier one, unless it builds upon it. */
  add(written: Mutation): void {
    const mutation = this.#resolve(written)
    const text = keyText(mutation.key)
    const earlier = replaces(mutation) ? [] : (this.#writes.get(text)?.mutations ?? [])
    this.keys.push(mutation.key)
    this.#latest = firstVersion + this.keys.length
    this.#writes.delete(text)
    this.#writes.set(text, { mutations: [...earlier, mutation], version: this.#latest })
  }

  /** Every write that counts, in order. */
  all(): readonly Mutation[] {
    const all: Mutation[] = []
    for (const { mutations } of this.#writes.values()) all.push(...mutations)
    return all
  }

  /** Those of one key that count, and the version that stands for the newest of them; undefined if there are none. */
  of(key: Uint8Array): OwnWrite | undefined {
    return this.#writes.size === 0 ? undefined : this.#writes.get(keyText(key))
  }

  /** The row that the writes of a key leave behind, null for none; `undefined` if that depends on what is stored. */
  rowOf(key: Uint8Array): StoredRow | null | undefined {
    const write = this.of(key)
    const [first, ...later] = write?.mutations ?? []
    if (first?.type === 'delete') return later.length === 0 ? null : undefined
    if (first?.type !== 'set' || first.expiresAt === undefined) return undefined
    let { expiresAt } = first
    for (const mutation of later) {
      if (mutation.type !== 'touch') return undefined
      expiresAt = mutation.expiresAt
    }
    return { ...first.stored, version: write!.version, expiresAt }
  }

  /** A set that keeps the expiry of what the unit itself has written has this expiry for its own. */
  #resolve(mutation: Mutation): Mutation {
    if (mutation.type !== 'set' || mutation.expiresAt !== undefined) return mutation
    const row = this.rowOf(mutation.key)
    return row === undefined ? mutation : { ...mutation, expiresAt: row?.expiresAt ?? null }
  }
}

/** Whether it does not depend on what it is applied to. */
export function replaces(mutation: Mutation): boolean {
  return mutation.type === 'delete' || (mutation.type === 'set' && mutation.expiresAt !== undefined)
}
