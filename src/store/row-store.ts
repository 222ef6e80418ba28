import type { ArithmeticMutation, AtomicWrite, CommitOutcome, SetMutation } from '../commit/write.ts'
import type { Key } from '../contract/key.types.ts'
import type { Limits } from '../contract/limits.ts'
import type { Reader, StoredRow } from '../driver/driver.ts'
import type { IdOf, Pattern } from '../key/pattern.types.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { Registry } from '../schema/registry.ts'
import type { Entry } from '../schema/registry.types.ts'
import type * as validate from '../schema/validate.ts'
import type { KvU64 } from '../value/kv-u64.ts'
import type { ValueFormat } from '../value/value-format.ts'
import type { SetOptions } from './expiry.ts'
import type { TurnSource } from './turn.ts'

/** An entry of a repository: one of the key-value face with the id that its pattern's wildcards have in its key. */
export interface RowEntry extends Entry {
  readonly id: IdOf<Pattern>
}

/** A write that was committed, or whose checks did not hold. */
export type SettledOutcome = Exclude<CommitOutcome, { readonly type: 'failed' | 'waits' }>

/** Makes the repository of a definition over a store. */
export type OpenRepository = (store: RowStore, definition: AnyDefinition) => object

/** What only a database with schemas runs. One that is opened without them does not load it: it is as much code as all the rest. */
export interface SchemaCode {
  readonly validation: Pick<typeof validate, 'validate' | 'judgeOutput' | 'changedOutput' | 'patchedOutput'>
  readonly openRepository: OpenRepository
}

/** What the typed faces work on: an open database, or a unit of work on one. */
export interface RowStore extends Reader {
  /** Where the database is: an absolute path, or `:memory:`. */
  readonly path: string
  readonly registry: Registry
  readonly limits: Limits
  readonly format: ValueFormat
  /** What opens its repositories; null if the database has no schemas. */
  readonly openRepository: OpenRepository | null
  /** In a unit of work: the keys that it has written so far, which later reads show as written. */
  readonly written?: readonly Uint8Array[]

  /** Of a database: what gives turns to those whose commits others make fail. In a unit of work, a write does not fail by itself. */
  readonly turnSource?: TurnSource

  /** What several reads give, all of them of one state. */
  ofOneState<T>(read: (store: RowStore) => Promise<T>): Promise<T>

  /** Milliseconds since the epoch by the clock that says what has expired. */
  now(): number

  /** Throws if the database is closed, or the unit of work is over. */
  assertOpen(): void

  encodeKey(key: Key): Uint8Array

  /** The value of a row; a promise of it where reads are validated and the schema is asynchronous. */
  decode(row: StoredRow, key: Key): unknown | Promise<unknown>

  /** Has later reads of this key see what was changed instead of its value. Only a unit of work has something to do. */
  settle(encodedKey: Uint8Array): Promise<void> | undefined

  /** As `decode`, a value that its taker may change: none that an entry of a unit of work shares. */
  ownValue(row: StoredRow, key: Key): unknown | Promise<unknown>

  /**
   * The version of a key as others have left it. `row` is what was read under it: in a unit of work, with the unit's own
   * writes, which are not counted here.
   */
  committedVersion(encodedKey: Uint8Array, row: StoredRow | null): Promise<number | null>

  /** The entry of a row for the key-value face. */
  entry(row: StoredRow, key: Key): Entry | Promise<Entry>

  /** The entry of a row for a repository. */
  rowEntry(row: StoredRow, id: IdOf<Pattern>, key: Key): RowEntry | Promise<RowEntry>

  /** An entry without a value; in a unit of work, one to which none can be assigned. */
  missing<E extends { readonly key: Key }>(entry: E): E

  /** An entry with more in it; in a unit of work, one that goes on showing what is written under its key. */
  extend(entry: RowEntry, more: object): RowEntry

  /** An entry with a part of its value, and with more in it; in a unit of work, a copy that cannot be changed, since nobody would write it. */
  part(entry: RowEntry, row: StoredRow, project: (value: unknown) => unknown, more: object): RowEntry

  /**
   * The mutation that stores what the key's schema makes of an input; a promise of it where the schema is asynchronous, and
   * one that rejects for a value that cannot be stored. Throws for what is not a key, and for an expiry that is not right.
   */
  prepareSet(key: Key, value: unknown, options?: SetOptions): SetMutation | Promise<SetMutation>

  /**
   * The mutation that stores what a patch makes of a row, with the row's expiry. Throws a TypeError if its value is not an object of
   * fields.
   */
  preparePatch(key: Key, row: StoredRow, patch: object): SetMutation | Promise<SetMutation>

  /** The mutation that stores an output that was made of a row's, with the row's expiry. */
  prepareChanged(key: Key, row: StoredRow, output: unknown): SetMutation | Promise<SetMutation>

  /** As `prepareSet`, for `sum`, `max` or `min`; without `expireIn` (milliseconds) the key keeps its expiry. */
  prepareArithmetic(
    type: ArithmeticMutation['type'],
    key: Key,
    n: bigint | KvU64,
    expireIn: number | undefined,
  ): ArithmeticMutation | Promise<ArithmeticMutation>

  /** Commits a write; in a unit of work, keeps it for the unit's commit. */
  commit(write: AtomicWrite): Promise<SettledOutcome>
}
