// Generating is one decision: all files of a migration follow from one comparison.
import { createHash } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MigrationError } from '../contract/errors.ts'
import {
  breakpoint,
  type MigratedCollection,
  type Migration,
  type MigrationLoss,
  type MigrationStep,
  migrationOf,
  snapshotFile,
  type ValueSnapshot,
} from '../driver/migration.ts'
import type { DrizzleSnapshot, MigrationDialect } from '../driver/migration-dialect.ts'
import { readMigrations } from '../driver/migrations-folder.ts'
import { collectionsOf } from './collections-of.ts'
import { type CollectionComparison, compareCollections, type KeptCollection } from './compare-collections.ts'
import { comparisonText } from './comparison-text.ts'
import { defaultsOf } from './defaults.ts'
import { journalFile, lastSnapshot, numberOf, readJournal, tablesFile } from './journal.ts'
import { type CountedIn, lossError, lossesOf } from './losses.ts'
import { changedIndex, moduleExtension } from './module-index.ts'
import type { Project } from './project.ts'
import { type Ask, RenameDecisions } from './renames.ts'
import { searchChanges } from './search-changes.ts'
import { stepTemplate } from './step-template.ts'
import { storedChanges } from './stored-changes.ts'

/** Also: the database in which to count the rows that would lose something. */
export interface GenerateOptions extends PlanOptions, CountedIn {
  readonly acceptDataLoss: boolean
}

export interface PlanOptions {
  readonly name?: string | undefined
  readonly renames: readonly string[]
  /** The repository whose values a program will change; the schemas stay as they are. */
  readonly custom?: string | undefined
  /** Asks about a possible rename; left out if nobody can be asked. */
  readonly ask?: Ask | undefined
  /** Gets what the user should know about the new migration. */
  readonly tell?: ((text: string) => void) | undefined
  /** The time of the migration, in milliseconds since the epoch. Default: now. */
  readonly now?: number | undefined
}

/** What was written. */
export interface Generated {
  /** `null` if only the index was written, because it no longer matched the migrations beside it. */
  readonly tag: string | null
  /** Their names in the folder of migrations. */
  readonly files: readonly string[]
  /** The steps that must be filled in. */
  readonly steps: readonly string[]
}

/** A migration that is not written yet. */
export interface PlannedMigration {
  /** `null` if only the index changes, because it no longer matches the migrations beside it. */
  readonly tag: string | null
  /** The texts of its files, by their names in the folder of migrations, in the order of writing. */
  readonly files: ReadonlyMap<string, string>
  /** The steps that must be filled in. */
  readonly steps: readonly string[]
  /** What it changes, as sentences. */
  readonly changes: readonly string[]
  readonly losses: readonly MigrationLoss[]
  /** Possible renames that were not made, because nobody could be asked. */
  readonly undecided: readonly string[]
}

/**
 * Writes one migration for the changes of the declared schemas, or the empty one of `custom`, and the index of the folder. `null`
 * if nothing has changed. Throws a MigrationError for a loss of data that is not accepted.
 */
export async function generate(project: Project, options: GenerateOptions): Promise<Generated | null> {
  const planned = await planMigration(project, options)
  if (planned === null) return null
  const { tag, files, steps, losses, undecided } = planned
  if (losses.length > 0 && !options.acceptDataLoss) throw await lossError(losses, undecided, options)
  for (const text of undecided) options.tell?.(`Not taken for a rename: --rename ${text}`)
  mkdirSync(join(project.migrations, 'meta'), { recursive: true })
  for (const [name, text] of files) replaceFile(join(project.migrations, name), text)
  return { tag, files: [...files.keys()], steps }
}

/**
 * Compares the declared schemas with the last snapshot, and makes one migration, which it tries out on an empty database. `null` if
 * nothing has changed, and the index of the folder matches its migrations.
 */
