import type { Mutation } from '../../commit/write.ts'
import { keyText } from '../../key/key-text.ts'

/**
 * The rows that a write takes away before their turn. A unique index is to hold once all of a write is applied: a row that
 * stands in the way of one mutation, and that a later one sets or deletes, is no violation.
 */
export class DisplacedRows {
  readonly #mutations: readonly Mutation[]
  /** The place of the last mutation that sets or deletes each key: made when a row is in the way for the first time. */
  #places: Map<string, number> | null = null
  readonly #displaced = new Set<string>()

  constructor(mutations: readonly Mutation[]) {
    this.#mutations = mutations
  }

  /** Whether the row of this key may be taken away for the mutation at `place`: then it counts as displaced. */
  displace(key: Uint8Array, place: number): boolean {
    this.#places ??= placesOf(this.#mutations)
    const text = keyText(key)
    if ((this.#places.get(text) ?? -1) <= place) return false
    this.#displaced.add(text)
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
