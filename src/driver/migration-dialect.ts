import type { ToldChanges } from '../catalog/stored-change.ts'
import type { MigratedCollection, Migration, TableLoss } from './migration.ts'
import type { DeclaredTable, Drift } from './migration-database.ts'

/** drizzle-kit's description of the tables after a migration. */
export interface DrizzleSnapshot {
  /** The version of its format. */
  readonly version: string
  readonly id: string
}

/** The statements that change the tables, in order: first drops, then creations, indexes last. */
export interface TableSql {
  readonly snapshot: DrizzleSnapshot
  readonly drop: readonly string[]
  readonly tables: readonly string[]
  readonly indexes: readonly string[]
  /** Those of `tables` that change tables of the user's own. */
  readonly others: readonly string[]
  /** Whether they build a unique index. */
  readonly buildsUnique: boolean
  /** The names of indexes that they only build again, because the last migration made them otherwise. */
  readonly renewed: readonly string[]
  /** What they remove for good. */
  readonly losses: readonly TableLoss[]
}

/** The collections before a migration, and after it. */
export interface CollectionsOfMigration {
  readonly last: readonly MigratedCollection[]
  readonly next: readonly MigratedCollection[]
}

/** How an engine writes a migration: changes come in as data, and go out as statements. */
export interface MigrationDialect {
  /** The `dialect` of drizzle.config.ts. */
  readonly name: string
  /** The statements for these changes, in their order; each group is under a comment that says what it does. */
  statements(groups: readonly ToldChanges[]): string[]
  /** A statement that fails if no steps were run: another migrator would leave the values unconverted. */
  consumeSteps(files: readonly string[]): string
  /** A statement that changes nothing, because Drizzle's migrator cannot run an empty file. */
  readonly nothing: string
  /** Whether SQL can contain a word, as a text and as the name of a field. */
  isWritable(word: string): boolean
  /** Whether an export is a table of this engine for drizzle-kit. */
  isTable(exported: unknown): exported is DeclaredTable
  /** Whether an export is for drizzle-kit at all: a table, or something that tables are made with. */
  isDeclared(exported: unknown): boolean
  /** The function with which a schema module declares the tables of the database, and the module to import it from. */
  readonly declaredBy: readonly [name: string, module: string]
  /** The names of the indexes of a table. */
  indexNames(table: DeclaredTable): string[]
  /** The names of the indexes of the table of values, if it is declared with these collections. */
  declaredIndexNames(collections: readonly Pick<MigratedCollection, 'name' | 'indexes'>[]): string[]
  /**
   * The changes of the tables since drizzle-kit's last snapshot, corrected. Throws a MigrationError for what drizzle-kit gets
   * wrong. `tables`: what the schema modules export for drizzle-kit, by name. `collections`: those after the migration, and those
   * of the last one. `last`: `null` for the first migration.
   */
  tableSql(
    root: string,
    tables: Readonly<Record<string, object>>,
    collections: CollectionsOfMigration,
    last: DrizzleSnapshot | null,
  ): Promise<TableSql>
  /** How a database that has had exactly these migrations would differ from the last of them. */
  tryOut(migrations: readonly Migration[]): Promise<readonly Drift[]>
}
