import { type CallOptions, checkCallOptions } from '../arguments/call-options.ts'
import type { ArithmeticMutation, AtomicWrite, SetMutation } from '../commit/write.ts'
import type { Key } from '../contract/key.types.ts'
import type { Read, ResultOf, StoredRow } from '../driver/driver.ts'
import type { IdOf, Pattern } from '../key/pattern.types.ts'
import type { Entry } from '../schema/registry.types.ts'
import { untilAborted } from '../time/until-aborted.ts'
import type { SetOptions } from './expiry.ts'
import { ForwardingStore } from './forwarding-store.ts'
import type { ClaimsInPlace, RowEntry, RowStore, SettledOutcome } from './row-store.ts'
import type { TurnSource } from './turn.ts'

/** A store whose calls end when a signal is aborted: waiting calls reject at once, running ones at their next step. */
class AbortableStore extends ForwardingStore implements RowStore {
  declare readonly written?: readonly Uint8Array[]
  declare readonly turnSource?: TurnSource
  declare readonly claimsInPlace?: ClaimsInPlace
  declare readonly validatesReads?: boolean
  readonly #signal: AbortSignal

  constructor(store: RowStore, signal: AbortSignal) {
    super(store)
    this.#signal = signal
    if (store.written !== undefined) this.written = store.written
    if (store.claimsInPlace !== undefined) this.claimsInPlace = store.claimsInPlace
    if (store.validatesReads !== undefined) this.validatesReads = store.validatesReads
    if (store.turnSource !== undefined) {
      const { driver, turns } = store.turnSource
      this.turnSource = { driver, turns, signal }
    }
  }

  assertOpen(): void {
    this.#signal.throwIfAborted()
    this.store.assertOpen()
  }

  async read<R extends Read>(request: R): Promise<ResultOf<R>> {
    this.#signal.throwIfAborted()
    return untilAborted(this.store.read(request, this.#signal), this.#signal)
  }

  ofOneState<T>(read: (store: RowStore) => Promise<T>): Promise<T> {
    return this.store.ofOneState((view) => read(new AbortableStore(view, this.#signal)))
  }

  earlierWrites(key?: Uint8Array): Promise<void> | undefined {
    const earlier = this.store.earlierWrites?.(key)
    return earlier && untilAborted(earlier, this.#signal)
  }

  async commit(write: AtomicWrite): Promise<SettledOutcome> {
    this.#signal.throwIfAborted()
    const withdrawal = { signal: this.#signal, hasBegun: false }
    return untilAborted(this.store.commit({ ...write, withdrawal }), this.#signal)
  }

  override entry(row: StoredRow, key: Key): Entry | Promise<Entry> {
    this.#signal.throwIfAborted()
    return this.store.entry(row, key)
  }

  override rowEntry(row: StoredRow, id: IdOf<Pattern>, key: Key): RowEntry | Promise<RowEntry> {
    this.#signal.throwIfAborted()
    return this.store.rowEntry(row, id, key)
  }

  prepareSet(key: Key, value: unknown, options?: SetOptions): SetMutation | Promise<SetMutation> {
    this.#signal.throwIfAborted()
    return this.store.prepareSet(key, value, options)
  }

  preparePatch(key: Key, row: StoredRow, patch: object): SetMutation | Promise<SetMutation> {
    this.#signal.throwIfAborted()
    return this.store.preparePatch(key, row, patch)
  }

  prepareChanged(key: Key, row: StoredRow, output: unknown): SetMutation | Promise<SetMutation> {
    this.#signal.throwIfAborted()
    return this.store.prepareChanged(key, row, output)
  }

  prepareArithmetic(
    ...args: Parameters<RowStore['prepareArithmetic']>
  ): ArithmeticMutation | Promise<ArithmeticMutation> {
    return this.store.prepareArithmetic(...args)
  }

  settle(encodedKey: Uint8Array): Promise<void> | undefined {
    return this.store.settle(encodedKey)
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
