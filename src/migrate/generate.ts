import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Migration,
  type MigrationLoss,
  type MigrationStep,
  readMigrations,
  snapshotFile,
  type ValueSnapshot,
} from '../driver/sqlite/migrations/folder.ts'
import { MigrationDatabase } from '../driver/sqlite/migrations/migration-database.ts'
import { MigrationError } from '../errors.ts'
import { collectionSql } from './collection-sql.ts'
import { type CollectionComparison, compareCollections } from './compare-collections.ts'
import { defaultsOf } from './defaults.ts'
import { collectionsOf, type Project } from './project.ts'
import { type Ask, RenameDecisions } from './rename-decisions.ts'
import { stepTemplate } from './step-template.ts'
import { type DrizzleSnapshot, tableSql } from './table-sql.ts'
import { pathText } from './value-change.ts'
import { jsonPath, removeExpired } from './value-sql.ts'

export interface GenerateOptions {
  readonly name?: string | undefined
  readonly renames: readonly string[]
  readonly acceptDataLoss: boolean
  /** A database in which the rows that would lose something are counted. */
  readonly database?: string | undefined
  /** Asks what looks like a rename; left out where nobody can be asked. */
  readonly ask?: Ask | undefined
  /** The time of the migration, in milliseconds since the epoch. Default: the present. */
  readonly now?: number | undefined
}

/** The files written, by their names in the folder of migrations; none where nothing has changed. */
export interface Generated {
  readonly tag: string
  readonly files: readonly string[]
  /** Those that have to be filled in. */
  readonly steps: readonly string[]
}

interface Journal {
  readonly version: string
  readonly dialect: string
  readonly entries: {
    readonly idx: number
    readonly version: string
    readonly when: number
    readonly tag: string
    readonly breakpoints: boolean
  }[]
}

const breakpoint = '--> statement-breakpoint'

/**
 * Compares the declared schemas with the last snapshot and writes one migration of what differs, after it was tried on an empty
 * database. `null` where nothing differs. Throws a MigrationError for a loss of data that is not accepted.
 */
export async function generate(project: Project, options: GenerateOptions): Promise<Generated | null> {
  const journal = readJournal(project)
  const migrations = journal.entries.length === 0 ? [] : readMigrations(project.migrations)
  const last = migrations.at(-1)?.snapshot.collections ?? []
  const collections = collectionsOf(project.definitions)
  const decisions = new RenameDecisions(options.renames, options.ask)
  const comparison = await compareCollections(last, collections, decisions.decide, (name) =>
    defaultsOf(project.definitions.find((it) => it.name === name)!.schema),
  )
  decisions.checkUsed()
  const tables = await tableSql(project.root, project.exports, collections, lastSnapshot(project, journal))
  const ddl = [...tables.drop, ...tables.tables, ...tables.indexes]
  if (comparison.same && ddl.length === 0) return null

  const losses = lossesOf(comparison)
  if (losses.length > 0 && !options.acceptDataLoss)
    throw await lossError(losses, decisions.undecided, options.database)
  const first = last.length === 0 && migrations.length === 0
  const unique = tables.indexes.some((statement) => statement.startsWith('CREATE UNIQUE'))
  const statements = [
    ...tables.drop,
    ...tables.tables,
    ...(first ? [] : collectionSql(comparison, collections)),
    ...(unique && !first ? removeExpired : []),
    ...tables.indexes,
  ]
  const idx = journal.entries.length
  const tag = `${String(idx).padStart(4, '0')}_${nameOf(options.name, comparison, first)}`
  const stepped = comparison.kept.filter(({ reasons }) => reasons.length > 0)
  const steps: MigrationStep[] = stepped.map(({ last, next }) => ({
    file: `${tag}.${next.name}.ts`,
    from: last.name,
    to: next.name,
  }))
  const snapshot: ValueSnapshot = { collections, steps, losses }
  // A collection without indexes adds no statement, and Drizzle's migrator runs no empty file.
  const all = statements.length > 0 ? statements : ['UPDATE kv_collections SET name = name WHERE false']
  const sql = `${all.map((statement) => `${statement};`).join(`\n${breakpoint}\n`)}\n`
  const when = Math.max(options.now ?? Date.now(), (journal.entries.at(-1)?.when ?? 0) + 1)
  await tryOut(migrations, { tag, snapshot, drizzle: meta(sql, when) })

  const entry = { idx, version: '6', when, tag, breakpoints: true }
  mkdirSync(join(project.migrations, 'meta'), { recursive: true })
  const files = new Map<string, string>([
    [`${tag}.sql`, sql],
    [`meta/${String(idx).padStart(4, '0')}_snapshot.json`, json(pinned(tables.snapshot, sql, when))],
    [snapshotFile(tag), json(snapshot)],
    ...steps.map(({ file }, at) => [file, stepTemplate(file, stepped[at]!)] as const),
    // Last: what the journal does not name is no migration yet.
    ['meta/_journal.json', json({ ...journal, entries: [...journal.entries, entry] })],
  ])
  for (const [name, text] of files) {
    const path = join(project.migrations, name)
    writeFileSync(`${path}.new`, text)
    renameSync(`${path}.new`, path)
  }
  return { tag, files: [...files.keys()], steps: steps.map(({ file }) => file) }
}

