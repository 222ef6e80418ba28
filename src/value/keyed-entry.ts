import type { Key } from '../contract/key.types.ts'

/** The result of reading a key without a value. */
export interface MissingEntry<K extends Key = Key> {
  readonly key: K
  readonly value: null
  readonly versionstamp: null
  readonly expiresAt: null
}

/**
 * An entry read by key. It enumerates, compares and serializes as `{ key, value, versionstamp }`, and also has `expiresAt`. As a
 * getter on the prototype that costs a read nothing; a non-enumerable property of each entry would make `get` a tenth slower.
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

  /** Replaces the state that an entry shows of its key. */
  static renew(entry: KeyedEntry, value: unknown, versionstamp: string, expiresAt: number | null): void {
    entry.value = value
    entry.versionstamp = versionstamp
    entry.#expiresAt = expiresAt
  }
}

// Printers and comparers look at the constructor: for them an entry is a plain object.
Object.defineProperty(KeyedEntry.prototype, 'constructor', { value: Object })
