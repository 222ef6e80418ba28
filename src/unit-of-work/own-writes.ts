import type { Mutation } from '../commit/write.ts'
import type { StoredRow } from '../driver/driver.ts'
import { keyText } from '../key/key-text.ts'

export interface OwnWrite {
  readonly mutations: readonly Mutation[]
  readonly version: number
}

/** Versions from here on stand for uncommitted writes; no commit has one. */
const firstVersion = 2 ** 52

/** The writes of a unit of work that are not committed yet. */
export class OwnWrites {
  /** The keys in the order of the writes; a key that is written again appears again. */
  readonly keys: Uint8Array[] = []
  readonly #writes = new Map<string, OwnWrite>()
  #latest = firstVersion

  /** The version of the newest write: a stand-in until the commit, different for each write of the unit. */
  get latestVersion(): number {
    return this.#latest
  }

  /** Adds a write. It replaces earlier ones of its key, unless it builds upon them. */
  add(written: Mutation): void {
    const mutation = this.#resolve(written)
    const text = keyText(mutation.key)
    const earlier = replaces(mutation) ? [] : (this.#writes.get(text)?.mutations ?? [])
    this.keys.push(mutation.key)
    this.#latest = firstVersion + this.keys.length
    this.#writes.delete(text)
    this.#writes.set(text, { mutations: [...earlier, mutation], version: this.#latest })
  }

  /** The writes to commit, in order. */
  all(): readonly Mutation[] {
    const all: Mutation[] = []
    for (const { mutations } of this.#writes.values()) for (const mutation of mutations) all.push(mutation)
    return all
  }

  /** The writes of one key to commit, and the version of the newest; undefined if there are none. */
  of(key: Uint8Array): OwnWrite | undefined {
    return this.#writes.size === 0 ? undefined : this.#writes.get(keyText(key))
  }

  /** The row after the writes of a key, null if none is left; `undefined` if that depends on what is stored. */
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

  /** A set that keeps the expiry of an earlier write of the unit gets that expiry. */
  #resolve(mutation: Mutation): Mutation {
    if (mutation.type !== 'set' || mutation.expiresAt !== undefined) return mutation
    const row = this.rowOf(mutation.key)
    return row === undefined ? mutation : { ...mutation, expiresAt: row?.expiresAt ?? null }
  }
}

/** Whether it does not depend on the row that it is applied to. */
export function replaces(mutation: Mutation): boolean {
  return mutation.type === 'delete' || (mutation.type === 'set' && mutation.expiresAt !== undefined)
}
