import { MigrationError } from '../contract/errors.ts'
import { hashesOf, type Migration } from './migration.ts'
import type { Drift } from './migration-database.ts'

/**
 * A row of Drizzle's journal in a database: when the migration was generated, in milliseconds since the epoch, and the hash of its
 * SQL.
 */
export interface AppliedMigration {
  readonly when: number
  readonly hash: unknown
}

/** What a database knows of the migrations that it has had. */
export interface MigrationHistory {
  /** `null` if there is no journal. */
  readonly applied: readonly AppliedMigration[] | null
  /** Whether it has the table of values. */
  readonly hasTables: boolean
}

/**
 * The migrations that a database has not had yet. Throws a MigrationError if the database is newer than the folder, if the folder
 * lacks a migration or has one in between, or if the tables were created without migrations.
 */
export function pendingOf(
  { applied, hasTables }: MigrationHistory,
  migrations: readonly Migration[],
): readonly Migration[] {
  if (applied === null || applied.length === 0) {
    if (hasTables) {
      throw new MigrationError(
        'The database was created without migrations: take it over with "valkeyrie migrate --baseline", or baseline: true in a program',
      )
    }
    return migrations
  }
  const times = applied.map(({ when }) => when)
  const known = new Set(migrations.map(({ drizzle }) => drizzle.folderMillis))
  const newest = Math.max(...times)
  const unknown = times.filter((time) => !known.has(time))
  if (unknown.some((time) => time > (migrations.at(-1)?.drizzle.folderMillis ?? 0))) {
    throw new MigrationError(
      `The database is newer than this code: it has had ${unknown.length === 1 ? 'a migration' : `${unknown.length} migrations`} that the folder does not hold. Deploy the code that made them`,
    )
  }
  if (unknown.length > 0) {
    throw new MigrationError(
      'The database has had a migration that is no longer in the folder: restore the file from version control',
    )
  }
  const done = new Set(times)
  const pending = migrations.filter(({ drizzle }) => !done.has(drizzle.folderMillis))
  const late = pending.find(({ drizzle }) => drizzle.folderMillis < newest)
  if (late !== undefined) {
    throw new MigrationError(
      `${late.tag} comes before a migration that the database has already had, so it would be skipped: generate it again after the others`,
    )
  }
  return pending
}

/** The migrations that the database has had. */
export function appliedOf(
  { applied }: MigrationHistory,
  migrations: readonly Migration[],
): readonly Migration[] {
  const times = new Set(applied?.map(({ when }) => when))
  return migrations.filter(({ drizzle }) => times.has(drizzle.folderMillis))
}

/** How a database compares with migrations, regardless of their order. */
export interface HistoryStanding {
  readonly applied: readonly string[]
  readonly pending: readonly string[]
  /** Why these migrations do not lead to this database; `null` if they do. */
  readonly history: string | null
  /** Those that the database has had with a different text. */
  readonly edited: readonly Drift[]
}

export function historyStanding(
  history: MigrationHistory,
  migrations: readonly Migration[],
): HistoryStanding {
  const applied = appliedOf(history, migrations).map(({ tag }) => tag)
  const edited = editedOf(history, migrations).map(({ tag }): Drift => {
    const message = `${tag} was edited after this database had it: restore it, and generate a new migration`
    return { kind: 'history', name: tag, message }
  })
  try {
    const pending = pendingOf(history, migrations).map(({ tag }) => tag)
    return { applied, pending, history: null, edited }
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error
    return { applied, pending: [], history: error.message, edited }
  }
}

/** Line ends do not count: a checkout may change them. */
function editedOf({ applied }: MigrationHistory, migrations: readonly Migration[]): readonly Migration[] {
  const hashes = new Map(applied?.map(({ when, hash }) => [when, hash]))
  return migrations.filter((migration) => {
    const hash = hashes.get(migration.drizzle.folderMillis)
    return typeof hash === 'string' && !hashesOf(migration).includes(hash)
  })
}
