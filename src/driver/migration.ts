import { createHash } from 'node:crypto'
import type { IndexDeclaration } from '../catalog/catalog.ts'
import { MigrationError } from '../contract/errors.ts'
import type { SearchDefinition } from '../schema/search-definition.ts'

/** A collection after a migration. */
export interface MigratedCollection {
  readonly name: string
  /** The pattern as in `kv_collections`: `["users","*"]`. */
  readonly pattern: string
  readonly schema: object | null
  /** Those of older releases do not say which bigints they keep in order: none, on SQLite. */
  readonly indexes: readonly IndexDeclaration[]
  /** Fields that hold the id of a row of another collection, with its name; migrations of older releases have none. */
  readonly references?: { readonly [field: string]: string }
  /** The search over its texts, if it has one. */
  readonly search?: readonly SearchDefinition[]
}

/** A TypeScript file that converts the values of a collection. */
export interface MigrationStep {
  /** The file's name in the folder of migrations. */
  readonly file: string
  /** The collection's name before the migration, and after it. */
  readonly from: string
  readonly to: string
}

/** A field that the values of a collection lose; `path` are the names that lead to it. */
export interface FieldLoss {
  readonly collection: string
  readonly path: readonly string[]
}

/** A table of the user's that is dropped, or a column of one. */
export interface TableLoss {
  readonly table: string
  readonly column: string | null
}

/**
 * A loss of data that was accepted when the migration was generated. How many rows it affects is reported before the migration is
 * applied.
 */
export type MigrationLoss = FieldLoss | TableLoss

/**
 * The file beside the SQL of a migration, such as `0001_rename.values.json`: what drizzle-kit's snapshot of the tables does not
 * contain.
 */
export interface ValueSnapshot {
  readonly collections: readonly MigratedCollection[]
  readonly steps: readonly MigrationStep[]
  readonly losses: readonly MigrationLoss[]
}

/** A migration. */
export interface Migration {
  /** `0001_rename-name` */
  readonly tag: string
  /** In the form of Drizzle's migrator. */
  readonly drizzle: {
    readonly sql: string[]
    readonly folderMillis: number
    readonly hash: string
    readonly bps: boolean
  }
  readonly snapshot: ValueSnapshot
  /** The `dialect` of drizzle.config.ts for its SQL. */
  readonly dialect: string
}

/** The dialect of a migration that names none. */
export const firstDialect = 'sqlite'

/** Throws a MigrationError if migrations are written for another engine. */
export function assertDialect(migrations: readonly Migration[], dialect: string): void {
  const other = migrations.find((it) => it.dialect !== dialect)
  if (other === undefined) return
  throw new MigrationError(
    `The migrations are written in the dialect ${other.dialect}, but this database uses ${dialect}: give drizzle.config.ts dialect: '${dialect}' and a separate out folder, and run "valkeyrie generate"`,
  )
}

/** Where Drizzle's migrator splits a file, even within a text. */
export const breakpoint = '--> statement-breakpoint'

export function isSnapshot(value: unknown): value is ValueSnapshot {
  const { collections, steps, losses } = (value ?? {}) as Partial<ValueSnapshot>
  return [collections, steps, losses].every(Array.isArray)
}

/** A migration made from its parts, as Drizzle reads one from its file. */
export function migrationOf(
  tag: string,
  when: number,
  sql: string,
  snapshot: ValueSnapshot,
  dialect = firstDialect,
): Migration {
  return {
    tag,
    snapshot,
    dialect,
    drizzle: { sql: sql.split(breakpoint), folderMillis: when, hash: hashOf(sql), bps: true },
  }
}

/** Drizzle's hashes of the SQL of a migration, for each kind of line end. */
export function hashesOf(migration: Migration): string[] {
  const lines = sqlOf(migration).split(/\r?\n/)
  return [migration.drizzle.hash, hashOf(lines.join('\n')), hashOf(lines.join('\r\n'))]
}

function hashOf(sql: string): string {
  return createHash('sha256').update(sql).digest('hex')
}

/** The SQL of a migration, as in its file. */
export function sqlOf({ drizzle }: Migration): string {
  return drizzle.sql.join(breakpoint)
}

/** The snapshot's file in the folder. Not in `meta/`, because drizzle-kit takes every file there for its own. */
export function snapshotFile(tag: string): string {
  return `${tag}.values.json`
}
