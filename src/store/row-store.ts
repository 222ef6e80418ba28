import type { ArithmeticMutation, AtomicWrite, CommitOutcome, SetMutation } from '../commit/write.ts'
import type { Key } from '../contract/key.types.ts'
import type { Limits } from '../contract/limits.ts'
import type { Reader, StoredRow } from '../driver/driver.ts'
import type { IdOf, Pattern } from '../key/pattern.types.ts'
import type { FindPlan, Planned } from '../query/plan.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { Registry } from '../schema/registry.ts'
import type { Entry } from '../schema/registry.types.ts'
import type * as validate from '../schema/validate.ts'
import type { KvU64 } from '../value/kv-u64.ts'
import type { ValueFormat } from '../value/value-format.ts'
import type { CallCounter } from './call-counter.ts'
import type { SetOptions } from './expiry.ts'
import type { TurnSource } from './turn.ts'

/** An entry of a repository: an entry by key, with the id from the wildcards of its pattern. */
export interface RowEntry extends Entry {
  readonly id: IdOf<Pattern>
}

/** The outcome of a write that was committed, or whose checks did not hold. */
export type SettledOutcome = Exclude<CommitOutcome, { readonly type: 'failed' | 'waits' }>

/** Makes the repository of a definition over a store. */
export type OpenRepository = (store: RowStore, definition: AnyDefinition) => object

/** Code that only a database with schemas needs, and loads: it is as much as all the rest. */
export interface SchemaCode {
  readonly validation: Pick<
    typeof validate,
    'validate' | 'judgeOutput' | 'changedOutput' | 'patchedOutput' | 'checkedPatch'
  >
  readonly openRepository: OpenRepository
}

/** Makes the mutation that patches a row. */
export type PatchRow = (row: StoredRow, key: Key) => SetMutation

/** What a claim needs to be prepared in its commit. */
export interface ClaimsInPlace {
  /** How the claims of a definition are prepared; before the commit, if it is not here. */
  readonly claimWays: Map<AnyDefinition, 'inPlace' | 'never'>

  mayClaimInPlace(query: Planned<FindPlan>): boolean

  /**
   * Checks a patch once, for rows that are patched later, without any of the user's functions. Returns null if `preparePatch` is
   * needed, and `'later'` if it always is, because the schema is asynchronous.
   */
  checkPatch(definition: AnyDefinition, patch: object): PatchRow | 'later' | null
}

/** What the typed faces use: an open database, or a unit of work on one. */
export interface RowStore extends Reader {
  /** Where the database is: an absolute path, or `:memory:`. */
  readonly path: string
  readonly registry: Registry
  readonly limits: Limits
  readonly format: ValueFormat
  /** Opens its repositories; null if the database has no schemas. */
  readonly openRepository: OpenRepository | null
  /** In a unit of work: the keys that it has written so far, which later reads show as written. */
  readonly written?: readonly Uint8Array[]
  /** In a unit of work: counts the calls that write. */
  readonly calls?: CallCounter

  /**
   * In a database: gives turns to calls whose commits keep failing. Left out in a unit of work, where a single write does not fail.
   */
  readonly turnSource?: TurnSource

  /** In a database: claims whose rows are prepared in the commit. Left out in a unit of work, which commits later. */
  readonly claimsInPlace?: ClaimsInPlace

  /** In a database: whether the schema judges every value that is read, also the new ones that a write returns. */
  readonly validatesReads?: boolean

  /**
   * In a database: resolves when the writes that were called before are settled, or those of this key; `undefined` if there are none.
   * What reads first and then writes waits for them, so that it finds what they have left; calls that are still reading are none yet.
   * Always `undefined` in a unit of work, which reads its own writes.
   */
  earlierWrites?(key?: Uint8Array): Promise<void> | undefined

  /** Reads one state with several reads. */
  ofOneState<T>(read: (store: RowStore) => Promise<T>): Promise<T>

  /** Milliseconds since the epoch, by the clock that decides what has expired. */
  now(): number

  /** Throws if the database is closed, or the unit of work is over. */
  assertOpen(): void

  encodeKey(key: Key): Uint8Array

  /** The value of a row; a promise of it if reads are validated by an asynchronous schema. */
  decode(row: StoredRow, key: Key): unknown | Promise<unknown>

  /** Makes later reads of this key see a value that was changed in place. Only a unit of work has something to do here. */
  settle(encodedKey: Uint8Array): Promise<void> | undefined

  /** Like `decode`, but a value that the caller may change: never one that an entry of a unit of work shares. */
  ownValue(row: StoredRow, key: Key): unknown | Promise<unknown>

  /** The version of a key, without the unit's own writes. `row` is what was read under it, with them. */
  committedVersion(encodedKey: Uint8Array, row: StoredRow | null): Promise<number | null>

  /** The entry of a row for reads by key. */
  entry(row: StoredRow, key: Key): Entry | Promise<Entry>

  /** The entry of a row for a repository. */
  rowEntry(row: StoredRow, id: IdOf<Pattern>, key: Key): RowEntry | Promise<RowEntry>

  /** An entry without a value; in a unit of work, none can be assigned to it. */
  missing<E extends { readonly key: Key }>(entry: E): E

  /** An entry with additional members; in a unit of work, it keeps showing what is written under its key. */
  extend(entry: RowEntry, more: object): RowEntry

  /**
   * An entry with a part of its value, and with additional members; in a unit of work, a frozen copy, because changes of it would
   * not be written.
   */
  part(entry: RowEntry, row: StoredRow, project: (value: unknown) => unknown, more: object): RowEntry

  /**
   * The mutation that stores the schema's output for an input; a promise of it if the schema is asynchronous, which rejects for a
   * value that cannot be stored. Throws for an invalid key or expiry.
   */
  prepareSet(key: Key, value: unknown, options?: SetOptions): SetMutation | Promise<SetMutation>

  /** The mutation that stores a patched row, and keeps its expiry. Throws a TypeError if the value is not an object of fields. */
  preparePatch(key: Key, row: StoredRow, patch: object): SetMutation | Promise<SetMutation>

  /** The mutation that stores an output made from a row's value, and keeps the row's expiry. */
  prepareChanged(key: Key, row: StoredRow, output: unknown): SetMutation | Promise<SetMutation>

  /** Like `prepareSet`, for `sum`, `max` or `min`. Without `expireIn` (milliseconds), the key keeps its expiry. */
  prepareArithmetic(
    type: ArithmeticMutation['type'],
    key: Key,
    n: bigint | KvU64,
    expireIn: number | undefined,
  ): ArithmeticMutation | Promise<ArithmeticMutation>

  /** Commits a write; in a unit of work, keeps it for the unit's commit. */
  commit(write: AtomicWrite): Promise<SettledOutcome>
}
