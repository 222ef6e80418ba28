import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { type Migration, readMigrations } from '../driver/sqlite/migrations/folder.ts'
import { MigrationDatabase } from '../driver/sqlite/migrations/migration-database.ts'
import type { StagedStep } from '../driver/sqlite/migrations/staged-step.ts'
import { MigrationError } from '../errors.ts'
import { keyLabel } from './key-label.ts'
import type { Project } from './project.ts'
import { type LoadedStep, loadSteps, restage, stageStep } from './step.ts'
import { jsonPath } from './value-sql.ts'

export interface MigrateOptions {
  readonly path: string
  /** Copy the database first. */
  readonly backup: boolean
  /** A file for the rows that a step cannot convert; they stay as they are. Without it, nothing of the step is applied. */
  readonly skipInvalid?: string | undefined
  /** Take over a database that was created without migrations: the last migration whose schema it has, `true` for the first. */
  readonly baseline?: string | true | undefined
  readonly report: Report
}

/** Where a command tells what it does. */
export interface Report {
  line(text: string): void
  progress(task: string, done: number, total: number): void
}

const mostRounds = 100

/** Applies what is pending, each migration in a transaction of its own, and gives the tags of what was applied. */
export async function migrate(project: Project, options: MigrateOptions): Promise<string[]> {
  const { path, report } = options
  const migrations = readMigrations(project.migrations)
  const db = await MigrationDatabase.open(path)
  try {
    if (options.baseline !== undefined) await takeOver(db, migrations, options.baseline, report)
    const pending = await db.pending(migrations)
    // Before anything is changed: what has to be filled in.
    const steps = new Map<Migration, LoadedStep[]>()
    for (const migration of pending) steps.set(migration, await loadSteps(project, migration))
    if (pending.length > 0 && options.backup && db.hasTables()) await backUp(db, pending[0]!, report)
    for (const migration of pending) {
      tellLosses(db, migration, report)
      await apply(db, migrations, migration, steps.get(migration)!, options)
      report.line(`${migration.tag} applied`)
    }
    return pending.map(({ tag }) => tag)
  } finally {
    db.close()
  }
}

async function takeOver(
  db: MigrationDatabase,
  migrations: readonly Migration[],
  baseline: string | true,
  report: Report,
): Promise<void> {
  const last = baseline === true ? 0 : migrations.findIndex(({ tag }) => tag === baseline)
  if (last < 0 || migrations.length === 0) {
    const tags = migrations.map(({ tag }) => tag).join(', ')
    throw new MigrationError(`--baseline ${baseline} is no migration: there are ${tags || 'none'}`)
  }
  await db.baseline(migrations.slice(0, last + 1))
  report.line(`taken over as a database that has had ${migrations[last]!.tag}`)
}

async function backUp(db: MigrationDatabase, { tag }: Migration, report: Report): Promise<void> {
  const path = `${db.path}.before-${tag}`
  rmSync(`${path}.partial`, { force: true })
  await db.backup(`${path}.partial`, (done, total) => report.progress('backup', done, total))
  renameSync(`${path}.partial`, path)
  report.line(`backup in ${path}`)
}

function tellLosses(db: MigrationDatabase, { snapshot }: Migration, report: Report): void {
  for (const { collection, field } of snapshot.losses) {
    const rows = db.countField(collection, jsonPath(field.split('.')))
    if (rows > 0) report.line(`${collection}.${field} is removed from ${rows} rows`)
  }
}

async function apply(
  db: MigrationDatabase,
  migrations: readonly Migration[],
  migration: Migration,
  steps: readonly LoadedStep[],
  { skipInvalid, report }: MigrateOptions,
): Promise<void> {
  const staged: StagedStep[] = []
  if (db.hasTables()) {
    for (const step of steps) {
      staged.push(await stageStep(db, step, (done, total) => report.progress(step.file, done, total)))
    }
  }
  for (let round = 0; ; round++) {
    await checkFailures(db, staged, steps, skipInvalid, report)
    if (await db.apply(migrations, migration, staged)) return
    if (round === mostRounds)
      throw new MigrationError(`${migration.tag}: others write faster than its steps run: stop them`)
    for (const [at, step] of staged.entries()) await restage(db, step, steps[at]!)
  }
}

async function checkFailures(
  db: MigrationDatabase,
  staged: readonly StagedStep[],
  steps: readonly LoadedStep[],
  skipInvalid: string | undefined,
  report: Report,
): Promise<void> {
  const failures = staged.flatMap((step, at) =>
    step
      .failures()
      .map((failure) => ({ ...failure, step, file: steps[at]!.file, collection: steps[at]!.from })),
  )
  if (failures.length === 0) return
  if (skipInvalid === undefined) {
    // Made anew next time: what failed may have been mended in the data, or in what the step imports.
    await db.run(() => staged[0]!.discard())
    for (const { key, error } of failures) report.line(`${keyLabel(key)}: ${error}`)
    const files = [...new Set(failures.map(({ file }) => file))].join(', ')
    const rows = failures.length === 1 ? '1 row' : `${failures.length} rows`
    throw new MigrationError(
      `${files} cannot convert ${rows}, so nothing of it was applied: mend them or the step, or leave them as they are with --skip-invalid <file>`,
    )
  }
  const lines = failures.map(({ key, error, collection, step }) => {
    const { value, encoding, types } = step.read(key)!
    const stored = typeof value === 'string' ? JSON.parse(value) : Buffer.from(value).toString('hex')
    return `${JSON.stringify({ collection, key: keyLabel(key), keyHex: Buffer.from(key).toString('hex'), error, value: stored, encoding, types: types && JSON.parse(types) })}\n`
  })
  writeFileSync(skipInvalid, lines.join(''))
  report.line(`${failures.length} rows stay as they are, and are in ${skipInvalid}`)
}
