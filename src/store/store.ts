// Reads, writes and close share a queue, a filing and a hub: one class of short methods between the typed faces and the driver.
import { WatchHub } from '../broadcast/hub.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { appliedMutations } from '../commit/claim.ts'
import { Filing } from '../commit/filing.ts'
import type { AtomicWrite, Mutation, SetMutation } from '../commit/write.ts'
import { DatabaseClosedError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import type { Limits } from '../contract/limits.ts'
import type { Driver, Read, ResultOf, StoredRow } from '../driver/driver.ts'
import { encodeKey } from '../key/codec.ts'
import type { IdOf, Pattern } from '../key/pattern.types.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'
import type { FindPlan, Planned } from '../query/plan.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { Registry } from '../schema/registry.ts'
import type { Entry } from '../schema/registry.types.ts'
import { paced, pauseDue } from '../time/give-way.ts'
import { KeyedEntry } from '../value/keyed-entry.ts'
import type { ValueFormat } from '../value/value-format.ts'
import { CommitQueue } from './commit-queue.ts'
import type { SetOptions } from './expiry.ts'
import { KeyedMutex } from './keyed-mutex.ts'
import { Preparation } from './preparation.ts'
import { Removal } from './removal.ts'
import type { ClaimsInPlace, PatchRow, RowEntry, RowStore, SchemaCode, SettledOutcome } from './row-store.ts'
import { running } from './running.ts'
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
  readonly claimsInPlace: ClaimsInPlace = this
  readonly validatesReads: boolean
  readonly claimWays: ClaimsInPlace['claimWays'] = new Map()
  readonly path: string
  readonly address: string
  readonly #validation: SchemaCode['validation'] | undefined
  readonly #filing: Filing
  readonly #queue: CommitQueue
  readonly #sweeper: Sweeper
  readonly #readOnly: boolean
  readonly #removal: Removal
  readonly #preparation: Preparation
  #closing: Promise<void> | null = null

  constructor(driver: Driver, catalog: Catalog, registry: Registry, options: StoreOptions) {
    this.driver = driver
    this.registry = registry
    this.limits = options.limits
    this.format = options.format
    this.openRepository = options.schemaCode?.openRepository ?? null
    this.path = options.path
    this.address = options.address
    this.validatesReads = options.validateReads
    this.#validation = options.schemaCode?.validation
    this.#filing = new Filing(catalog, registry)
    this.#queue = new CommitQueue(driver, this.#filing, options.path)
    this.#readOnly = options.readOnly
    this.#sweeper = new Sweeper(driver, () => this.hub.refresh())
    this.hub = new WatchHub(driver, () => this.#lookForExpiries())
    this.#preparation = new Preparation(this, this.#validation)
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

  /** Whether the collection of this key has an index, whoever has declared it. */
  isIndexed(key: Key): boolean {
    return this.#filing.isIndexed(key)
  }

  decode(row: StoredRow, key: Key): unknown | Promise<unknown> {
    const value = decodeStored(row, key, this.format)
    if (!this.validatesReads) return value
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
    return this.#preparation.set(key, value, options)
  }

  preparePatch(key: Key, row: StoredRow, patch: object): SetMutation | Promise<SetMutation> {
    return this.#preparation.patch(key, row, patch)
  }

  prepareChanged(key: Key, row: StoredRow, output: unknown): SetMutation | Promise<SetMutation> {
    return this.#preparation.changed(key, row, output)
  }

  prepareArithmetic(
    ...args: Parameters<RowStore['prepareArithmetic']>
  ): ReturnType<RowStore['prepareArithmetic']> {
    return this.#preparation.arithmetic(...args)
  }

  checkPatch(definition: AnyDefinition, patch: object): PatchRow | 'later' | null {
    return this.#preparation.checkPatch(definition, patch)
  }

  mayClaimInPlace(query: Planned<FindPlan>): boolean {
    return this.driver.mayClaimInPlace(query)
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
      this.hub.committed(mutations, outcome.version)
    }
    return outcome
  }

  earlierWrites(key?: Uint8Array): Promise<void> | undefined {
    // Inside a unit of work that has the turn, the writes of others wait for its end.
    if (running.getStore()?.turn !== undefined) return undefined
    // Writes that have begun may be in a pause.
    const pause = pauseDue()
    return pause === undefined ? this.#queue.earlier(key) : pause.then(() => this.#queue.earlier(key))
  }

  /** Removes every row, after the writes submitted before, unless the signal is aborted by then. */
  async clear(signal?: AbortSignal): Promise<void> {
    // Writes that have begun may be in a pause.
    const pause = pauseDue()
    if (pause !== undefined) await pause
    await this.#queue.inTurn(async () => {
      signal?.throwIfAborted()
      await this.driver.clear(signal)
    })
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
