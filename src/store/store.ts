// Reads, writes and close share a queue, a filing and a hub: one class of short methods between the typed faces and the driver.
import { WatchHub } from '../broadcast/hub.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { appliedMutations } from '../commit/claim.ts'
import { Filing } from '../commit/filing.ts'
import { checkOperand } from '../commit/mutation.ts'
import type { ArithmeticMutation, AtomicWrite, Mutation, SetMutation } from '../commit/write.ts'
import { DatabaseClosedError, ValidationError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import type { Limits } from '../contract/limits.ts'
import type { Driver, Read, ResultOf, StoredRow } from '../driver/driver.ts'
import { encodeKey } from '../key/codec.ts'
import type { IdOf, Pattern } from '../key/pattern.types.ts'
import { checkIdKinds } from '../key/typed-id.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'
import { jsonSchemaOf } from '../schema/json-schema.ts'
import type { Registry } from '../schema/registry.ts'
import type { Entry } from '../schema/registry.types.ts'
import { paced, pauseDue } from '../time/give-way.ts'
import { encodeValue } from '../value/codec.ts'
import { exceeds, tooLarge } from '../value/encoding.ts'
import { KeyedEntry } from '../value/keyed-entry.ts'
import { KvU64 } from '../value/kv-u64.ts'
import { isPlainObject } from '../value/plain-object.ts'
import type { ValueFormat } from '../value/value-format.ts'
import { CommitQueue } from './commit-queue.ts'
import { expiryOfSet, expiryTime, type SetOptions } from './expiry.ts'
import { KeyedMutex } from './keyed-mutex.ts'
import { Removal } from './removal.ts'
import type { RowEntry, RowStore, SchemaCode, SettledOutcome } from './row-store.ts'
import { running } from './running.ts'
import { setFromRow } from './set-from-row.ts'
import { SnapshotStore } from './snapshot-store.ts'
import { comparedStored, decodeStored } from './stored-row.ts'
import { Sweeper } from './sweeper.ts'
import { tellConflicts } from './told-conflicts.ts'
import { isShort, tracedRead } from './traced-read.ts'
import type { TurnSource } from './turn.ts'

export interface StoreOptions {
  /** Where the database is, for messages and traces: an absolute path, `:memory:`, or an address without a password. */
  readonly path: string
  /** The address for opening it again. */
  readonly address: string
  readonly limits: Limits
  readonly format: ValueFormat
  readonly readOnly: boolean
  /** Check every value that is read against its schema. */
  readonly validateReads: boolean
  /** Null if the registry is empty. */
  readonly schemaCode: SchemaCode | null
}

/** An open database below its typed faces: keys and values go in, encoded writes go to the driver, and values come out. */
export class Store implements RowStore {
  readonly driver: Driver
  readonly registry: Registry
  readonly limits: Limits
  readonly format: ValueFormat
  readonly openRepository: RowStore['openRepository']
  readonly hub: WatchHub
  /** The line of calls in this process that want a turn. */
  readonly turns = new KeyedMutex()
  readonly turnSource: TurnSource = this
  readonly path: string
  readonly address: string
  readonly #validateReads: boolean
  readonly #validation: SchemaCode['validation'] | undefined
  readonly #filing: Filing
  readonly #queue: CommitQueue
  readonly #sweeper: Sweeper
  readonly #readOnly: boolean
  readonly #removal: Removal
  #closing: Promise<void> | null = null

  constructor(driver: Driver, catalog: Catalog, registry: Registry, options: StoreOptions) {
    this.driver = driver
    this.registry = registry
    this.limits = options.limits
    this.format = options.format
    this.openRepository = options.schemaCode?.openRepository ?? null
    this.path = options.path
    this.address = options.address
    this.#validateReads = options.validateReads
    this.#validation = options.schemaCode?.validation
    this.#filing = new Filing(catalog, registry)
    this.#queue = new CommitQueue(driver, this.#filing, options.path)
    this.#readOnly = options.readOnly
    this.#sweeper = new Sweeper(driver, () => this.hub.refresh())
    this.hub = new WatchHub(driver, () => this.#lookForExpiries())
    this.#removal = new Removal(driver, () => this.close())
  }

  get isClosed(): boolean {
    return this.#closing !== null
  }

  /** Starts background work. */
  async start(): Promise<void> {
    if (!this.#readOnly) await this.#sweeper.start()
  }

  now(): number {
    return this.driver.now()
  }

  assertOpen(): void {
    if (this.#closing !== null) throw new DatabaseClosedError()
  }

  read<R extends Read>(request: R, signal?: AbortSignal): Promise<ResultOf<R>> {
    return paced(() => tracedRead(this.driver, this.path, request, signal), isShort(request))
  }

  async ofOneState<T>(read: (store: RowStore) => Promise<T>): Promise<T> {
    const view = new SnapshotStore(this, this.driver.session('call'))
    try {
      return await read(view)
    } finally {
      view.end()
    }
  }

  encodeKey(key: Key): Uint8Array {
    return encodeKey(key, this.limits.keyBytes)
  }

  /** The collection of a row with this key; null if no pattern matches it. */
  collectionOf(key: Key): string | null {
    return this.#filing.collectionOf(key)
  }

  decode(row: StoredRow, key: Key): unknown | Promise<unknown> {
    const value = decodeStored(row, key, this.format)
    if (!this.#validateReads) return value
    const definition = this.registry.find(key)
    const judged = definition && this.#validation!.judgeOutput(definition, key, value)
    return judged instanceof Promise ? judged.then(() => value) : value
  }

  /** The value of a row as queries compare it. */
  comparedValue(row: StoredRow, key: Key): unknown {
    return comparedStored(row, key)
  }

  settle(): undefined {}

  ownValue(row: StoredRow, key: Key): unknown | Promise<unknown> {
    return this.decode(row, key)
  }

  async committedVersion(_: Uint8Array, row: StoredRow | null): Promise<number | null> {
    return row?.version ?? null
  }

  entry(row: StoredRow, key: Key): Entry | Promise<Entry> {
    const versionstamp = formatVersionstamp(row.version)
    const value = this.decode(row, key)
    const { expiresAt } = row
    if (value instanceof Promise)
      return value.then((settled) => new KeyedEntry(key, settled, versionstamp, expiresAt))
    return new KeyedEntry(key, value, versionstamp, expiresAt)
  }

  rowEntry(row: StoredRow, id: IdOf<Pattern>, key: Key): RowEntry | Promise<RowEntry> {
    const versionstamp = formatVersionstamp(row.version)
    const value = this.decode(row, key)
    const { expiresAt } = row
    if (value instanceof Promise)
      return value.then((settled) => ({ id, key, value: settled, versionstamp, expiresAt }))
    return { id, key, value, versionstamp, expiresAt }
  }

  missing<E extends { readonly key: Key }>(entry: E): E {
    return entry
  }

  extend(entry: RowEntry, more: object): RowEntry {
    return { ...entry, ...more }
  }

  part(entry: RowEntry, _row: StoredRow, project: (value: unknown) => unknown, more: object): RowEntry {
    return { ...entry, value: project(entry.value), ...more }
  }

  prepareSet(key: Key, value: unknown, options?: SetOptions): SetMutation | Promise<SetMutation> {
    const encodedKey = this.encodeKey(key)
    const expiresAt = expiryOfSet(options, this.now())
    const definition = this.registry.find(key)
    try {
      if (definition === undefined) return this.#toSet(encodedKey, key, value, expiresAt)
      checkIdKinds(definition.idKinds, key, definition.name)
      return this.#settledSet(encodedKey, key, this.#validation!.validate(definition, key, value), expiresAt)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  preparePatch(key: Key, row: StoredRow, patch: object): SetMutation | Promise<SetMutation> {
    const encodedKey = this.encodeKey(key)
    const stored = decodeStored(row, key, this.format)
    if (!isPlainObject(stored)) {
      throw new TypeError(
        'Only the fields of an object can be patched: pass update a function of the stored value',
      )
    }
    const definition = this.registry.find(key)
    if (definition === undefined) return this.#toSet(encodedKey, key, { ...stored, ...patch }, row.expiresAt)
    const patched = () => this.#validation!.patchedOutput(definition, key, stored, patch)
    return setFromRow(this, definition, key, () =>
      this.#settledSet(encodedKey, key, patched(), row.expiresAt),
    )
  }

  prepareChanged(key: Key, row: StoredRow, output: unknown): SetMutation | Promise<SetMutation> {
    const encodedKey = this.encodeKey(key)
    const definition = this.registry.find(key)
    if (definition === undefined) return this.#toSet(encodedKey, key, output, row.expiresAt)
    const before = () => decodeStored(row, key, this.format)
    const changed = () => this.#validation!.changedOutput(definition, key, before, output)
    return setFromRow(this, definition, key, () =>
      this.#settledSet(encodedKey, key, changed(), row.expiresAt),
    )
  }

  /** `expiresAt` undefined: the expiry of the replaced value. */
  #settledSet(
    encodedKey: Uint8Array,
    key: Key,
    output: unknown,
    expiresAt: number | null | undefined,
  ): SetMutation | Promise<SetMutation> {
    return output instanceof Promise
      ? output.then((settled) => this.#toSet(encodedKey, key, settled, expiresAt))
      : this.#toSet(encodedKey, key, output, expiresAt)
  }

  #toSet(
    encodedKey: Uint8Array,
    key: Key,
    output: unknown,
    expiresAt: number | null | undefined,
  ): SetMutation {
    const collection = this.collectionOf(key)
    const most = this.limits.valueBytes
    const stored = encodeValue(output, this.format, most)
    if (exceeds(stored, most)) throw tooLarge(most)
    if (typeof stored.value !== 'string') this.#assertUnindexed(key)
    return expiresAt === undefined
      ? { type: 'set', key: encodedKey, collection, stored }
      : { type: 'set', key: encodedKey, collection, stored, expiresAt }
  }

  /** No index may contain bytes: the engine takes some for its own binary JSON. */
  #assertUnindexed(key: Key): void {
    const definition = this.registry.find(key)
    if (definition === undefined || definition.indexes.length === 0) return
    const message = `a Uint8Array or a KvU64 has no fields, and '${definition.name}' has indexes over them: store it in a field of an object`
    throw new ValidationError(key, [{ message }])
  }

  prepareArithmetic(
    type: ArithmeticMutation['type'],
    key: Key,
    n: bigint | KvU64,
    expireIn: number | undefined,
  ): ArithmeticMutation | Promise<ArithmeticMutation> {
    const operand = checkOperand(type, n)
    const mutation: ArithmeticMutation = {
      type,
      key: this.encodeKey(key),
      collection: this.collectionOf(key),
      operand,
      ...(expireIn === undefined ? {} : { expiresAt: expiryTime(expireIn, this.now()) }),
    }
    const definition = this.registry.find(key)
    if (definition === undefined) return mutation
    // The result is only known at the commit, but whether the schema can output a KvU64 at all is known now.
    try {
      checkIdKinds(definition.idKinds, key, definition.name)
      this.#assertUnindexed(key)
      const judged = this.#validation!.judgeOutput(
        definition,
        key,
        new KvU64(operand < 0n ? -operand : operand),
      )
      return judged instanceof Promise ? judged.then(() => mutation) : mutation
    } catch (error) {
      if (!(error instanceof ValidationError) || jsonSchemaOf(definition.schema)?.['type'] === undefined)
        return Promise.reject(error)
      const message = `${type} works on a KvU64, and the values of '${definition.name}' are not: change a number in a value with update, or with updateMany and { increment: 1 }`
      return Promise.reject(new ValidationError(key, [{ message }]))
    }
  }

  /** Commits a write, together with the others of this turn of the event loop. */
  async commit(write: AtomicWrite): Promise<SettledOutcome> {
    this.assertOpen()
    // A write beside a unit of work, inside its function, must not wait for the end of the unit's turn.
    const turn = running.getStore()?.turn
    const pause = pauseDue()
    if (pause !== undefined) await pause
    const outcome = await this.#queue.submit(turn === undefined ? write : { ...write, turn })
    if (outcome.type === 'conflict') {
      tellConflicts(this, outcome.conflicts)
    } else {
      const mutations = appliedMutations(write, outcome.claimed, outcome.version)
      this.#noticeExpiries(mutations)
      if (this.hub.active) this.hub.committed(mutations, outcome.version)
    }
    return outcome
  }

  /** Removes every row, after the writes submitted before. */
  async clear(): Promise<void> {
    // Writes that have begun may be in a pause.
    const pause = pauseDue()
    if (pause !== undefined) await pause
    await this.#queue.inTurn(() => this.driver.clear())
    this.hub.refresh()
  }

  cleanup(signal?: AbortSignal): Promise<number> {
    return this.#sweeper.sweepAll(signal)
  }

  /** Settles the writes that have begun, then closes the driver. A second call waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Closes, and removes the database's files. */
  destroy(): Promise<void> {
    return this.#removal.ofOpen(this.isClosed)
  }

  /** Like `close`, but removes the files, too. */
  closeAndRemove(): Promise<void> {
    return this.#removal.run()
  }

  async #close(): Promise<void> {
    this.hub.close()
    this.#sweeper.close()
    const pause = pauseDue()
    if (pause !== undefined) await pause
    await this.#queue.close()
    await this.driver.close()
  }

  /** Other processes may have given rows an expiry, and be gone when it comes. */
  #lookForExpiries(): void {
    if (!this.#readOnly) this.#sweeper.look().catch(() => {})
  }

  #noticeExpiries(mutations: readonly Mutation[]): void {
    for (const mutation of mutations) {
      if (mutation.type !== 'delete' && mutation.expiresAt) this.#sweeper.notice(mutation.expiresAt)
    }
  }
}
