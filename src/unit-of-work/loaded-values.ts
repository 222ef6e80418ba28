import { type StoredForm, sameForm } from '../commit/row.ts'
import type { Mutation, SetMutation } from '../commit/write.ts'
import { formatKey } from '../contract/format-key.ts'
import type { Key } from '../contract/key.types.ts'
import type { StoredRow } from '../driver/driver.ts'
import { keyText } from '../key/key-text.ts'
import { prefixRange } from '../key/range.ts'
import type { Store } from '../store/store.ts'
import { pauseDue } from '../time/give-way.ts'
import { decodeValue } from '../value/codec.ts'
import { adoptAssigned, encodeLoaded, isAssigned, type Loaded, show } from './loaded.ts'
import type { OwnWrites } from './own-writes.ts'

const everyKey = prefixRange(new Uint8Array())

/**
 * The values that a unit of work has loaded: each key has one, however often it is read (identity map), and those that were changed
 * in place are found by comparing what they would be stored as (dirty checking).
 */
export class LoadedValues {
  readonly #store: Store
  readonly #own: OwnWrites
  readonly #loaded = new Map<string, Loaded>()

  /** `own`: the writes of the unit. Changed values are added to them. */
  constructor(store: Store, own: OwnWrites) {
    this.#store = store
    this.#own = own
  }

  of(key: Key): Loaded | undefined {
    return this.#loaded.get(keyText(this.#store.encodeKey(key)))
  }

  /** Loads a row, or finds it loaded. If the unit has written it since, its entries get the new value. */
  whenLoaded<T>(row: StoredRow, key: Key, use: (loaded: Loaded) => T): T | Promise<T> {
    const text = keyText(this.#store.encodeKey(key))
    const known = this.#known(text, row)
    if (known !== undefined) return use(known)
    const value = this.#store.decode(row, key)
    const load = (settled: unknown) => this.#load(text, row, key, settled)
    if (!(value instanceof Promise)) return use(load(value))
    return value.then((settled) => use(this.#known(text, row) ?? load(settled)))
  }

  /** Loaded entries show a written value at once, so that later changes in place start from it. */
  showWritten(mutation: Mutation): void {
    const text = keyText(mutation.key)
    const loaded = this.#loaded.get(text)
    if (loaded === undefined) return
    if (mutation.type === 'delete') {
      // What is assigned from now on comes after it.
      show(loaded, loaded.value)
    } else if (mutation.type === 'touch') {
      adoptAssigned(loaded)
      loaded.row = { ...loaded.row, expiresAt: mutation.expiresAt }
      show(loaded, loaded.value)
    } else if (mutation.type === 'set') {
      const { stored, expiresAt = (this.#own.rowOf(mutation.key) ?? loaded.row).expiresAt } = mutation
      const row: StoredRow = { ...stored, version: this.#own.latestVersion, expiresAt }
      this.#load(text, row, loaded.key, this.#decode(stored))
    }
  }

  isChanged(encodedKey: Uint8Array): boolean {
    const loaded = this.#loaded.get(keyText(encodedKey))
    return loaded !== undefined && this.#changedForm(loaded) !== null
  }

  /** Adds a write for the value of a key if it was changed in place; its schema must accept it. */
  writeIfChanged(encodedKey: Uint8Array): Promise<void> | undefined {
    const loaded = this.#loaded.get(keyText(encodedKey))
    return loaded && this.#writeIfChanged(loaded)
  }

  /** The same for each key of the range. */
  async writeChanged(range = everyKey): Promise<void> {
    const [start, end] = [keyText(range.start), keyText(range.end)]
    for (const [text, loaded] of this.#loaded) {
      // Encoding a value takes much longer: the pages of a list would together take the square of its length.
      if (text < start || text >= end) continue
      const written = this.#writeIfChanged(loaded)
      if (written !== undefined) await written
      const pause = pauseDue()
      if (pause !== undefined) await pause
    }
  }

  /** Throws a TypeError for an entry that got another value after its row was deleted: nothing would be written. */
  refuseAssigned(): void {
    for (const encodedKey of this.#own.keys) {
      const loaded = this.#loaded.get(keyText(encodedKey))
      if (loaded === undefined || this.#lastWrite(loaded.key)?.type !== 'delete' || !isAssigned(loaded))
        continue
      throw new TypeError(
        `${formatKey(loaded.key)} was deleted before its entry got another value: write it with set or insert`,
      )
    }
  }

  #known(text: string, row: StoredRow): Loaded | undefined {
    const loaded = this.#loaded.get(text)
    if (loaded === undefined || !sameForm(loaded.row, row)) return undefined
    adoptAssigned(loaded)
    if (row.version > loaded.row.version) {
      // A write that leaves the value as it is, such as the sum of 0, may have given it another expiry.
      loaded.row = row
      show(loaded, loaded.value)
    }
    return loaded
  }

  #load(text: string, row: StoredRow, key: Key, value: unknown): Loaded {
    let loaded = this.#loaded.get(text)
    if (loaded === undefined) {
      loaded = { key, row, value, entry: null, rowEntries: [] }
      this.#loaded.set(text, loaded)
      return loaded
    }
    loaded.row = row
    show(loaded, value)
    return loaded
  }

  /** The stored form of a value that was changed in place; `null` if it was not, or if it is no longer current. */
  #changedForm(loaded: Loaded): StoredForm | null {
    const { row, key } = loaded
    if (!this.#isCurrent(key, row)) return null
    adoptAssigned(loaded)
    const form = encodeLoaded(loaded, this.#store.format)
    return sameForm(form, row) ? null : form
  }

  /** Gives a promise only if the schema does. */
  #writeIfChanged(loaded: Loaded): Promise<void> | undefined {
    const changed = this.#changedForm(loaded)
    if (changed === null) return undefined
    const { row, value, key } = loaded
    const prepared = this.#store.prepareChanged(key, row, value)
    if (!(prepared instanceof Promise)) {
      this.#addChanged(loaded, changed, prepared)
      return undefined
    }
    return prepared.then((mutation) => {
      // An overlapping call of the unit may have written the key meanwhile.
      if (loaded.value === value && this.#isCurrent(key, row)) this.#addChanged(loaded, changed, mutation)
    })
  }

  #addChanged(loaded: Loaded, changed: StoredForm, mutation: SetMutation): void {
    const { row } = loaded
    const { stored } = mutation
    const { expiresAt } = row
    this.#own.add({ ...mutation, expiresAt })
    loaded.row = { ...row, ...stored, expiresAt }
    // The output of the schema is what is stored, and what the entries show.
    if (!sameForm(changed, stored)) show(loaded, this.#decode(stored))
  }

  /** Whether the loaded row is the unit's newest write of this key, if it has one. */
  #isCurrent(key: Key, row: StoredRow): boolean {
    if (this.#own.keys.length === 0) return true
    const last = this.#lastWrite(key)
    return last === undefined || (last.type === 'set' && sameForm(last.stored, row))
  }

  #lastWrite(key: Key): Mutation | undefined {
    return this.#own.of(this.#store.encodeKey(key))?.mutations.findLast(({ type }) => type !== 'touch')
  }

  #decode({ value, encoding, types }: StoredForm): unknown {
    return decodeValue(value, encoding, types, this.#store.format)
  }
}
