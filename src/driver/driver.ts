import type { Catalog } from '../catalog/catalog.ts'
import type { LoggedChange, LoggedCommit } from '../commit/log-format.ts'
import type { StoredRow } from '../commit/row.ts'
import type { AtomicWrite, CommitOutcome } from '../commit/write.ts'
import type { Key } from '../contract/key.types.ts'
import type { KeyRange } from '../key/range.ts'
import type { AggregatePlan, CountPlan, FindPlan, Planned, RelatedPlan } from '../query/plan.ts'
import type { Backup, BackupOptions } from './backup.ts'
import type { DatabaseStats } from './stats.ts'

export type { LoggedChange, LoggedCommit, StoredRow }

/** A row that was found by other means than its key. */
export interface KeyedRow extends StoredRow {
  readonly key: Key
  /** What a search reports of it, where the query asks. */
  readonly hit?: Hit
}

/** What a search reports of a row. */
export interface Hit {
  /** How well it fits; null: the query does not order by it. */
  readonly rank: number | null
  /** For each field of the `highlight` its text with `hitMarks` around the hits; null: it has none. */
  readonly texts: readonly (string | null)[]
}

/** Stand before and behind a hit: they are spaces in every text that is searched. */
export const hitMarks = { open: '\u0001', close: '\u0002' } as const

/** One page of a listing in key order; with a `collection`, its rows only. */
export interface Scan {
  readonly range: KeyRange
  readonly collection: string | null
  readonly reverse: boolean
  readonly limit: number
}

/** Writes to be committed together, in order, filed according to `catalogVersion`. */
export interface CommitBatch {
  readonly catalogVersion: number
  readonly writes: readonly AtomicWrite[]
}

/**
 * `took`: the milliseconds that the writes have taken, without the wait for others and for the disk. `stale`: another process changed
 * the collections since; nothing was written, file the rows again and try again.
 */
export type BatchOutcome =
  | { readonly type: 'done'; readonly outcomes: readonly CommitOutcome[]; readonly took: number }
  | { readonly type: 'stale'; readonly catalog: Catalog }

/** The expiries of the rows of one collection after a time, in milliseconds since the epoch. */
export interface CollectionExpiry {
  readonly collection: string
  readonly after: number
}

export interface SweepOutcome {
  /** Expired rows removed. */
  readonly removed: number
  /** When the next row expires, in milliseconds since the epoch. */
  readonly next: number | null
}

export interface LogPage {
  /** Commits in the order of their versions. */
  readonly commits: readonly LoggedCommit[]
  /** The oldest version that the log keeps, and the newest version of the database; 0 if there are none. */
  readonly oldest: number
  readonly latest: number
}

/** A row that belongs to one of the parents of a related query; `parent` is that one's place in their list. */
export interface RelatedRow extends KeyedRow {
  readonly parent: number
}

/**
 * What a query works out of its rows. Of a `count`: the number. Of a group of an `aggregate`: for each field of `groupBy`
 * the value, the kind of JSON and what a text stands for (`Date`, `bigint`; null: itself), then each measure, `min` and
 * `max` followed by what a text stands for. A boolean is 0 or 1, an object or array its JSON text, and the sum of bigints its digits;
 * of the kinds of JSON only `true`, `false`, `object` and `array` are told.
 */
export type Figures = readonly (string | number | null)[]

/** How an engine runs a query, for a person to read. */
export interface Explanation {
  readonly sql: string
  readonly params: readonly unknown[]
  /** The steps of the engine's plan. */
  readonly plan: readonly string[]
}

/** A row that cannot be read. */
export interface UnreadableRow {
  /** Its key for a person to read, as far as it can be told: `["users", 7]`, `0x00ff`. */
  readonly key: string
  /** A sentence, or the words of the engine. */
  readonly reason: string
}

/** A page of rows, in the order of their keys, and what of it cannot be read. */
export interface SalvagedRows {
  readonly rows: readonly KeyedRow[]
  readonly unreadable: readonly UnreadableRow[]
  /** Where the next page begins; null: there is none. */
  readonly next: Salvage['after']
}

/** Rows of all collections, or of one, at most `limit` of them. */
export interface Salvage {
  readonly collection: string | null
  /** What the last page gave as `next`; null: from the first row. */
  readonly after: string | number | Uint8Array | null
  readonly limit: number
}

