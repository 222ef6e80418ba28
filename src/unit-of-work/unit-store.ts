// The store of one unit of work: every read is recorded, every write shows in later reads, and both end in one commit.
import { limitOf } from '../commit/claim.ts'
import { type StoredForm, sameForm } from '../commit/row.ts'
import type { AtomicWrite, CheckConflict, Claim, KeyCheck, Mutation, SetMutation } from '../commit/write.ts'
import { formatKey } from '../contract/format-key.ts'
import type { Key } from '../contract/key.types.ts'
import type { Read, ResultOf, StoredRow } from '../driver/driver.ts'
import { decodeKey } from '../key/codec.ts'
import { keyText } from '../key/key-text.ts'
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
import { adoptAssigned, encodeLoaded, isAssigned, type Loaded, show } from './loaded.ts'
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
  readonly #loaded = new Map<string, Loaded>()
  #over = false

  /** `turn`: the turn in which it runs, if any. */
  constructor(store: Store, turn?: string) {
    super(store)
    this.turn = turn
    this.#reader = new UnitReader(store.driver, this)
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
    await this.writeChangedValues()
    this.#refuseAssigned()
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
    return this.#whenLoaded(row, key, (loaded) => loaded.value)
  }

  settle(encodedKey: Uint8Array): Promise<void> | undefined {
    const loaded = this.#loaded.get(keyText(encodedKey))
    const changed = loaded && this.#changedForm(loaded)
    return changed ? this.#writeChanged(loaded!, changed) : undefined
  }

  override async committedVersion(encodedKey: Uint8Array, row: StoredRow | null): Promise<number | null> {
    const isOwn = this.own.of(encodedKey) !== undefined
    return isOwn ? this.#reader.committedVersion(encodedKey) : (row?.version ?? null)
  }

  override entry(row: StoredRow, key: Key): Entry | Promise<Entry> {
    return this.#whenLoaded(row, key, (loaded) => {
      const { row, value } = loaded
      loaded.entry ??= new KeyedEntry(key, value, formatVersionstamp(row.version), row.expiresAt)
      return loaded.entry
    })
  }

  override rowEntry(row: StoredRow, id: IdOf<Pattern>, key: Key): RowEntry | Promise<RowEntry> {
    return this.#whenLoaded(row, key, (loaded) => {
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
    const loaded = this.#loaded.get(keyText(this.encodeKey(entry.key)))
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
    let touched = 0
    if (checks.length + told.length > 0) {
      // An overlapping call of the unit must not write between this look and the writes that rely on it.
      let seen: Seen
      let before: number
      do {
        for (const { key } of checks) await this.settle(key)
        before = this.own.keys.length
        seen = await this.#look(checks, told)
      } while (before !== this.own.keys.length || checks.some(({ key }) => this.#isChanged(key)))
      this.assertOpen()
      if (seen.conflicts.length > 0) return { type: 'conflict', conflicts: seen.conflicts }
      touched = seen.touched
    }
    for (const mutation of mutations) {
      this.own.add(mutation)
      this.#showWritten(mutation)
    }
    const outcome: SettledOutcome = { type: 'committed', version: this.own.latestVersion, touched }
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
    return { conflicts, touched: rows.slice(checks.length).filter((row) => row !== null).length }
  }

  /** Loaded entries show a written value at once, so that later changes in place start from it. */
  #showWritten(mutation: Mutation): void {
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
      const { stored, expiresAt = (this.own.rowOf(mutation.key) ?? loaded.row).expiresAt } = mutation
      const row: StoredRow = { ...stored, version: this.own.latestVersion, expiresAt }
      this.#load(text, row, loaded.key, decodeValue(stored.value, stored.encoding, stored.types, this.format))
    }
  }

  /** Loads a row, or finds it loaded. If the unit has written it since, its entries get the new value. */
  #whenLoaded<T>(row: StoredRow, key: Key, use: (loaded: Loaded) => T): T | Promise<T> {
    const text = keyText(this.encodeKey(key))
    const known = this.#known(text, row)
    if (known !== undefined) return use(known)
    const value = this.store.decode(row, key)
    const load = (settled: unknown) => this.#load(text, row, key, settled)
    if (!(value instanceof Promise)) return use(load(value))
    return value.then((settled) => use(this.#known(text, row) ?? load(settled)))
  }

  #known(text: string, row: StoredRow): Loaded | undefined {
    const loaded = this.#loaded.get(text)
    if (loaded === undefined || !sameForm(loaded.row, row)) return undefined
    adoptAssigned(loaded)
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

  /** Adds a write for each loaded value of a key in the range that was changed in place; its schema must accept it. */
  async writeChangedValues(range = everyKey): Promise<void> {
    const [start, end] = [keyText(range.start), keyText(range.end)]
    for (const [text, loaded] of this.#loaded) {
      // Encoding a value takes much longer: the pages of a list would together take the square of its length.
      if (text < start || text >= end) continue
      const changed = this.#changedForm(loaded)
      const written = changed === null ? undefined : this.#writeChanged(loaded, changed)
      if (written !== undefined) await written
      const pause = pauseDue()
      if (pause !== undefined) await pause
    }
  }

  /** The stored form of a value that was changed in place; `null` if it was not, or if it is no longer current. */
  #changedForm(loaded: Loaded): StoredForm | null {
    const { row, key } = loaded
    if (!this.#isCurrent(key, row)) return null
    adoptAssigned(loaded)
    const form = encodeLoaded(loaded, this.format)
    return sameForm(form, row) ? null : form
  }

  #isChanged(encodedKey: Uint8Array): boolean {
    const loaded = this.#loaded.get(keyText(encodedKey))
    return loaded !== undefined && this.#changedForm(loaded) !== null
  }

  /** Gives a promise only if the schema does. */
  #writeChanged(loaded: Loaded, changed: StoredForm): Promise<void> | undefined {
    const { row, value, key } = loaded
    const prepared = this.store.prepareChanged(key, row, value)
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
    this.own.add({ ...mutation, expiresAt })
    loaded.row = { ...row, ...stored, expiresAt }
    // The output of the schema is what is stored, and what the entries show.
    if (!sameForm(changed, stored))
      show(loaded, decodeValue(stored.value, stored.encoding, stored.types, this.format))
  }

  /** Whether the loaded row is the unit's newest write of this key, if it has one. */
  #isCurrent(key: Key, row: StoredRow): boolean {
    if (this.own.keys.length === 0) return true
    const last = this.#lastWrite(key)
    return last === undefined || (last.type === 'set' && sameForm(last.stored, row))
  }

  /** Throws a TypeError for an entry that got another value after its row was deleted: nothing would be written. */
  #refuseAssigned(): void {
    for (const encodedKey of this.own.keys) {
      const loaded = this.#loaded.get(keyText(encodedKey))
      if (loaded === undefined || this.#lastWrite(loaded.key)?.type !== 'delete' || !isAssigned(loaded))
        continue
      throw new TypeError(
        `${formatKey(loaded.key)} was deleted before its entry got another value: write it with set or insert`,
      )
    }
  }

  #lastWrite(key: Key): Mutation | undefined {
    return this.own.of(this.encodeKey(key))?.mutations.findLast(({ type }) => type !== 'touch')
  }
}

const everyKey = prefixRange(new Uint8Array())

/** What a write finds: the failed checks, and how many of the values to delete or touch exist. */
interface Seen {
  readonly conflicts: readonly CheckConflict[]
  readonly touched: number
}
