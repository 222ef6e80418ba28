import { freeName } from '../driver/sqlite/backup/free-name.ts'
import { type Migration, readMigrations } from '../driver/sqlite/migrations/folder.ts'
import { keyLabel } from '../driver/sqlite/migrations/key-label.ts'
import { MigrationDatabase } from '../driver/sqlite/migrations/migration-database.ts'
import { MigrationLock } from '../driver/sqlite/migrations/migration-lock.ts'
import { MigrationError } from '../errors.ts'
import { countLoss, lossText, rowsText } from './losses.ts'
import type { Project } from './project.ts'
import { type SkippedRow, SkippedRows } from './skipped-rows.ts'
import { catchUp, type LoadedStep, loadSteps, type RunningStep, restage, stageStep } from './step.ts'

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
  const taken = options.baseline === undefined ? [] : baselineOf(migrations, options.baseline)
  if (taken.length > 0 && !MigrationDatabase.exists(path))
    throw new MigrationError(`There is no database ${path} to take over: leave out --baseline`)
  const db = await MigrationDatabase.open(path)
  const skipped = options.skipInvalid === undefined ? null : new SkippedRows(options.skipInvalid, db.path)
  try {
    const lock = await MigrationLock.acquire(db.path, () => {
      report.line('another process migrates this database: waiting for it')
    })
    try {
      const run = { db, project, migrations, skipped, report }
      return await migrateLocked(run, taken, options.backup)
    } finally {
      lock.release()
    }
  } finally {
    skipped?.close()
    db.close()
  }
}

interface Run {
  readonly db: MigrationDatabase
  readonly project: Project
  readonly migrations: readonly Migration[]
  /** `null`: a row that cannot be converted fails its migration. */
  readonly skipped: SkippedRows | null
  readonly report: Report
}

async function migrateLocked(run: Run, taken: readonly Migration[], backup: boolean): Promise<string[]> {
  const { db, project, migrations, report } = run
  if (taken.length > 0) {
    await db.run(() => db.assertTakeable())
    if (backup) await backUp(db, `${db.path}.before-baseline`, taken, report)
    await db.baseline(taken)
    report.line(`taken over as a database that has had ${taken.at(-1)!.tag}`)
  }
  const pending = await db.pending(migrations)
  // Before anything is changed: what has to be filled in.
  const steps = new Map<Migration, LoadedStep[]>()
  for (const migration of pending) steps.set(migration, await loadSteps(project, migration))
  if ([...steps.values()].flat().length > 0) run.skipped?.assertWritable()
  if (pending.length > 0 && backup && taken.length === 0 && db.hasTables())
    await backUp(db, `${db.path}.before-${pending[0]!.tag}`, pending, report)
  for (const migration of pending) {
    tellLosses(run, migration)
    await apply(run, migration, steps.get(migration)!)
    report.line(`${migration.tag} applied`)
  }
  await db.tidy()
  return pending.map(({ tag }) => tag)
}

function baselineOf(migrations: readonly Migration[], baseline: string | true): readonly Migration[] {
  const last = baseline === true ? 0 : migrations.findIndex(({ tag }) => tag === baseline)
  if (last >= 0 && migrations.length > 0) return migrations.slice(0, last + 1)
  const tags = migrations.map(({ tag }) => tag).join(', ')
  throw new MigrationError(
    `--baseline ${baseline} is no migration: there are ${tags || 'none'}. A database is named before --baseline`,
  )
}

async function backUp(
  db: MigrationDatabase,
  name: string,
  pending: readonly Migration[],
  report: Report,
): Promise<void> {
  // A backup of an earlier run stays.
  const path = freeName(name)
  const made = await db.backup(path, pending, (done, total) => report.progress('backup', done, total))
  if (made) report.line(`backup in ${path}`)
}

function tellLosses({ db, report }: Run, { snapshot }: Migration): void {
  for (const loss of snapshot.losses) {
    const rows = countLoss(db, loss)
    if (rows === null) report.line(`${lossText(loss)} is removed`)
    else if (rows > 0) report.line(`${lossText(loss)} is removed from ${rowsText(rows)}`)
  }
}

async function apply(run: Run, migration: Migration, steps: readonly LoadedStep[]): Promise<void> {
  const { db, migrations, skipped, report } = run
  const running: RunningStep[] = []
  for (const step of db.hasTables() ? steps : []) {
    running.push(await stageStep(db, step, (done, total) => report.progress(step.file, done, total)))
  }
  let left: readonly SkippedRow[] = []
  const prepare = () => {
    if (!running.every(catchUp)) return false
    left = failuresOf(running)
    if (left.length > 0 && skipped === null) return false
    skipped?.write(migration.tag, left)
    for (const { rows } of running) rows.write()
    return true
  }
  for (let round = 0; ; round++) {
    const failures = skipped === null ? await db.run(() => failuresOf(running)) : []
    if (failures.length > 0) throw await refusal(run, running, failures)
    if (await db.apply(migrations, migration, prepare)) break
    if (round === mostRounds)
      throw new MigrationError(`${migration.tag}: others write faster than its steps run: stop them`)
    for (const step of running) await restage(db, step)
  }
  if (left.length > 0) report.line(`${rowsText(left.length)} left as before, and in ${skipped!.path}`)
}

function failuresOf(running: readonly RunningStep[]): SkippedRow[] {
  return running.flatMap(({ step, rows }) =>
    rows.failures().map((failure) => ({ ...failure, collection: step.from })),
  )
}

/** Tells every row that has failed, and gives the error to throw. */
async function refusal(
  { db, report }: Run,
  running: readonly RunningStep[],
  failures: readonly SkippedRow[],
): Promise<MigrationError> {
  // Made anew next time: what failed may have been mended in the data, or in what the steps import.
  for (const { rows } of running) await db.run(() => rows.discard())
  for (const { key, error } of failures) report.line(`${keyLabel(key)}: ${error}`)
  const failed = running.filter(({ step }) => failures.some(({ collection }) => collection === step.from))
  const files = failed.map(({ step }) => step.file).join(', ')
  return new MigrationError(
    `${files} cannot convert ${rowsText(failures.length)}, so nothing of it was applied: mend them or the step, or leave them as they are with --skip-invalid <file>`,
  )
}