export async function planMigration(
  project: Project,
  options: PlanOptions,
): Promise<PlannedMigration | null> {
  checkName(options.name)
  const { dialect } = project
  const journal = readJournal(project.migrations, dialect.name)
  const migrations = journal.entries.length === 0 ? [] : readMigrations(project.migrations)
  const last = migrations.at(-1)?.snapshot.collections ?? []
  const collections = collectionsOf(project.definitions)
  tellUntold(collections, options)
  const decisions = new RenameDecisions(options.renames, options.ask)
  const comparison = await compareCollections(
    last,
    collections,
    decisions,
    (name) => defaultsOf(project.definitions.find((it) => it.name === name)!.schema),
    dialect.isWritable,
  )
  decisions.checkUsed()
  const before = lastSnapshot(project.migrations, journal)
  const tables = await dialect.tableSql(project.root, tablesOf(project), { last, next: collections }, before)
  const ddl = [...tables.drop, ...tables.tables, ...tables.indexes]
  const isSame = comparison.same && ddl.length === 0
  const { custom } = options
  if (custom === undefined && isSame) return planIndex(project.migrations, migrations)
  const stepped =
    custom === undefined
      ? comparison.kept.filter(({ reasons }) => reasons.length > 0)
      : [customStep(comparison, custom, isSame)]

  const first = migrations.length === 0
  const idx = (journal.entries.at(-1)?.idx ?? -1) + 1
  const tag = `${numberOf(idx)}_${options.name ?? nameOf(comparison, first, custom)}`
  const extension = moduleExtension(project.migrations)
  const steps: MigrationStep[] = stepped.map(({ last, next }) => ({
    file: `${tag}.${next.name}.${extension}`,
    from: last.name,
    to: next.name,
  }))
  const searches = searchChanges(last, collections)
  const statements = [
    ...(steps.length === 0 ? [] : [dialect.consumeSteps(steps.map(({ file }) => file))]),
    ...tables.drop,
    ...dialect.statements(searches.drop),
    ...tables.tables,
    ...(first ? [] : dialect.statements(storedChanges(comparison, collections, tables.buildsUnique))),
    ...tables.indexes,
    ...dialect.statements(searches.build),
  ]
  // A collection without indexes adds no statement.
  if (statements.length === 0) statements.push(dialect.nothing)
  const sql = `${statements.map((statement) => `${statement};`).join(`\n${breakpoint}\n`)}\n`
  const when = Math.max(options.now ?? Date.now(), (journal.entries.at(-1)?.when ?? 0) + 1)
  const losses = [...lossesOf(comparison), ...tables.losses]
  const snapshot: ValueSnapshot = { collections, steps, losses }
  const all = [...migrations, migrationOf(tag, when, sql, snapshot, dialect.name)]
  await assertLeadsToSchema(dialect, all)

  const entry = { idx, version: tables.snapshot.version, when, tag, breakpoints: true }
  const files = new Map<string, string>([
    [`${tag}.sql`, sql],
    [tablesFile(idx), json(pinned(tables.snapshot, sql, when))],
    [snapshotFile(tag), json(snapshot)],
    ...steps.map(({ file }, at) => [file, stepTemplate(file, stepped[at]!)] as const),
    // Last: a migration that the journal does not name does not exist yet.
    [journalFile, json({ ...journal, entries: [...journal.entries, entry] })],
    ...indexFiles(project.migrations, all),
  ])
  return {
    tag,
    files,
    steps: steps.map(({ file }) => file),
    changes: [
      ...comparisonText(comparison, tables),
      ...[...searches.drop, ...searches.build].map(({ told }) => told),
    ],
    losses,
    undecided: decisions.undecided,
  }
}

/** Made from the files beside the index: an SQL file may have been edited, and drizzle-kit may have added one. */
function planIndex(folder: string, migrations: readonly Migration[]): PlannedMigration | null {
  const files = migrations.length === 0 ? [] : indexFiles(folder, migrations)
  if (files.length === 0) return null
  return { tag: null, files: new Map(files), steps: [], changes: [], losses: [], undecided: [] }
}

function indexFiles(folder: string, migrations: readonly Migration[]): (readonly [string, string])[] {
  const index = changedIndex(folder, migrations)
  return index === null ? [] : [[index.file, index.text]]
}

/** The step of a migration that changes values, but no schema. */
function customStep({ kept }: CollectionComparison, repository: string, isSame: boolean): KeptCollection {
  const found = kept.find(({ next }) => next.name === repository)
  if (found === undefined) {
    const names = kept.map(({ next }) => next.name).join(', ')
    throw new MigrationError(
      `No migration has a repository ${repository}: ${names === '' ? 'run "valkeyrie generate" first' : `there are ${names}`}`,
    )
  }
  if (!isSame)
    throw new MigrationError(
      'The schemas have changed since the last migration: run "valkeyrie generate" first, then --custom',
    )
  return { ...found, reasons: ['the schema stays as it is'] }
}

function tellUntold(collections: readonly MigratedCollection[], { tell }: PlanOptions): void {
  for (const { name, schema } of collections) {
    if (schema === null)
      tell?.(`The schema of ${name} gives no JSON Schema, so a change of its values cannot be seen`)
  }
}

/** The exports of the schema modules for drizzle-kit, sorted by name, because their order depends on the loader. */
function tablesOf({ dialect, exports }: Project): Record<string, object> {
  const tables = Object.entries(exports).filter((it): it is [string, object] => dialect.isDeclared(it[1]))
  return Object.fromEntries(tables.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Throws a MigrationError if the migrations do not lead to the state of their last snapshot. */
async function assertLeadsToSchema(
  dialect: MigrationDialect,
  migrations: readonly Migration[],
): Promise<void> {
  const drift = await dialect.tryOut(migrations)
  if (drift.length === 0) return
  const differences = drift.map(({ message }) => message).join('; ')
  throw new MigrationError(`The migration would not lead to the schema: ${differences}`)
}

/** Gives a snapshot a constant id: a random one would make every generated file differ. */
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

function checkName(name: string | undefined): void {
  if (name === undefined || /^[\w-]+$/.test(name)) return
  throw new MigrationError(`--name ${name} becomes the name of a file: use letters, digits, - and _`)
}

function nameOf(
  { kept, added, removed }: CollectionComparison,
  first: boolean,
  custom: string | undefined,
): string {
  if (first) return 'initial'
  const changed = kept.filter(
    ({ last, next, changes, reasons }) => changes.length + reasons.length > 0 || last.name !== next.name,
  )
  const touched = [...changed.map(({ next }) => next), ...added, ...removed].map(({ name }) => name)
  const names = custom === undefined ? touched : [custom]
  if (names.length === 0) return 'schemas'
  return names
    .slice(0, 3)
    .join('_')
    .replace(/[^\w-]/g, '')
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

/** Writes a file so that it has its old text or its new one at any time. */
function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}