function lossesOf({ kept }: CollectionComparison): MigrationLoss[] {
  return kept.flatMap(({ last, changes }) =>
    changes
      .filter(({ type }) => type === 'remove')
      .map(({ path }) => ({ collection: last.name, field: pathText(path) })),
  )
}

async function lossError(
  losses: readonly MigrationLoss[],
  undecided: readonly string[],
  database: string | undefined,
): Promise<MigrationError> {
  const rows = await countLosses(losses, database)
  const lines = losses.map(
    ({ collection, field }, at) => `${collection}.${field}${rows === null ? '' : ` (${rows[at]} rows)`}`,
  )
  const count = rows === null ? ' Name the database with --database to see in how many rows.' : ''
  const renames = undecided.map((text) => ` If it has another name now: --rename ${text}`).join('')
  return new MigrationError(
    `Stored values would lose ${lines.join(', ')}: agree with --accept-data-loss.${count}${renames}`,
  )
}

/** How many rows have each of the fields; `null` without a database. */
async function countLosses(
  losses: readonly MigrationLoss[],
  database: string | undefined,
): Promise<number[] | null> {
  if (database === undefined || !MigrationDatabase.exists(database)) return null
  const db = await MigrationDatabase.open(database, true)
  try {
    return losses.map(({ collection, field }) => db.countField(collection, jsonPath(field.split('.'))))
  } finally {
    db.close()
  }
}

/** Throws a MigrationError where the migrations do not lead to what their last snapshot tells. */
async function tryOut(migrations: readonly Migration[], added: Migration): Promise<void> {
  const db = await MigrationDatabase.open(':memory:')
  try {
    const all = [...migrations, added]
    for (const migration of all) await db.apply(all, migration, [])
    const drift = db.drift(added.snapshot.collections)
    if (drift.length > 0)
      throw new MigrationError(`The migration would not lead to the schema: ${drift.join('; ')}`)
  } finally {
    db.close()
  }
}

function readJournal({ migrations }: Project): Journal {
  const file = join(migrations, 'meta/_journal.json')
  if (!existsSync(file)) return { version: '7', dialect: 'sqlite', entries: [] }
  return JSON.parse(readFileSync(file, 'utf8'))
}

function lastSnapshot({ migrations }: Project, { entries }: Journal): DrizzleSnapshot | null {
  const idx = entries.at(-1)?.idx
  if (idx === undefined) return null
  return JSON.parse(
    readFileSync(join(migrations, 'meta', `${String(idx).padStart(4, '0')}_snapshot.json`), 'utf8'),
  )
}

/** Gives a snapshot an id that is the same each time, for a random one would make every generated file differ. */
function pinned(snapshot: DrizzleSnapshot, sql: string, when: number): DrizzleSnapshot {
  const hex = createHash('sha256').update(`${when}\n${sql}`).digest('hex')
  const id = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-')
  return { ...snapshot, id }
}

function meta(sql: string, when: number): Migration['drizzle'] {
  const hash = createHash('sha256').update(sql).digest('hex')
  return { sql: sql.split(breakpoint), folderMillis: when, hash, bps: true }
}

function nameOf(
  given: string | undefined,
  { kept, added, removed }: CollectionComparison,
  first: boolean,
): string {
  if (given !== undefined) {
    if (/^[\w-]+$/.test(given)) return given
    throw new MigrationError(`--name ${given} becomes the name of a file: give letters, digits, - and _`)
  }
  if (first) return 'initial'
  const changed = kept.filter(({ changes, reasons }) => changes.length + reasons.length > 0)
  const names = [...changed.map(({ next }) => next), ...added, ...removed].map(({ name }) => name)
  return names.length === 0
    ? 'schemas'
    : names
        .slice(0, 3)
        .join('_')
        .replace(/[^\w-]/g, '')
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
