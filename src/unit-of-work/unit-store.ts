import type { AtomicWrite, CheckConflict, Mutation, SetMutation, TouchMutation } from '../commit/write.ts'
import type { Driver, StoredRow } from '../driver/driver.ts'
import { keyText } from '../key/key-text.ts'
import { patternRange } from '../key/pattern.ts'
import type { IdOf, Pattern } from '../key/pattern.types.ts'
import { type KeyRange, prefixRange } from '../key/range.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'
import type { Key } from '../key.types.ts'
import type { Limits } from '../limits.ts'
import type { Registry } from '../schema/registry.ts'
import type { Entry } from '../schema/registry.types.ts'
import type { RowEntry, RowStore, SettledOutcome } from '../store/row-store.ts'
import type { Store } from '../store/store.ts'
import { encodeValue } from '../value/codec.ts'
import { ConflictSignal } from './conflict-signal.ts'
import { type OwnWrites, type ReaderContext, SnapshotReader } from './snapshot-reader.ts'

/** A value that the unit has loaded: the one object that all its entries share. */
interface Loaded {
  readonly key: Key
  /** The stored form that `value` was decoded from, or that it was last written as. */
  row: StoredRow
  value: unknown
  entry: { -readonly [P in keyof Entry]: Entry[P] } | null
  rowEntry: { -readonly [P in keyof RowEntry]: RowEntry[P] } | null
}

/**
 * The store that the faces of one unit of work read from and write to: reads come from the unit's snapshot, writes are kept
 * until the unit commits, and every key has one entry (identity map) whose changed value is found at the end (dirty checking).
 */
export class UnitStore implements RowStore, ReaderContext {
  readonly driver: SnapshotReader
  readonly registry: Registry
  readonly limits: Limits
  readonly #store: Store
  readonly #loaded = new Map<string, Loaded>()
  readonly #pending = new Map<string, Mutation[]>()
  #conflict: ConflictSignal | null = null
  #over = false

  constructor(store: Store, driver: Driver, version: number) {
    this.#store = store
    this.registry = store.registry
    this.limits = store.limits
    this.driver = new SnapshotReader(driver, version, this)
  }

  /** The conflict that was met, whether or not the unit's function let it pass. */
  get conflictSignal(): ConflictSignal | null {
    return this.#conflict
  }

