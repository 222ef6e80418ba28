// The port that an engine implements, read as a whole: every call, with what it takes and what it gives.
import type { Catalog } from '../catalog/catalog.ts'
import type { LoggedChange, LoggedCommit } from '../commit/log-format.ts'
import type { StoredRow } from '../commit/row.ts'
import type { AtomicWrite, CommitOutcome } from '../commit/write.ts'
import type { Key } from '../contract/key.types.ts'
import type { KeyRange } from '../key/range.ts'
import type { AggregatePlan, CountPlan, FindPlan, Planned, RelatedPlan } from '../query/plan.ts'
import type { Backup, BackupOptions } from './backup.ts'
import type { DatabaseStats, LoggedSize, Sizes } from './stats.ts'

export type { LoggedChange, LoggedCommit, StoredRow }

/** A row with its key. */
export interface KeyedRow extends StoredRow {
  readonly key: Key
  /** What a search says about it, if the query asks. */
  readonly hit?: Hit
}

/** What a search says about a row. */
export interface Hit {
  /** How well it fits; null if the query does not order by that. */
  readonly rank: number | null
  /** For each field of the `highlight`, its text with `hitMarks` around the hits; null if it has none. */
  readonly texts: readonly (string | null)[]
}

/** Enclose a hit. In a text to be searched, these characters count as spaces. */
export const hitMarks = { open: '\u0001', close: '\u0002' } as const

/** One page of a list in key order; with a `collection`, only of its rows. */
export interface Scan {
  readonly range: KeyRange
  readonly collection: string | null
  readonly reverse: boolean
  readonly limit: number
}

/** Writes to commit together, in order, filed by the catalogue of `catalogVersion`. */
export interface CommitBatch {
  readonly catalogVersion: number
  readonly writes: readonly AtomicWrite[]
}

/**
 * `took`: how many milliseconds the writes took, without waiting for others and for the disk. `stale`: another process has changed
 * the catalogue; nothing was written, so file the rows again and retry.
 */
export type BatchOutcome =
  | { readonly type: 'done'; readonly outcomes: readonly CommitOutcome[]; readonly took: number }
  | { readonly type: 'stale'; readonly catalog: Catalog }

/** When the rows of a collection expire after a time, in milliseconds since the epoch. */
export interface CollectionExpiry {
  readonly collection: string
  readonly after: number
}

export interface SweepOutcome {
  /** How many expired rows were removed. */
  readonly removed: number
  /** When the next row expires, in milliseconds since the epoch. */
  readonly next: number | null
}

export interface LogPage {
  /** Commits, in the order of their versions. */
  readonly commits: readonly LoggedCommit[]
  /** The oldest version in the log, and the newest version of the database; 0 if there is none. */
  readonly oldest: number
  readonly latest: number
}

/** A key, and a version that was written under it. */
export interface WrittenVersion {
  readonly key: Uint8Array
  readonly version: number
}

/** A row of a related query; `parent` is the place of its parent in their list. */
export interface RelatedRow extends KeyedRow {
  readonly parent: number
}

/**
 * The figures of a query. For a `count`: the number. For a group of an `aggregate`: first, for each field of `groupBy`, the value,
 * its JSON type and what a text stands for (`Date`, `bigint`; null: itself); then each measure, with `min` and `max` followed by
 * what a text stands for. A boolean is 0 or 1, an object or array its JSON text, and a sum of bigints its digits. Only the JSON
 * types `true`, `false`, `object` and `array` are reported.
 */
export type Figures = readonly (string | number | null)[]

/** How an engine runs a query, for people to read. */
export interface Explanation {
  readonly sql: string
  readonly params: readonly unknown[]
  /** The steps of the engine's plan. */
  readonly plan: readonly string[]
}

/** A row that cannot be read. */
export interface UnreadableRow {
  /** Its key in readable form, as far as it is known: `["users", 7]`, `0x00ff`. */
  readonly key: string
  /** A sentence, or the engine's message. */
  readonly reason: string
}

/** A page of rows in the order of their keys, and those that cannot be read. */
export interface SalvagedRows {
  readonly rows: readonly KeyedRow[]
  readonly unreadable: readonly UnreadableRow[]
  /** Where the next page begins; null if there is none. */
  readonly next: Salvage['after']
}

/** Rows of all collections, or of one; at most `limit`. */
export interface Salvage {
  readonly collection: string | null
  /** The `next` of the last page; null: begin at the first row. */
  readonly after: string | number | Uint8Array | null
  readonly limit: number
}

/** A read of rows, as data. It never returns expired rows. */
export type Read =
  /** The row under a key. */
  | { readonly type: 'get'; readonly key: Uint8Array }
  /** The rows under keys, in their order, from one state. */
  | { readonly type: 'getMany'; readonly keys: readonly Uint8Array[] }
  /** Whether there is a row under a key, without its value. */
  | { readonly type: 'exists'; readonly key: Uint8Array }
  | { readonly type: 'scan'; readonly scan: Scan }
  /** Rows one by one, skipping damaged ones. */
  | { readonly type: 'salvage'; readonly salvage: Salvage }
  /** How many rows of a collection are in a range; without a range, how many it has. */
  | { readonly type: 'count'; readonly collection: string; readonly range: KeyRange | null }
  /** The rows that a query finds, in its order. */
  | { readonly type: 'find'; readonly query: Planned<FindPlan> }
  /** The rows related to each of many parents, parent by parent. */
  | { readonly type: 'related'; readonly query: Planned<RelatedPlan> }
  /** The figures of a query: one count, or the figures of each group. */
  | { readonly type: 'figures'; readonly query: Planned<CountPlan | AggregatePlan> }
  /** How a query would run, without running it. */
  | { readonly type: 'explain'; readonly query: Planned }

