import type { Catalog } from '../catalog/catalog.ts'
import type { LoggedCommit, StoredRow, UnreadableRow } from './driver.ts'
import type { AppliedMigration } from './migration-history.ts'

/** A row that cannot be copied, because it is damaged or because the engine cannot store it, and why. */
export interface RefusedRow extends UnreadableRow {
  readonly collection: string | null
}

/** A stored row, even an expired one that is not removed yet. */
export interface CopiedRow extends StoredRow {
  readonly key: Uint8Array
  /** The name of its collection. */
  readonly collection: string | null
}

/** A stored row of `kv_collections`. */
export interface CopiedCollection {
  readonly name: string
  readonly pattern: string
  readonly schema: string | null
  readonly version: number
  readonly indexes: string | null
  readonly references: string | null
  readonly migrated: number | null
}

/** The migrations that a database has had. */
export interface CopiedRegister {
  /** The table that lists them. */
  readonly table: string
  readonly applied: readonly AppliedMigration[]
}

/** What must be known of a database before its rows are read. */
export interface CopiedState {
  /** The newest version; 0 without commits. */
  readonly version: number
  /** How many rows and commits there are. */
  readonly rows: number
  readonly commits: number
  readonly collections: readonly CopiedCollection[]
  /** What these collections contain. */
  readonly catalog: Catalog
  /** `null` if it has none, or if they mean nothing to another engine. */
  readonly register: CopiedRegister | null
  /** The names of other tables, which are not copied. */
  readonly others: readonly string[]
}

/** Some rows in the order of their keys, and those among them that cannot be read. */
export interface CopiedPage {
  readonly rows: readonly CopiedRow[]
  readonly unreadable: readonly RefusedRow[]
}

/** One state of a database, whatever others commit meanwhile. Pages are small: some hundreds of rows, or a single large one. */
export interface CopySource {
  state(): Promise<CopiedState>
  rows(): AsyncIterable<CopiedPage>
  /** In the order of their versions. */
  commits(): AsyncIterable<readonly LoggedCommit[]>
  close(): Promise<void>
}

/** A database that a copy fills. Nobody sees any of it before `finish`, and then everybody sees all of it. */
export interface CopyTarget {
  /** Creates tables, collections and indexes like those of the source. */
  begin(state: CopiedState): Promise<void>
  /** Stores rows; returns those that the engine cannot store, and why. */
  store(rows: readonly CopiedRow[]): Promise<readonly RefusedRow[]>
  append(commits: readonly LoggedCommit[]): Promise<void>
  /** What is stored so far. */
  readonly stored: Omit<CopySource, 'close'>
  /** Makes it visible to everyone. */
  finish(): Promise<void>
  /** Closes it; if it is not finished, nothing of it stays. */
  close(): Promise<void>
}

/** How to open the databases of a copy. */
export interface CopyPlaces {
  /** How many milliseconds to wait for locks of others. */
  readonly busyTimeout: number
  /** Whether the copy may replace an existing database. */
  readonly overwrite: boolean
}
