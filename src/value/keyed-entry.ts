import type { Key } from '../contract/key.types.ts'

/** What a read of a key without a value gives. */
export interface MissingEntry<K extends Key = Key> {
  readonly key: K
  readonly value: null
  readonly versionstamp: null
  readonly expiresAt: null
}

/**
 * An entry of the key-value face: `{ key, value, versionstamp }` to whoever enumerates it, compares it or makes JSON of it,
 * with `expiresAt` besides. A getter of the prototype costs a read nothing, where a property of its own that is not enumerable
 * would make `get` slower by a tenth.
 */
export class KeyedEntry {
  readonly key: Key
  value: unknown
  versionstamp: string
  #expiresAt: number | null

  constructor(key: Key, value: unknown, versionstamp: string, expiresAt: number | null) {
    this.key = key
    this.value = value
    this.versionstamp = versionstamp
    this.#expiresAt = expiresAt
  }

  get expiresAt(): number | null {
    return this.#expiresAt
  }

  static missing(key: Key): MissingEntry {
    return new KeyedEntry(key, null, null as never, null) as unknown as MissingEntry
  }

  /** Shows another state of its key. */
  static renew(entry: KeyedEntry, value: unknown, versionstamp: string, expiresAt: number | null): void {
    entry.value = value
    entry.versionstamp = versionstamp
    entry.#expiresAt = expiresAt
  }
}

// What prints and compares objects goes by their constructor: to all of these an entry is a plain object.
Object.defineProperty(KeyedEntry.prototype, 'constructor', { value: Object })
