import type { Logger } from 'drizzle-orm/logger'
import type { Catalog, Collection } from '../catalog/catalog.ts'
import type { AskedChanges } from '../catalog/changes.ts'
import type { LogRetention } from '../commit/retention.ts'
import type { OnUnindexed } from '../query/unindexed.ts'
import type { Backup, BackupOptions, Restored } from './backup.ts'
import type { CopyPlaces, CopySource, CopyTarget } from './copy.ts'
import type { Driver } from './driver.ts'
import type { Migrator } from './migration-database.ts'
import type { Finding, Repair, Verification, VerifyOptions } from './verification.ts'

/** The types that differ between engines. */
export interface EngineTypes {
  /** Plain Drizzle over a database. */
  readonly drizzle: unknown
  /** The Drizzle tables of a database. */
  readonly tables: unknown
  /** The options of `open` that only this engine has. */
  readonly options: object
  /** The same options, checked and with their defaults. */
  readonly checked: object
}

/** Access to plain Drizzle. */
export interface PlainDrizzle<T extends EngineTypes = EngineTypes> {
  /** The name of the engine. */
  readonly engine: string
  readonly drizzle: T['drizzle']
  readonly tables: T['tables']
}

/** The options that every engine is opened with. */
export interface DriverOptions {
  readonly readOnly: boolean
  /** How many milliseconds a session may keep its state. */
  readonly snapshotTimeout: number
  readonly retention: LogRetention
  /** Whether to keep values in the log. */
  readonly logValues: boolean
  /** What to do with a query that reads a whole collection. */
  readonly onUnindexed: OnUnindexed
  readonly logger?: Logger | undefined
  /** The folder of migrations that create the tables and indexes; left out: they are created in place. */
  readonly migrations?: string | undefined
  /** Changes that the opener asks for by name, because others may need what they change. */
  readonly asked?: AskedChanges
  /** Take the database as it is: it must exist, and nothing is created in it or changed in its catalogue. */
  readonly asItIs?: boolean
}

/** An open database, below the store. */
export interface OpenedDriver<T extends EngineTypes = EngineTypes> {
  readonly driver: Driver
  readonly catalog: Catalog
  readonly plain: PlainDrizzle<T>
}

/**
 * What an engine can do before a database is open. It exists from the start, and loads the engine's package with the first call
 * that needs it. Addresses are in the form that `address` returns.
 */
export interface Engine<T extends EngineTypes = EngineTypes> {
  /** The names of its own options of `open`. */
  readonly optionNames: readonly string[]
  /** Throws a TypeError or RangeError for an option that it does not take. */
  checkOptions(options: T['options']): T['checked']
  /** The canonical address of a database. Throws a TypeError if this is not an address. */
  address(given: string | URL | undefined): string
  /** An address for messages and traces: without a password. */
  shown(address: string): string
  /**
   * The address of the database in a schema of the server; undefined: the schema in the address. Throws a TypeError if the engine
   * has no schemas.
   */
  inSchema(address: string, schema: string | undefined): string
  /** Whether a database outlasts the process that opened it. */
  isKept(address: string): boolean
  /** Throws a DatabaseOpenError if the engine cannot run in this process. */
  assertRuntime(address: string): void
  /** Opens a database with these collections, and creates what is missing. */
  open(
    address: string,
    collections: readonly Collection[],
    options: DriverOptions & T['checked'],
  ): Promise<OpenedDriver<T>>
  /** The catalogue of a database. `toWrite`: with everything that writes need. */
  readCatalog(address: string, toWrite: boolean, options: T['checked']): Promise<Catalog>
  /** Reads a whole database, and reports what is damaged. */
  verify(address: string, options: VerifyOptions): Promise<Verification>
  /** What to do about each kind of finding. */
  readonly advice: Readonly<Record<Finding['kind'], string>>
  /** Copies a database, then rebuilds what follows from its rows and its catalogue. */
  repair(address: string, busyTimeout: number): Promise<Repair>
  /** Opens a database for copying it, to any engine. */
  copyFrom(address: string, options: T['checked']): Promise<CopySource>
  /** Begins a database for a copy to fill. Rejects with a DatabaseOpenError if it exists, unless it may be overwritten. */
  copyInto(address: string, options: T['checked'], places: CopyPlaces): Promise<CopyTarget>
  /** Whether a copy between two of its addresses is a backup. */
  readonly copiesByBackup: boolean
  /** Copies a database that is not open in this process; others may have it open. Waits `busyTimeout` milliseconds for locks. */
  backUp(
    address: string,
    target: string,
    options: BackupOptions & { readonly busyTimeout: number },
  ): Promise<Backup>
  /** Restores a backup as a database. `keep`: the replaced database stays under another name. */
  restore(
    backup: string,
    address: string,
    options: Omit<BackupOptions, 'overwrite'> & { readonly busyTimeout: number; readonly keep: boolean },
  ): Promise<Restored>
  /** How to migrate its databases. */
  migrator(address: string): Promise<Migrator>
}
