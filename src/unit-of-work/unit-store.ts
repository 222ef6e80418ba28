import { limitOf } from '../commit/claim.ts'
import type { AtomicWrite, CheckConflict, Claim, KeyCheck, Mutation, SetMutation } from '../commit/write.ts'
import type { Key } from '../contract/key.types.ts'
import type { Read, ResultOf, StoredRow } from '../driver/driver.ts'
import { decodeKey } from '../key/codec.ts'
import { patternRange } from '../key/pattern.ts'
import type { IdOf, Pattern } from '../key/pattern.types.ts'
import { type KeyRange, prefixRange } from '../key/range.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'
import type { Entry } from '../schema/registry.types.ts'
import type { SetOptions } from '../store/expiry.ts'
import { ForwardingStore } from '../store/forwarding-store.ts'
import type { RowEntry, RowStore, SettledOutcome } from '../store/row-store.ts'
import type { Store } from '../store/store.ts'
import { isShort, tracedRead } from '../store/traced-read.ts'
import { paced, pauseDue } from '../time/give-way.ts'
import { decodeValue } from '../value/codec.ts'
import { freeze } from '../value/freeze.ts'
import { KeyedEntry } from '../value/keyed-entry.ts'
import { LoadedValues } from './loaded-values.ts'
import { unassignable } from './missing-entry.ts'
import { OwnWrites } from './own-writes.ts'
import { type ReaderContext, UnitReader } from './unit-reader.ts'
import { WriteCalls } from './write-calls.ts'

/**
 * The store behind the faces of one unit of work. Reads come from the unit's snapshot; writes are kept until the unit commits;
 * every key has one entry (identity map), and values changed in place are found at the end (dirty checking).
 */
export class UnitStore extends ForwardingStore<Store> implements RowStore, ReaderContext {
  readonly #reader: UnitReader
  readonly writes = true
  readonly turn: string | undefined
  readonly own = new OwnWrites()
  readonly calls = new WriteCalls()
  readonly #loaded: LoadedValues
  #over = false

  /** `turn`: the turn in which it runs, if any. */
  constructor(store: Store, turn?: string) {
    super(store)
    this.turn = turn
    this.#reader = new UnitReader(store.driver, this)
    this.#loaded = new LoadedValues(store, this.own)
  }

  get written(): readonly Uint8Array[] {
    return this.own.keys
  }

  read<R extends Read>(request: R, signal?: AbortSignal): Promise<ResultOf<R>> {
    return paced(() => tracedRead(this.#reader, this.path, request, signal), isShort(request))
  }

  assertOpen(): void {
    if (this.#over) {
      throw new TypeError(
        'This unit of work has ended: use the unit only inside its function, and await every call',
      )
    }
    this.store.assertOpen()
  }

  /** Refuses every further call, because its function has returned. */
  close(): void {
    this.calls.close()
    this.#over = true
  }

  /** What the unit has read and written, after it is closed. */
  async finish(): Promise<AtomicWrite> {
    await this.#loaded.writeChanged()
    this.#loaded.refuseAssigned()
    const mutations = this.own.all()
    // Without a write there is nothing to check: all reads come from one state.
    const reads = mutations.length === 0 ? undefined : await this.#reader.readSet()
    this.end()
    return {
      checks: [],
      mutations,
      ...(reads && { reads }),
      ...(this.turn !== undefined && { turn: this.turn }),
    }
  }

  /** Whether a read has failed because the snapshot was lost: then the unit may run again. */
  get isLost(): boolean {
    return this.#reader.isLost
  }

  end(): void {
    this.#over = true
    this.#reader.end()
  }

  ofOneState<T>(read: (store: RowStore) => Promise<T>): Promise<T> {
    return read(this)
  }

  /** Whether it belongs to this database, and its function has not returned yet. */
  isOpenOn(store: RowStore): boolean {
    return this.store === store && !this.#over
  }

  prepareSet(key: Key, value: unknown, options?: SetOptions): SetMutation | Promise<SetMutation> {
    return this.store.prepareSet(key, value, options)
  }

  preparePatch(key: Key, row: StoredRow, patch: object): SetMutation | Promise<SetMutation> {
    return this.store.preparePatch(key, row, patch)
  }

  prepareChanged(key: Key, row: StoredRow, output: unknown): SetMutation | Promise<SetMutation> {
    return this.store.prepareChanged(key, row, output)
  }

  prepareArithmetic(
    ...args: Parameters<RowStore['prepareArithmetic']>
  ): ReturnType<RowStore['prepareArithmetic']> {
    return this.store.prepareArithmetic(...args)
  }

  override decode(row: StoredRow, key: Key): unknown | Promise<unknown> {
    return this.#loaded.whenLoaded(row, key, (loaded) => loaded.value)
  }

  settle(encodedKey: Uint8Array): Promise<void> | undefined {
    return this.#loaded.writeIfChanged(encodedKey)
  }

  override async committedVersion(encodedKey: Uint8Array, row: StoredRow | null): Promise<number | null> {
    const isOwn = this.own.of(encodedKey) !== undefined
    return isOwn ? this.#reader.committedVersion(encodedKey) : (row?.version ?? null)
  }

  override entry(row: StoredRow, key: Key): Entry | Promise<Entry> {
    return this.#loaded.whenLoaded(row, key, (loaded) => {
      const { row, value } = loaded
      loaded.entry ??= new KeyedEntry(key, value, formatVersionstamp(row.version), row.expiresAt)
      return loaded.entry
    })
  }