  assertOpen(): void {
    if (this.#over) {
      throw new TypeError(
        'This unit of work is over: use the unit only inside its function, and await every call',
      )
    }
    if (this.#conflict !== null) throw this.#conflict
    this.#store.assertOpen()
  }

  /** What the unit has read and written, once its function has returned. From here on it can no longer be used. */
  async finish(): Promise<AtomicWrite> {
    await this.#writeChangedValues()
    this.end()
    return { checks: [], mutations: this.pending('written'), reads: this.driver.readSet }
  }

  end(): void {
    this.#over = true
  }

  encodeKey(key: Key): Uint8Array {
    return this.#store.encodeKey(key)
  }

  prepareSet(key: Key, value: unknown, expireIn: number | undefined): SetMutation | Promise<SetMutation> {
    return this.#store.prepareSet(key, value, expireIn)
  }

  prepareArithmetic(
    ...args: Parameters<RowStore['prepareArithmetic']>
  ): ReturnType<RowStore['prepareArithmetic']> {
    return this.#store.prepareArithmetic(...args)
  }

  decode(row: StoredRow, key: Key): unknown | Promise<unknown> {
    return this.#whenLoaded(row, key, (loaded) => loaded.value)
  }

  entry(row: StoredRow, key: Key): Entry | Promise<Entry> {
    return this.#whenLoaded(row, key, (loaded) => {
      const { value } = loaded
      loaded.entry ??= { key, value, versionstamp: formatVersionstamp(loaded.row.version) }
      return loaded.entry
    })
  }

  rowEntry(row: StoredRow, id: IdOf<Pattern>, key: Key): RowEntry | Promise<RowEntry> {
    return this.#whenLoaded(row, key, (loaded) => {
      const { value } = loaded
      loaded.rowEntry ??= { id, key, value, versionstamp: formatVersionstamp(loaded.row.version) }
      return loaded.rowEntry
    })
  }

  /** Keeps the mutations for the unit's commit, after the checks have been held against what the unit sees. */
  async commit({ checks, mutations }: AtomicWrite): Promise<SettledOutcome> {
    this.assertOpen()
    const conflicts: CheckConflict[] = []
    for (const { key, version } of checks) {
      const actual = (await this.driver.get(key))?.version ?? null
      if (actual !== version) conflicts.push({ key, expected: version, actual })
    }
    if (conflicts.length > 0) return { type: 'conflict', conflicts }
    let touched = 0
    for (const mutation of mutations) {
      const tells = mutation.type === 'delete' || mutation.type === 'touch'
      if (tells && (await this.driver.get(mutation.key)) !== null) touched += 1
      this.#add(mutation)
    }
    return { type: 'committed', version: this.driver.readSet.since + 1, touched }
  }

  collectionRange(collection: string): KeyRange {
    const definition = this.registry.byName(collection)
    return definition === undefined ? prefixRange(new Uint8Array()) : patternRange(definition.pattern)
  }

  pending(own: 'none' | 'written'): readonly Mutation[]
  pending(own: OwnWrites): Promise<readonly Mutation[]> | readonly Mutation[]
  pending(own: OwnWrites): Promise<readonly Mutation[]> | readonly Mutation[] {
    if (own === 'none') return []
    if (own === 'written') return [...this.#pending.values()].flat()
    return this.#writeChangedValues().then(() => this.pending('written'))
  }

  writes(key: Uint8Array): boolean {
    return this.#pending.has(keyText(key))
  }

  conflict(conflicts: readonly CheckConflict[]): ConflictSignal {
    this.#conflict ??= new ConflictSignal(conflicts)
    return this.#conflict
  }

  /** A later write of a key takes the place of an earlier one, unless it builds upon it. */
  #add(mutation: Mutation): void {
    const text = keyText(mutation.key)
    const replaces = mutation.type === 'set' || mutation.type === 'delete'
    const earlier = replaces ? [] : (this.#pending.get(text) ?? [])
    this.#pending.delete(text)
    this.#pending.set(text, [...earlier, mutation])
  }

  /** Loads a row, or finds it loaded; a row that the unit has written since brings its new value into the same entries. */
  #whenLoaded<T>(row: StoredRow, key: Key, use: (loaded: Loaded) => T): T | Promise<T> {
    const text = keyText(this.encodeKey(key))
    const known = this.#loaded.get(text)
    if (known !== undefined && sameForm(known.row, row)) return use(known)
    const value = this.#store.decode(row, key)
    if (value instanceof Promise) return value.then((settled) => use(this.#load(text, row, key, settled)))
    return use(this.#load(text, row, key, value))
  }

  #load(text: string, row: StoredRow, key: Key, value: unknown): Loaded {
    let loaded = this.#loaded.get(text)
    if (loaded === undefined) {
      loaded = { key, row, value, entry: null, rowEntry: null }
      this.#loaded.set(text, loaded)
      return loaded
    }
    loaded.row = row
    loaded.value = value
    const versionstamp = formatVersionstamp(row.version)
    for (const entry of [loaded.entry, loaded.rowEntry]) {
      if (entry !== null) Object.assign(entry, { value, versionstamp })
    }
    return loaded
  }

  /** Adds a write for each loaded value that has been changed in place; its schema must accept it. */
  async #writeChangedValues(): Promise<void> {
    for (const [text, loaded] of this.#loaded) {
      const { row, value, key } = loaded
      if (typeof value !== 'object' || value === null || !this.#isCurrent(text, row)) continue
      const stored = encodeValue(value)
      if (sameForm(stored, row)) continue
      // A value may have been stored in another form than it would be now: only a real change is written.
      const unchanged = encodeValue(await this.#store.decode(row, key))
      if (sameForm(stored, unchanged)) continue
      const mutation = await this.#store.prepareSet(key, value, undefined)
      const touch = this.#pending.get(text)?.findLast(({ type }) => type === 'touch') as
        | TouchMutation
        | undefined
      this.#add({ ...mutation, expiresAt: touch === undefined ? row.expiresAt : touch.expiresAt })
      loaded.row = { ...row, ...mutation.stored }
    }
  }

  /** Whether the unit's newest write of this key, if it has one, is the one that was loaded. */
  #isCurrent(text: string, row: StoredRow): boolean {
    const last = this.#pending.get(text)?.at(-1)
    return last === undefined || (last.type === 'set' && sameForm(last.stored, row)) || last.type === 'touch'
  }
}

type StoredForm = Pick<StoredRow, 'value' | 'encoding' | 'types'>

function sameForm(a: StoredForm, b: StoredForm): boolean {
  if (a.encoding !== b.encoding || a.types !== b.types) return false
  if (typeof a.value === 'string' || typeof b.value === 'string') return a.value === b.value
  return Buffer.compare(a.value, b.value) === 0
}
