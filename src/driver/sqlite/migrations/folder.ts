import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator'
import { MigrationError } from '../../../errors.ts'

/** A collection as a migration leaves it. */
export interface MigratedCollection {
  readonly name: string
  /** The pattern as `kv_collections` holds it: `["users","*"]`. */
  readonly pattern: string
  readonly schema: object | null
  readonly indexes: readonly { readonly fields: readonly string[]; readonly unique: boolean }[]
  /** Fields that hold the id of a row of another collection, and its name; a migration of an older release tells none. */
  readonly references?: { readonly [field: string]: string }
}

/** A TypeScript file that makes new values of a collection's old ones. */
export interface MigrationStep {
  /** The file's name in the folder of migrations. */
  readonly file: string
  /** The collection's name before the migration, and after it. */
  readonly from: string
  readonly to: string
}

/** A field that goes from the values of a collection; `path` are the names that lead to it. */
export interface FieldLoss {
  readonly collection: string
  readonly path: readonly string[]
}

/** A table of the user's that goes, or a column of one. */
export interface TableLoss {
  readonly table: string
  readonly column: string | null
}

/** A loss of data that was agreed to when the migration was generated: how many rows is told before it is applied. */
export type MigrationLoss = FieldLoss | TableLoss

/**
 * What stands beside the SQL of a migration, as `0001_rename.values.json`: what drizzle-kit's snapshot of the tables does not tell.
 */
export interface ValueSnapshot {
  readonly collections: readonly MigratedCollection[]
  readonly steps: readonly MigrationStep[]
  readonly losses: readonly MigrationLoss[]
}

/** A migration of the folder. */
export interface Migration {
  /** `0001_rename-name` */
  readonly tag: string
  readonly drizzle: MigrationMeta
  readonly snapshot: ValueSnapshot
}

/** Where Drizzle's migrator takes a file apart. */
export const breakpoint = '--> statement-breakpoint'

interface Journal {
  readonly entries: readonly { readonly tag: string }[]
}

/**
 * The migrations of a folder in their order. One that drizzle-kit made by itself has the collections of the one before.
 * Throws a MigrationError where the folder is none of drizzle-kit's.
 */
export function readMigrations(folder: string): Migration[] {
  const journal = join(folder, 'meta/_journal.json')
  if (!existsSync(journal)) {
    throw new MigrationError(`There are no migrations in ${folder}: run "valkeyrie generate" first`)
  }
  try {
    const { entries } = JSON.parse(readFileSync(journal, 'utf8')) as Journal
    const files = readMigrationFiles({ migrationsFolder: folder })
    let collections: readonly MigratedCollection[] = []
    return entries.map(({ tag }, at) => {
      const snapshot = readSnapshot(join(folder, snapshotFile(tag))) ?? { collections, steps: [], losses: [] }
      collections = snapshot.collections
      return { tag, drizzle: files[at]!, snapshot }
    })
  } catch (error) {
    throw new MigrationError(`The migrations in ${folder} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function readSnapshot(file: string): ValueSnapshot | null {
  if (!existsSync(file)) return null
  try {
    const snapshot: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (isSnapshot(snapshot)) return snapshot
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new TypeError(`${file} is no snapshot`)
}

export function isSnapshot(value: unknown): value is ValueSnapshot {
  const { collections, steps, losses } = (value ?? {}) as Partial<ValueSnapshot>
  return [collections, steps, losses].every(Array.isArray)
}

/** A migration that is made of its parts, as Drizzle reads one from its file. */
export function migrationOf(tag: string, when: number, sql: string, snapshot: ValueSnapshot): Migration {
  const hash = createHash('sha256').update(sql).digest('hex')
  return { tag, snapshot, drizzle: { sql: sql.split(breakpoint), folderMillis: when, hash, bps: true } }
}

/** The SQL of a migration, as its file has it. */
export function sqlOf({ drizzle }: Migration): string {
  return drizzle.sql.join(breakpoint)
}

/** The snapshot's file in the folder. Not in `meta/`: drizzle-kit takes every file there for its own. */
export function snapshotFile(tag: string): string {
  return `${tag}.values.json`
}
