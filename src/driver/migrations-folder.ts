import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MigrationError } from '../contract/errors.ts'
import { parseJson } from '../value/parse-json.ts'
import {
  assertDialect,
  isSnapshot,
  type MigratedCollection,
  type Migration,
  migrationOf,
  snapshotFile,
  type ValueSnapshot,
} from './migration.ts'

interface Journal {
  readonly dialect?: string
  readonly entries: readonly { readonly tag: string; readonly when: number }[]
}

/**
 * The migrations of a folder, in their order. A migration that drizzle-kit made on its own keeps the collections of the one before.
 * Throws a MigrationError if this is not a folder of drizzle-kit, or if its dialect is not the expected one.
 */
export function readMigrations(folder: string, dialect?: string): Migration[] {
  const migrations = read(folder)
  if (dialect !== undefined) assertDialect(migrations, dialect)
  return migrations
}

function read(folder: string): Migration[] {
  const journal = join(folder, 'meta/_journal.json')
  if (!existsSync(journal)) {
    throw new MigrationError(`There are no migrations in ${folder}: run "valkeyrie generate" first`)
  }
  try {
    const { entries, dialect } = JSON.parse(readFileSync(journal, 'utf8')) as Journal
    let collections: readonly MigratedCollection[] = []
    return entries.map(({ tag, when }) => {
      const snapshot = readSnapshot(join(folder, snapshotFile(tag))) ?? { collections, steps: [], losses: [] }
      collections = snapshot.collections
      return migrationOf(tag, when, readFileSync(join(folder, `${tag}.sql`), 'utf8'), snapshot, dialect)
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
    const snapshot = parseJson(readFileSync(file, 'utf8'))
    if (isSnapshot(snapshot)) return snapshot
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new TypeError(`${file} is not a snapshot`)
}
