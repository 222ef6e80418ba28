import { type CallOptions, checkCallOptions } from '../arguments/call-options.ts'
import type { ArithmeticMutation, AtomicWrite, SetMutation } from '../commit/write.ts'
import type { Key } from '../contract/key.types.ts'
import type { Limits } from '../contract/limits.ts'
import type { Read, ResultOf, StoredRow } from '../driver/driver.ts'
import type { IdOf, Pattern } from '../key/pattern.types.ts'
import type { Registry } from '../schema/registry.ts'
import type { Entry } from '../schema/registry.types.ts'
import { untilAborted } from '../time/until-aborted.ts'
import type { SetOptions } from './expiry.ts'
import type { ClaimsInPlace, RowEntry, RowStore, SettledOutcome } from './row-store.ts'
import type { TurnSource } from './turn.ts'

/** A store whose calls end when a signal is aborted: waiting calls reject at once, running ones at their next step. */
class AbortableStore implements RowStore {
  readonly path: string
  readonly registry: Registry
  readonly openRepository: RowStore['openRepository']
  readonly limits: Limits
  readonly format: RowStore['format']
  declare readonly written?: readonly Uint8Array[]
  declare readonly turnSource?: TurnSource
  declare readonly claimsInPlace?: ClaimsInPlace
  declare readonly validatesReads?: boolean
  readonly #store: RowStore
  readonly #signal: AbortSignal

  constructor(store: RowStore, signal: AbortSignal) {
    this.#store = store
    this.#signal = signal
    this.path = store.path
    this.registry = store.registry
    this.openRepository = store.openRepository
    this.limits = store.limits
    this.format = store.format
    if (store.written !== undefined) this.written = store.written
    if (store.claimsInPlace !== undefined) this.claimsInPlace = store.claimsInPlace
    if (store.validatesReads !== undefined) this.validatesReads = store.validatesReads
    if (store.turnSource !== undefined) {
      const { driver, turns } = store.turnSource
      this.turnSource = { driver, turns, signal }
    }
  }

  now(): number {
    return this.#store.now()
  }

  assertOpen(): void {
    this.#signal.throwIfAborted()
    this.#store.assertOpen()
  }

  async read<R extends Read>(request: R): Promise<ResultOf<R>> {
    this.#signal.throwIfAborted()
    return untilAborted(this.#store.read(request, this.#signal), this.#signal)
  }

  ofOneState<T>(read: (store: RowStore) => Promise<T>): Promise<T> {
    return this.#store.ofOneState((view) => read(new AbortableStore(view, this.#signal)))
  }

  async commit(write: AtomicWrite): Promise<SettledOutcome> {
    this.#signal.throwIfAborted()
    return untilAborted(this.#store.commit(write), this.#signal)
  }

  entry(row: StoredRow, key: Key): Entry | Promise<Entry> {
    this.#signal.throwIfAborted()
    return this.#store.entry(row, key)
  }

  rowEntry(row: StoredRow, id: IdOf<Pattern>, key: Key): RowEntry | Promise<RowEntry> {
    this.#signal.throwIfAborted()
    return this.#store.rowEntry(row, id, key)
  }

  prepareSet(key: Key, value: unknown, options?: SetOptions): SetMutation | Promise<SetMutation> {
    this.#signal.throwIfAborted()
    return this.#store.prepareSet(key, value, options)
  }

  preparePatch(key: Key, row: StoredRow, patch: object): SetMutation | Promise<SetMutation> {
    this.#signal.throwIfAborted()
    return this.#store.preparePatch(key, row, patch)
  }

  prepareChanged(key: Key, row: StoredRow, output: unknown): SetMutation | Promise<SetMutation> {
    this.#signal.throwIfAborted()
    return this.#store.prepareChanged(key, row, output)
  }

  prepareArithmetic(
    ...args: Parameters<RowStore['prepareArithmetic']>
  ): ArithmeticMutation | Promise<ArithmeticMutation> {
    return this.#store.prepareArithmetic(...args)
  }

  encodeKey(key: Key): Uint8Array {
    return this.#store.encodeKey(key)
  }

  decode(row: StoredRow, key: Key): unknown | Promise<unknown> {
    return this.#store.decode(row, key)
  }

  settle(encodedKey: Uint8Array): Promise<void> | undefined {
    return this.#store.settle(encodedKey)
  }

  ownValue(row: StoredRow, key: Key): unknown | Promise<unknown> {
    return this.#store.ownValue(row, key)
  }

  committedVersion(encodedKey: Uint8Array, row: StoredRow | null): Promise<number | null> {
    return this.#store.committedVersion(encodedKey, row)
  }

  missing<E extends { readonly key: Key }>(entry: E): E {
    return this.#store.missing(entry)
  }

  extend(entry: RowEntry, more: object): RowEntry {
    return this.#store.extend(entry, more)
  }

  part(...args: Parameters<RowStore['part']>): RowEntry {
    return this.#store.part(...args)
  }
}

/** A store for one call with these options. */
export function storeUnder(store: RowStore, signal: AbortSignal | undefined): RowStore {
  return signal === undefined ? store : new AbortableStore(store, signal)
}

/** The store for a write with these options. Throws a TypeError for an unknown option, or if the store is read-only. */
export function storeOfWrite(
  store: RowStore,
  options: CallOptions | undefined,
  call: string,
  own: readonly string[] = [],
): RowStore {
  if (options !== undefined) checkCallOptions(options, call, own)
  const under = storeUnder(store, options?.signal)
  under.assertOpen()
  return under
}
