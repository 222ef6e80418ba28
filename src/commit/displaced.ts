import { keyText } from '../key/key-text.ts'
import type { Mutation } from './write.ts'

/** A row that holds what a unique index allows once. */
interface Holder {
  readonly key: Uint8Array
  readonly expiresAt: number | null
}

/**
 * The rows that a write takes away before their turn. A unique index is to hold once all of a write is applied: a row that
 * stands in the way of one mutation, and that a later one sets or deletes, is no violation.
 */
export class DisplacedRows {
  readonly #mutations: readonly Mutation[]
  /** The place of the last mutation that sets or deletes each key: made when a row is in the way for the first time. */
  #places: Map<string, number> | null = null
  /** When each of them expires. */
  readonly #displaced = new Map<string, number | null>()

  constructor(mutations: readonly Mutation[]) {
    this.#mutations = mutations
  }

  /** Whether the row of this key may be taken away for the mutation at `place`: then it counts as displaced. */
  displace({ key, expiresAt }: Holder, place: number): boolean {
    this.#places ??= placesOf(this.#mutations)
    const text = keyText(key)
    if ((this.#places.get(text) ?? -1) <= place) return false
    this.#displaced.set(text, expiresAt)
    return true
  }

  /** When the row of this key would have expired; null if it was not displaced. */
  expiryOf(key: Uint8Array): number | null {
    return this.#displaced.size === 0 ? null : (this.#displaced.get(keyText(key)) ?? null)
  }

  /** Whether the row of this key, which is touched now, was displaced: it expires at this time then. */
  touch(key: Uint8Array, expiresAt: number | null): boolean {
    if (this.#displaced.size === 0) return false
    const text = keyText(key)
    if (!this.#displaced.has(text)) return false
    this.#displaced.set(text, expiresAt)
    return true
  }

  /** Whether the row of this key, which is set or deleted now, was displaced. */
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
