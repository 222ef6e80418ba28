import type { ToldChanges } from '../catalog/stored-change.ts'
import type { MigratedCollection, Migration, TableLoss } from './migration.ts'
import type { DeclaredTable, Drift } from './migration-database.ts'

/** What drizzle-kit keeps of the tables as a migration leaves them. */
export interface DrizzleSnapshot {
  /** Of the format. */
  readonly version: string
  readonly id: string
}

/** The statements that change the tables, in the order: what goes, then what comes, the indexes last. */
export interface TableSql {
  readonly snapshot: DrizzleSnapshot
  readonly drop: readonly string[]
  readonly tables: readonly string[]
  readonly indexes: readonly string[]
  /** Those of `tables` that change a table of the user's own. */
  readonly others: readonly string[]
  /** Whether an index that is built keeps values from being equal. */
  readonly buildsUnique: boolean
  /** What goes for good. */
  readonly losses: readonly TableLoss[]
}

/** How an engine writes a migration: what is to change comes as data, and goes as its statements. */
export interface MigrationDialect {
  /** The `dialect` of drizzle.config.ts. */
  readonly name: string
  /** The statements that make these changes, in their order; each group under a comment that says what it does. */
  statements(groups: readonly ToldChanges[]): string[]
  /** A statement that fails where nothing has run the steps: another migrator would leave the values as they were. */
  consumeSteps(files: readonly string[]): string
  /** A statement that changes nothing: Drizzle's migrator runs no empty file. */
  readonly nothing: string
  /** Whether a statement can hold a word, as a text and as the name of a field. */
  isWritable(word: string): boolean
  /** Whether a module exports it for drizzle-kit as a table of this engine. */
  isTable(exported: unknown): exported is DeclaredTable
  /** Whether it exports it for drizzle-kit at all: a table, or what tables are made with. */
  isDeclared(exported: unknown): boolean
  /** The function by which a schema module declares the tables of the database, and what it imports it from. */
  readonly declaredBy: readonly [name: string, module: string]
  /** The names of the indexes of a table. */
  indexNames(table: DeclaredTable): string[]
  /** The names of the indexes that the table of the values has, where it is declared with these collections. */
  declaredIndexNames(collections: readonly Pick<MigratedCollection, 'name' | 'indexes'>[]): string[]
  /**
   * What drizzle-kit changes in the tables since its last snapshot, mended. Throws a MigrationError for what it gets wrong.
   *
   * `tables`: what the schema modules export for drizzle-kit, by name. `last`: `null` for the first migration.
   */
  tableSql(
    root: string,
    tables: Readonly<Record<string, object>>,
    collections: readonly MigratedCollection[],
    last: DrizzleSnapshot | null,
  ): Promise<TableSql>
  /** In what a database that has had just these migrations would differ from what the last of them tells. */
  tryOut(migrations: readonly Migration[]): Promise<readonly Drift[]>
}
