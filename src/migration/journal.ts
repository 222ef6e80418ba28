import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MigrationError } from '../contract/errors.ts'
import type { DrizzleSnapshot } from '../driver/migration-dialect.ts'

/** drizzle-kit's list of the migrations of a folder. */
export interface Journal {
  readonly version: string
  readonly dialect: string
  readonly entries: readonly JournalEntry[]
}

export interface JournalEntry {
  readonly idx: number
  readonly version: string
  readonly when: number
  readonly tag: string
  readonly breakpoints: boolean
}

export const journalFile = 'meta/_journal.json'

/** The journal of a folder of migrations, without entries if there is none. Throws a MigrationError if it has another dialect. */
export function readJournal(migrations: string, dialect: string): Journal {
  const file = join(migrations, journalFile)
  if (!existsSync(file)) return { version: '7', dialect, entries: [] }
  const journal = readJson(file) as Journal
  if (!Array.isArray(journal.entries)) throw new MigrationError(`${file} is not a journal of drizzle-kit`)
  if (journal.entries.length > 0 && journal.dialect !== dialect)
    throw new MigrationError(
      `The migrations in ${migrations} are for ${journal.dialect}, but drizzle.config.ts is for ${dialect}: give each its own folder`,
    )
  return journal
}

/** drizzle-kit's snapshot of the tables after the last migration; `null` if there is no migration. */
export function lastSnapshot(migrations: string, { entries }: Journal): DrizzleSnapshot | null {
  const last = entries.at(-1)
  return last === undefined ? null : (readJson(join(migrations, tablesFile(last.idx))) as DrizzleSnapshot)
}

/** The file of the snapshot of the tables: `meta/0001_snapshot.json`. */
export function tablesFile(idx: number): string {
  return `meta/${numberOf(idx)}_snapshot.json`
}

/** `0001` */
export function numberOf(idx: number): string {
  return String(idx).padStart(4, '0')
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new MigrationError(`${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
