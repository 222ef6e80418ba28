import { keyText } from '../key/key-text.ts'
import type { Mutation } from './write.ts'

/** A row in the way: the one that a unique index reports as violated, or the one that violates it. */
interface Holder {
  readonly key: Uint8Array
  readonly expiresAt: number | null
}

/**
 * Rows that a write removes before their own mutation comes. A unique index must hold after the whole write: a row that is in the
 * way of one mutation, and that a later one sets or deletes, is no violation. Nor is a value that a later mutation replaces.
 */
export class DisplacedRows {
  readonly #mutations: readonly Mutation[]
  /** The place of the last mutation that sets or deletes each key, built when a row is first in the way. */
  #places: Map<string, number> | null = null
  /** When each displaced row expires. */
  readonly #displaced = new Map<string, number | null>()

  constructor(mutations: readonly Mutation[]) {
    this.#mutations = mutations
  }

  /** Whether this row may be removed for the mutation at `place`; it then counts as displaced. */
  displace({ key, expiresAt }: Holder, place: number): boolean {
    this.#places ??= placesOf(this.#mutations)
    const text = keyText(key)
    if ((this.#places.get(text) ?? -1) <= place) return false
    this.#displaced.set(text, expiresAt)
    return true
  }

  /** When the displaced row of this key would have expired; null if it was not displaced. */
  expiryOf(key: Uint8Array): number | null {
    return this.#displaced.size === 0 ? null : (this.#displaced.get(keyText(key)) ?? null)
  }

  /** Touches the row of this key if it was displaced: records its new expiry. Returns whether it was. */
  touch(key: Uint8Array, expiresAt: number | null): boolean {
    if (this.#displaced.size === 0) return false
    const text = keyText(key)
    if (!this.#displaced.has(text)) return false
    this.#displaced.set(text, expiresAt)
    return true
  }

  /** Whether the row of this key was displaced; it is now set or deleted, and no longer counts. */
  settle(key: Uint8Array): boolean {
    return this.#displaced.size > 0 && this.#displaced.delete(keyText(key))
  }
}

function placesOf(mutations: readonly Mutation[]): Map<string, number> {
  const places = new Map<string, number>()
  for (const [place, { type, key }] of mutations.entries()) {
    if (type === 'set' || type === 'delete') places.set(keyText(key), place)
  }
  return places
}
