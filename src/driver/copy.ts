import type { Catalog } from '../catalog/catalog.ts'
import type { LoggedCommit, StoredRow, UnreadableRow } from './driver.ts'
import type { AppliedMigration } from './migration-history.ts'

/** A row that no copy can have, or that an engine cannot keep, and why. */
export interface RefusedRow extends UnreadableRow {
  readonly collection: string | null
}

/** A row as it is kept, one that has expired and waits to be removed too. */
export interface CopiedRow extends StoredRow {
  readonly key: Uint8Array
  /** The name of the collection that it is filed under. */
  readonly collection: string | null
}

/** A row of `kv_collections` as it is kept. */
export interface CopiedCollection {
  readonly name: string
  readonly pattern: string
  readonly schema: string | null
  readonly version: number
  readonly indexes: string | null
  readonly references: string | null
  readonly migrated: number | null
}

/** A search that a file has. */
export interface CopiedSearch {
  /** The name of the repository whose texts it is over. */
  readonly repository: string
  /** Its fields. */
  readonly on: readonly string[]
}

/** The migrations that a database has had. */
export interface CopiedRegister {
  /** The name of the table that keeps them. */
  readonly table: string
  readonly applied: readonly AppliedMigration[]
}

/** What is known of a database before its rows are read. */
export interface CopiedState {
  /** The newest version; 0 for a database without commits. */
  readonly version: number
  /** How many rows and commits there are. */
  readonly rows: number
  readonly commits: number
  readonly collections: readonly CopiedCollection[]
  /** What these say. */
  readonly catalog: Catalog
  /** The searches over its texts, which only files have. */
  readonly searches: readonly CopiedSearch[]
  /** `null` if it has none, or one that goes to no other engine. */
  readonly register: CopiedRegister | null
  /** What else stands beside the tables of a database, and goes with no copy: the names of tables. */
  readonly others: readonly string[]
}

/** Some rows in the order of their keys, and those that are none that anything could keep. */
export interface CopiedPage {
  readonly rows: readonly CopiedRow[]
  readonly unreadable: readonly RefusedRow[]
}

/** One state of a database, whatever others commit meanwhile. Pages are small: of hundreds of rows, or of one that is large. */
export interface CopySource {
  state(): Promise<CopiedState>
  rows(): AsyncIterable<CopiedPage>
  /** In the order of their versions. */
  commits(): AsyncIterable<readonly LoggedCommit[]>
  close(): Promise<void>
}

/** A database that a copy fills. Nobody sees anything of it before `finish` is over, and then all of it. */
export interface CopyTarget {
  /** Creates tables, collections and indexes, as those of another database are. */
  begin(state: CopiedState): Promise<void>
  /** Stores rows; gives those that the engine cannot keep, and why. */
  store(rows: readonly CopiedRow[]): Promise<readonly RefusedRow[]>
  append(commits: readonly LoggedCommit[]): Promise<void>
  /** What is stored by now. */
  readonly stored: Omit<CopySource, 'close'>
  /** Has it be there for all, for good. */
  finish(): Promise<void>
  /** Lets go of it; what is not finished leaves nothing behind. */
  close(): Promise<void>
}

/** How to reach the databases of a copy. */
export interface CopyPlaces {
  /** Milliseconds for which to wait for locks of others. */
  readonly busyTimeout: number
  /** Let the copy take the place of a database that is there. */
  readonly overwrite: boolean
}
