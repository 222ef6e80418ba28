import type { Key } from '../contract/key.types.ts'
import type { Limits } from '../contract/limits.ts'
import type { StoredRow } from '../driver/driver.ts'
import type { IdOf, Pattern } from '../key/pattern.types.ts'
import type { Registry } from '../schema/registry.ts'
import type { Entry } from '../schema/registry.types.ts'
import type { RowEntry, RowStore } from './row-store.ts'

/** A store that stands before another one, and leaves to it what it does not do itself. */
export abstract class ForwardingStore<S extends RowStore = RowStore> {
  readonly path: string
  readonly registry: Registry
  readonly limits: Limits
  readonly format: RowStore['format']
  readonly openRepository: RowStore['openRepository']
  protected readonly store: S

  constructor(store: S) {
    this.store = store
    this.path = store.path
    this.registry = store.registry
    this.limits = store.limits
    this.format = store.format
    this.openRepository = store.openRepository
  }

  now(): number {
    return this.store.now()
  }

  encodeKey(key: Key): Uint8Array {
    return this.store.encodeKey(key)
  }

  decode(row: StoredRow, key: Key): unknown | Promise<unknown> {
    return this.store.decode(row, key)
  }

  ownValue(row: StoredRow, key: Key): unknown | Promise<unknown> {
    return this.store.ownValue(row, key)
  }

  entry(row: StoredRow, key: Key): Entry | Promise<Entry> {
    return this.store.entry(row, key)
  }

  rowEntry(row: StoredRow, id: IdOf<Pattern>, key: Key): RowEntry | Promise<RowEntry> {
    return this.store.rowEntry(row, id, key)
  }

  committedVersion(encodedKey: Uint8Array, row: StoredRow | null): Promise<number | null> {
    return this.store.committedVersion(encodedKey, row)
  }

  missing<E extends { readonly key: Key }>(entry: E): E {
    return this.store.missing(entry)
  }

  extend(entry: RowEntry, more: object): RowEntry {
    return this.store.extend(entry, more)
  }

  part(...args: Parameters<RowStore['part']>): RowEntry {
    return this.store.part(...args)
  }
}