/** The result of each read. */
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

/** The result of one read. */
export type ResultOf<R extends Read> = ReadResults[R['type']]

/** Anything that reads rows. */
export interface Reader {
  /** Aborting the signal ends a read with many parts before the next part. */
  read<R extends Read>(request: R, signal?: AbortSignal): Promise<ResultOf<R>>
}

/**
 * Who keeps a session: `held` by user code, for as long as it likes, or by one `call`, which waits for nobody. If the number of
 * open sessions is limited, neither use waits for the other.
 */
export type SessionUse = 'held' | 'call'

/** The state that a session reads: its version, and the time (ms since the epoch) that decides which rows have expired. */
export interface SessionState {
  readonly version: number
  readonly at: number
}

/** A row to show instead of the stored one; null: show none. */
export interface ShownRow {
  readonly key: Uint8Array
  readonly collection: string | null
  readonly row: StoredRow | null
}

/** Reads of one state of the database, whatever is committed meanwhile. */
export interface Session extends Reader {
  /** Makes later scans and queries find these rows. Reads by key still return what is stored. */
  show(rows: readonly ShownRow[]): void
  state(): Promise<SessionState>
  /** Whether a read has failed because the engine lost the state. Another session can make the same reads. */
  readonly isLost: boolean
  /** Releases the state. Nothing can be read afterwards; a second call does nothing. */
  end(): void
}

/**
 * A store of rows. It takes and returns plain data, so the engine may be in another process. Each call runs in its own transaction.
 */
export interface Driver extends Reader {
  /**
   * Milliseconds since the epoch by the clock that decides what has expired: the engine's, as far as this process knows it. Does
   * not wait.
   */
  now(): number
  /** The newest version; 0 without commits. */
  latestVersion(): Promise<number>
  /** Reads of one state: the state of the first read. */
  session(use: SessionUse): Session
  /**
   * Commits each write with its own version, all in one transaction. A write that conflicts or fails leaves nothing behind, and
   * does not affect the others. If the engine fails, the call rejects, and nothing of the batch is written. It reports each write as
   * begun, as late as it can: one that is aborted before that is not written.
   */
  commit(batch: CommitBatch): Promise<BatchOutcome>
  /**
   * Whether a claim by this query may leave it to the commit to run the query and to call `prepare`. If the commit holds a lock
   * meanwhile: only if the query was fast the last time.
   */
  mayClaimInPlace(query: Planned<FindPlan>): boolean
  /**
   * Asks for a turn of `hold` milliseconds, during which the commits of others wait, and keeps a place in the queue for it as long
   * as it is called again. Returns whether the turn has begun.
   */
  takeTurn(id: string, hold: number): Promise<boolean>
  /** Ends a turn, or leaves the queue. */
  endTurn(id: string): Promise<void>
  /** The commits after a version, from one snapshot: at most `limit`, or fewer if they are large. */
  commitsSince(version: number, limit: number): Promise<LogPage>
  /**
   * For each of these keys, in their order, the row that has this version; null if there is none. Ends after the row with which it has
   * `bytes` of values, and before one that alone has more, unless that is the first.
   */
  rowsOfVersions(written: readonly WrittenVersion[], bytes: number): Promise<(StoredRow | null)[]>
  /**
   * Follows the commits of others after a version. Yields the newest one when it is later than before, and null if that is unknown or
   * an older state was restored, so that readers read again. How the engine finds out is up to it; it may also report its own commits, and several at once. Ends when
   * the signal is aborted, and does not keep the process alive.
   */
  follow(since: number, signal: AbortSignal): AsyncIterable<number | null>
  /** The figures of the database, read in parts, with pauses in between. */
  stats(signal?: AbortSignal): Promise<DatabaseStats>
  /** How large the database is, at little cost. */
  sizes(): Promise<Sizes>
  /** The last commits in the log, the newest first. */
  lastCommits(limit: number): Promise<readonly LoggedSize[]>
  /** Removes every row. Aborting the signal before that has begun leaves them. */
  clear(signal?: AbortSignal): Promise<void>
  /**
   * When the next row expires, of all or of one collection, in milliseconds since the epoch. For a collection, it may be a time before
   * that, when to ask again.
   */
  nextExpiry(of?: CollectionExpiry): Promise<number | null>
  /** Removes at most `limit` expired rows. */
  sweep(limit: number): Promise<SweepOutcome>
  /** Copies the state of the database at one moment to the target. */
  backup(target: string, options: BackupOptions): Promise<Backup>
  close(): Promise<void>
  /** Throws a StorageError if the database is open for reading only. `outcome`: what it says of that, 'nothing was written'. */
  assertWritable(outcome?: string): void
  /**
   * Closes the database, and removes what it keeps outside this process. Rejects with DatabaseBusyError, and removes nothing, if
   * others have it open; it may then be called again.
   */
  destroy(): Promise<void>
}