/** A read of rows, as data. Rows that have expired are never given. */
export type Read =
  /** The row under a key. */
  | { readonly type: 'get'; readonly key: Uint8Array }
  /** The rows under keys, in their order, of one state. */
  | { readonly type: 'getMany'; readonly keys: readonly Uint8Array[] }
  /** Whether there is a row under a key, without its value. */
  | { readonly type: 'exists'; readonly key: Uint8Array }
  | { readonly type: 'scan'; readonly scan: Scan }
  /** Rows one by one, past those that are damaged. */
  | { readonly type: 'salvage'; readonly salvage: Salvage }
  /** The number of rows of a collection in a range; without a range, of all its rows. */
  | { readonly type: 'count'; readonly collection: string; readonly range: KeyRange | null }
  /** The rows that a query finds, in its order. */
  | { readonly type: 'find'; readonly query: Planned<FindPlan> }
  /** The rows that belong to each of many parents, parent by parent. */
  | { readonly type: 'related'; readonly query: Planned<RelatedPlan> }
  /** What a query works out of its rows: one count, or the figures of each group. */
  | { readonly type: 'figures'; readonly query: Planned<CountPlan | AggregatePlan> }
  /** How a query is run, without running it. */
  | { readonly type: 'explain'; readonly query: Planned }

/** What each read gives. */
export interface ReadResults {
  get: StoredRow | null
  getMany: (StoredRow | null)[]
  exists: boolean
  scan: KeyedRow[]
  salvage: SalvagedRows
  count: number
  find: KeyedRow[]
  related: RelatedRow[]
  figures: Figures[]
  explain: Explanation
}

/** What one read gives. */
export type ResultOf<R extends Read> = ReadResults[R['type']]

/** What reads rows. */
export interface Reader {
  /** Aborting the signal ends a read that has many parts at the next of them. */
  read<R extends Read>(request: R, signal?: AbortSignal): Promise<ResultOf<R>>
}

/**
 * Who keeps a session: code of the user, for as long as it likes, or one call, which waits for nobody. Where only so many
 * can be open at a time, those of one use do not wait for the other's.
 */
export type SessionUse = 'held' | 'call'

/** The state that a session reads: its version, and the time (ms since the epoch) as of which rows have expired. */
export interface SessionState {
  readonly version: number
  readonly at: number
}

/** A row to find instead of the one that is stored under its key; null: to find none. */
export interface ShownRow {
  readonly key: Uint8Array
  readonly collection: string | null
  readonly row: StoredRow | null
}

/** Reads of one state of the database, whatever is committed meanwhile. */
export interface Session extends Reader {
  /** Has later scans and queries find these rows. Reads by key go on giving what is stored. */
  show(rows: readonly ShownRow[]): void
  state(): Promise<SessionState>
  /** Whether a read of it has failed since the engine has lost the state: the same may be read again in another session. */
  readonly isLost: boolean
  /** Lets go of the state. Nothing can be read afterwards; a second call does nothing. */
  end(): void
}

/**
 * A store of rows. It takes and gives plain data, so that an engine in another process can stand behind it, and runs
 * each call in a transaction of its own.
 */
export interface Driver extends Reader {
  /**
   * Milliseconds since the epoch by the clock that says what has expired: that of the engine, as far as this process knows it, at once.
   */
  now(): number
  /** The newest version; 0 for a database without commits. */
  latestVersion(): Promise<number>
  /** Reads of one state, which the first of them fixes. */
  session(use: SessionUse): Session
  /**
   * Commits each write under a version of its own, all in one transaction. A write that conflicts or fails leaves
   * nothing behind and harms no other; when the engine fails, the call is rejected and nothing of the batch is written.
   */
  commit(batch: CommitBatch): Promise<BatchOutcome>
  /**
   * Asks for a turn of `hold` milliseconds, in which the commits of others wait, and keeps a place in the queue for it, for as
   * long as it is asked again; whether it has begun.
   */
  takeTurn(id: string, hold: number): Promise<boolean>
  /** Ends a turn, or leaves the queue. */
  endTurn(id: string): Promise<void>
  /** The commits after a version, from one snapshot: at most `limit` of them, and fewer where they are large. */
  commitsSince(version: number, limit: number): Promise<LogPage>
  /**
   * Follows the commits of others: gives the newest version when it is a later one than was given before, and null if nobody can
   * tell, so that who waits reads again. How an engine comes to know is its own affair; it may report its own commits too, and of
   * several at once. Ends when the signal is aborted, and does not keep the process alive.
   */
  follow(signal: AbortSignal): AsyncIterable<number | null>
  /** The figures of the database, read in parts with pauses. */
  stats(signal?: AbortSignal): Promise<DatabaseStats>
  /** Removes every row. */
  clear(): Promise<void>
  /** When the next row expires, of all or of a collection, in milliseconds since the epoch. */
  nextExpiry(of?: CollectionExpiry): Promise<number | null>
  /** Removes rows that have expired, at most `limit` of them. */
  sweep(limit: number): Promise<SweepOutcome>
  /** Copies the database, as it is at one moment, to where the target tells. */
  backup(target: string, options: BackupOptions): Promise<Backup>
  close(): Promise<void>
  /** Throws a StorageError if the database is opened to be read only. */
  assertWritable(): void
  /**
   * Closes, and removes what the database keeps outside of this process. Rejects with DatabaseBusyError, with all of it left, where
   * others have the database open. May be called again then.
   */
  destroy(): Promise<void>
}
