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

/** The types in which one engine differs from another. */
export interface EngineTypes {
  /** Plain Drizzle over a database. */
  readonly drizzle: unknown
  /** The Drizzle tables of a database. */
  readonly tables: unknown
  /** The options of `open` that are this engine's own. */
  readonly options: object
  /** Those, checked and with their defaults. */
  readonly checked: object
}

/** The way out to plain Drizzle. */
export interface PlainDrizzle<T extends EngineTypes = EngineTypes> {
  /** What the engine is called. */
  readonly engine: string
  readonly drizzle: T['drizzle']
  readonly tables: T['tables']
}

/** What every engine is opened with, its own options aside. */
export interface DriverOptions {
  readonly readOnly: boolean
  /** Milliseconds for which a session keeps its state. */
  readonly snapshotTimeout: number
  readonly retention: LogRetention
  /** Keep the values in the log. */
  readonly logValues: boolean
  /** What to do with a query that reads a whole collection. */
  readonly onUnindexed: OnUnindexed
  readonly logger?: Logger | undefined
  /** The folder of migrations that create the tables and indexes; left out, they are created in place. */
  readonly migrations?: string | undefined
  /** What the opener asks to have changed that others may need. */
  readonly asked?: AskedChanges
  /** Take the database as it is: it has to be there, and nothing is created in it or changed of its catalogue. */
  readonly asItIs?: boolean
}

/** An open database, below the store. */
export interface OpenedDriver<T extends EngineTypes = EngineTypes> {
  readonly driver: Driver
  readonly catalog: Catalog
  readonly plain: PlainDrizzle<T>
}

/**
 * What is asked of an engine before a database is open. It is there from the start, and loads the engine's package with the first call
 * that needs it. Addresses are those that `address` has given.
 */
export interface Engine<T extends EngineTypes = EngineTypes> {
  /** The names of the options of `open` that are its own. */
  readonly optionNames: readonly string[]
  /** Throws a TypeError or RangeError for one that it does not take. */
  checkOptions(options: T['options']): T['checked']
  /** Where a database is, in the one way to write it. Throws a TypeError for what is not an address. */
  address(given: string | URL | undefined): string
  /** An address as messages and traces may show it: without a password. */
  shown(address: string): string
  /** The address of a database in a schema of a server; undefined: the one of the address. Throws a TypeError if there are none. */
  inSchema(address: string, schema: string | undefined): string
  /** Whether a database outlasts the process that has it open. */
  isKept(address: string): boolean
  /** Throws a DatabaseOpenError if the engine cannot run in this process. */
  assertRuntime(address: string): void
  /** Opens a database with these collections, and creates what it lacks of them. */
  open(
    address: string,
    collections: readonly Collection[],
    options: DriverOptions & T['checked'],
  ): Promise<OpenedDriver<T>>
  /** What a database knows of its collections itself. `toWrite`: it has all that writes need. */
  readCatalog(address: string, toWrite: boolean, options: T['checked']): Promise<Catalog>
  /** Reads all of a database and tells what is damaged. */
  verify(address: string, options: VerifyOptions): Promise<Verification>
  /** What to do about each kind of finding. */
  readonly advice: Readonly<Record<Finding['kind'], string>>
  /** Copies a database, then rebuilds what follows from its rows and its catalogue. */
  repair(address: string, busyTimeout: number): Promise<Repair>
  /** Opens a database to be copied into one of whichever engine. */
  copyFrom(address: string, options: T['checked']): Promise<CopySource>
  /** Begins a database that is filled by a copy. Rejects with a DatabaseOpenError if one is there, unless it is to be overwritten. */
  copyInto(address: string, options: T['checked'], places: CopyPlaces): Promise<CopyTarget>
  /** Whether a copy from one of its addresses to another one is a backup. */
  readonly copiesByBackup: boolean
  /** Copies a database that this process has not open, whoever else has. Waits `busyTimeout` milliseconds for those in the way. */
  backUp(
    address: string,
    target: string,
    options: BackupOptions & { readonly busyTimeout: number },
  ): Promise<Backup>
  /** Puts a copy of a backup into the place of a database. `keep`: what was there stays under another name. */
  restore(
    backup: string,
    address: string,
    options: Omit<BackupOptions, 'overwrite'> & { readonly busyTimeout: number; readonly keep: boolean },
  ): Promise<Restored>
  /** How its databases are migrated. */
  migrator(address: string): Promise<Migrator>
}
