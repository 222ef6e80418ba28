import { createHash } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type MigratedCollection,
  type Migration,
  type MigrationStep,
  readMigrations,
  snapshotFile,
  type ValueSnapshot,
} from '../driver/sqlite/migrations/folder.ts'
import { MigrationDatabase } from '../driver/sqlite/migrations/migration-database.ts'
import { stagingTable } from '../driver/sqlite/migrations/staged-step.ts'
import { MigrationError } from '../errors.ts'
import { collectionSql } from './collection-sql.ts'
import { type CollectionComparison, compareCollections } from './compare-collections.ts'
import { defaultsOf } from './defaults.ts'
import { journalFile, lastSnapshot, numberOf, readJournal, tablesFile } from './journal.ts'
import { lossError, lossesOf } from './losses.ts'
import { collectionsOf, type Project } from './project.ts'
import { type Ask, RenameDecisions } from './renames.ts'
import { stepTemplate } from './step-template.ts'
import { type DrizzleSnapshot, tableSql } from './table-sql.ts'

export interface GenerateOptions {
  readonly name?: string | undefined
  readonly renames: readonly string[]
  readonly acceptDataLoss: boolean
  /** A database in which the rows that would lose something are counted. */
  readonly database?: string | undefined
  /** Asks what looks like a rename; left out where nobody can be asked. */
  readonly ask?: Ask | undefined
  /** Is told what a person should know of the migration that is written. */
  readonly tell?: ((text: string) => void) | undefined
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

const breakpoint = '--> statement-breakpoint'

/**
 * Compares the declared schemas with the last snapshot and writes one migration of what differs, after it was tried on an empty
 * database. `null` where nothing differs. Throws a MigrationError for a loss of data that is not accepted.
 */
export async function generate(project: Project, options: GenerateOptions): Promise<Generated | null> {
  checkName(options.name)
  const journal = readJournal(project.migrations)
  const migrations = journal.entries.length === 0 ? [] : readMigrations(project.migrations)
  const last = migrations.at(-1)?.snapshot.collections ?? []
  const collections = collectionsOf(project.definitions)
  tellUntold(collections, options)
  const decisions = new RenameDecisions(options.renames, options.ask)
  const comparison = await compareCollections(last, collections, decisions, (name) =>
    defaultsOf(project.definitions.find((it) => it.name === name)!.schema),
  )
  decisions.checkUsed()
  const before = lastSnapshot(project.migrations, journal)
  const tables = await tableSql(project.root, project.exports, collections, before)
  const ddl = [...tables.drop, ...tables.tables, ...tables.indexes]
  if (comparison.same && ddl.length === 0) return null

  const losses = [...lossesOf(comparison), ...tables.losses]
  if (losses.length > 0 && !options.acceptDataLoss)
    throw await lossError(losses, decisions.undecided, options.database)
  for (const text of decisions.undecided) options.tell?.(`Not taken for a rename: --rename ${text}`)

  const first = migrations.length === 0
  const idx = (journal.entries.at(-1)?.idx ?? -1) + 1
  const tag = `${numberOf(idx)}_${options.name ?? nameOf(comparison, first)}`
  const stepped = comparison.kept.filter(({ reasons }) => reasons.length > 0)
  const steps: MigrationStep[] = stepped.map(({ last, next }) => ({
    file: `${tag}.${next.name}.ts`,
    from: last.name,
    to: next.name,
  }))
  const unique = tables.indexes.some((statement) => statement.startsWith('CREATE UNIQUE'))
  const statements = [
    ...(steps.length === 0 ? [] : [consumeSteps(steps)]),
    ...tables.drop,
    ...tables.tables,
    ...(first ? [] : collectionSql(comparison, collections, unique)),
    ...tables.indexes,
  ]
  // A collection without indexes adds no statement, and Drizzle's migrator runs no empty file.
  if (statements.length === 0) statements.push('UPDATE kv_collections SET name = name WHERE false')
  const sql = `${statements.map((statement) => `${statement};`).join(`\n${breakpoint}\n`)}\n`
  const when = Math.max(options.now ?? Date.now(), (journal.entries.at(-1)?.when ?? 0) + 1)
  const snapshot: ValueSnapshot = { collections, steps, losses }
  await tryOut(migrations, { tag, snapshot, drizzle: meta(sql, when) })

  const entry = { idx, version: '6', when, tag, breakpoints: true }
  mkdirSync(join(project.migrations, 'meta'), { recursive: true })
  const files = new Map<string, string>([
    [`${tag}.sql`, sql],
    [tablesFile(idx), json(pinned(tables.snapshot, sql, when))],
    [snapshotFile(tag), json(snapshot)],
    ...steps.map(({ file }, at) => [file, stepTemplate(file, stepped[at]!)] as const),
    // Last: what the journal does not name is no migration yet.
    [journalFile, json({ ...journal, entries: [...journal.entries, entry] })],
  ])
  for (const [name, text] of files) {
    const path = join(project.migrations, name)
    writeFileSync(`${path}.new`, text)
    renameSync(`${path}.new`, path)
  }
  return { tag, files: [...files.keys()], steps: steps.map(({ file }) => file) }
}

function tellUntold(collections: readonly MigratedCollection[], { tell }: GenerateOptions): void {
  for (const { name, schema } of collections) {
    if (schema === null)
      tell?.(`The schema of ${name} tells no JSON Schema, so that a change of its values is not seen`)
  }
}

/** Fails where nothing has run the steps: another migrator than this one would leave the values as they were. */
function consumeSteps(steps: readonly MigrationStep[]): string {
  const files = steps.map(({ file }) => file).join(', ')
  return `-- The values that ${files} makes: "valkeyrie migrate" runs it, and no other migrator does.\nDROP TABLE "${stagingTable}"`
}

/** Throws a MigrationError where the migrations do not lead to what their last snapshot tells. */
async function tryOut(migrations: readonly Migration[], added: Migration): Promise<void> {
  const db = await MigrationDatabase.open(':memory:')
  try {
    const all = [...migrations, added]
    for (const migration of all) await db.apply(all, migration)
    const drift = db.drift(added.snapshot.collections)
    if (drift.length > 0)
      throw new MigrationError(`The migration would not lead to the schema: ${drift.join('; ')}`)
  } finally {
    db.close()
  }
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

function checkName(name: string | undefined): void {
  if (name === undefined || /^[\w-]+$/.test(name)) return
  throw new MigrationError(`--name ${name} becomes the name of a file: give letters, digits, - and _`)
}

function nameOf({ kept, added, removed }: CollectionComparison, first: boolean): string {
  if (first) return 'initial'
  const changed = kept.filter(
    ({ last, next, changes, reasons }) => changes.length + reasons.length > 0 || last.name !== next.name,
  )
  const names = [...changed.map(({ next }) => next), ...added, ...removed].map(({ name }) => name)
  if (names.length === 0) return 'schemas'
  return names
    .slice(0, 3)
    .join('_')
    .replace(/[^\w-]/g, '')
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
