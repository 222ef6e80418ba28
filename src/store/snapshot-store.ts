import type { ArithmeticMutation, SetMutation } from '../commit/write.ts'
import type { Key } from '../contract/key.types.ts'
import type { Limits } from '../contract/limits.ts'
import type { Read, ResultOf, Session, StoredRow } from '../driver/driver.ts'
import type { IdOf, Pattern } from '../key/pattern.types.ts'
import type { Registry } from '../schema/registry.ts'
import type { Entry } from '../schema/registry.types.ts'
import { paced } from '../time/give-way.ts'
import type { ValueFormat } from '../value/value-format.ts'
import type { RowEntry, RowStore, SettledOutcome } from './row-store.ts'
import { isShort, tracedRead } from './traced-read.ts'

/** A read-only store. All reads see the state of its session. */
export class SnapshotStore implements RowStore {
  readonly writes = false
  readonly path: string
  readonly registry: Registry
  readonly limits: Limits
  readonly format: ValueFormat
  readonly openRepository: RowStore['openRepository']
  readonly #store: RowStore
  readonly #session: Session
  #over = false

  constructor(store: RowStore, session: Session) {
    this.#store = store
    this.#session = session
    this.path = store.path
    this.registry = store.registry
    this.limits = store.limits
    this.format = store.format
    this.openRepository = store.openRepository
  }

  now(): number {
    return this.#store.now()
  }

  assertOpen(): void {
    if (this.#over) {
      throw new TypeError(
        'This snapshot has ended: use the view only inside its function, and await every call',
      )
    }
    this.#store.assertOpen()
  }

  /** Whether it belongs to this database, and has not ended yet. */
  isOpenOn(store: RowStore): boolean {
    return this.#store === store && !this.#over
  }

  async read<R extends Read>(request: R, signal?: AbortSignal): Promise<ResultOf<R>> {
    this.assertOpen()
    return paced(() => tracedRead(this.#session, this.path, request, signal), isShort(request))
  }

  ofOneState<T>(read: (store: RowStore) => Promise<T>): Promise<T> {
    return read(this)
  }

  end(): void {
    this.#over = true
    this.#session.end()
  }

  encodeKey(key: Key): Uint8Array {
    return this.#store.encodeKey(key)
  }

  decode(row: StoredRow, key: Key): unknown | Promise<unknown> {
    return this.#store.decode(row, key)
  }

  settle(): undefined {}

  ownValue(row: StoredRow, key: Key): unknown | Promise<unknown> {
    return this.#store.decode(row, key)
  }

  entry(row: StoredRow, key: Key): Entry | Promise<Entry> {
    return this.#store.entry(row, key)
  }

  rowEntry(row: StoredRow, id: IdOf<Pattern>, key: Key): RowEntry | Promise<RowEntry> {
    return this.#store.rowEntry(row, id, key)
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

  prepareSet(): SetMutation {
    return refuse()
  }

  preparePatch(): SetMutation {
    return refuse()
  }

  prepareChanged(): SetMutation {
    return refuse()
  }

  prepareArithmetic(): ArithmeticMutation {
    return refuse()
  }

  async commit(): Promise<SettledOutcome> {
    return refuse()
  }
}

function refuse(): never {
  throw new TypeError('A snapshot only reads: write with the database, or read and write in a unit of work')
}