  override rowEntry(row: StoredRow, id: IdOf<Pattern>, key: Key): RowEntry | Promise<RowEntry> {
    return this.#loaded.whenLoaded(row, key, (loaded) => {
      const { row, value } = loaded
      const { version, expiresAt } = row
      // A push would make room for 16 more: there may be many loaded rows.
      if (loaded.rowEntries.length === 0)
        loaded.rowEntries = [{ id, key, value, versionstamp: formatVersionstamp(version), expiresAt }]
      return loaded.rowEntries[0]!
    })
  }

  override missing<E extends { readonly key: Key }>(entry: E): E {
    return unassignable(entry)
  }

  override extend(entry: RowEntry, more: object): RowEntry {
    const extended = { ...entry, ...more }
    const loaded = this.#loaded.of(entry.key)
    if (loaded !== undefined) loaded.rowEntries = [...loaded.rowEntries, extended]
    return extended
  }

  override part(
    entry: RowEntry,
    row: StoredRow,
    project: (value: unknown) => unknown,
    more: object,
  ): RowEntry {
    const value = project(decodeValue(row.value, row.encoding, row.types, this.format))
    return Object.freeze({ ...entry, value: freeze(value), ...more })
  }

  /**
   * Keeps the mutations for the unit's commit, after checking the checks against what the unit sees. If a pause is due, it comes after
   * the writes: they keep the order of the calls, and no other call of the unit comes between the checks and them.
   */
  async commit(write: AtomicWrite): Promise<SettledOutcome> {
    this.assertOpen()
    if (write.claim !== undefined) return this.#claim(write.claim)
    const { checks, mutations } = write
    const told = mutations.filter(({ type }) => type === 'delete' || type === 'touch')
    let touched: readonly Mutation[] = []
    if (checks.length + told.length > 0) {
      // An overlapping call of the unit must not write between this look and the writes that rely on it.
      let seen: Seen
      let before: number
      do {
        for (const { key } of checks) await this.settle(key)
        before = this.own.keys.length
        seen = await this.#look(checks, told)
      } while (before !== this.own.keys.length || checks.some(({ key }) => this.#loaded.isChanged(key)))
      this.assertOpen()
      if (seen.conflicts.length > 0) return { type: 'conflict', conflicts: seen.conflicts }
      touched = seen.touched
    }
    for (const mutation of mutations) {
      if (mutation.type === 'touch' && !touched.includes(mutation)) continue
      this.own.add(mutation)
      this.#loaded.showWritten(mutation)
    }
    const outcome: SettledOutcome = {
      type: 'committed',
      version: this.own.latestVersion,
      touched: touched.length,
    }
    const pause = pauseDue()
    if (pause !== undefined) await pause
    return outcome
  }

  /** In a unit, a claim takes the candidates that its query has found in the snapshot. */
  async #claim(claim: Claim): Promise<SettledOutcome> {
    const checks = claim.candidates.slice(0, limitOf(claim))
    const outcome = await this.commit({ checks, mutations: checks.map(({ mutation }) => mutation) })
    return outcome.type === 'conflict' ? outcome : { ...outcome, claimed: checks }
  }

  writeChangedValues(range: KeyRange): Promise<void> {
    return this.#loaded.writeChanged(range)
  }

  collectionRange(collection: string): KeyRange {
    const definition = this.registry.byName(collection)
    return definition === undefined ? prefixRange(new Uint8Array()) : patternRange(definition.pattern)
  }

  collectionOf(key: Uint8Array): string | null {
    return this.store.collectionOf(decodeKey(key))
  }

  async #look(checks: readonly KeyCheck[], told: readonly Mutation[]): Promise<Seen> {
    const rows = await this.read({ type: 'getMany', keys: [...checks, ...told].map(({ key }) => key) })
    const conflicts: CheckConflict[] = []
    for (const [index, { key, version }] of checks.entries()) {
      const actual = rows[index]?.version ?? null
      if (actual !== version) conflicts.push({ key, expected: version, actual })
    }
    return { conflicts, touched: told.filter((_, i) => rows[checks.length + i] !== null) }
  }
}

/** What a write finds: the failed checks, and which of its deletes and touches find a value. */
interface Seen {
  readonly conflicts: readonly CheckConflict[]
  readonly touched: readonly Mutation[]
}
