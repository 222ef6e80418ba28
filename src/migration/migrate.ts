import { MigrationError } from '../contract/errors.ts'
import { assertDialect, type Migration } from '../driver/migration.ts'
import type { FailedRow, MigrationDatabase, Step } from '../driver/migration-database.ts'
import { keyLabel } from '../key/key-label.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { takenOver, upTo } from './baseline.ts'
import { lossText, rowsText } from './losses.ts'
import { migratorOf } from './migrator-of.ts'
import { type SkippedRow, SkippedRows } from './skipped-rows.ts'
import { type MigrationModule, type MigrationSource, sourceOf } from './source.ts'
import { type LoadedStep, loadSteps, restage, stageStep } from './step.ts'

/** The state to bring a database to. */
export interface Target {
  /** Their folder, or the modules in the program. */
  readonly migrations: string | readonly MigrationModule[]
  /** The declared schemas, as far as they are known. */
  readonly definitions: readonly AnyDefinition[]
}

export interface MigrateTask {
  readonly path: string
  /** Whether to copy the database first. */
  readonly backup: boolean
  /** A file for the rows that a step cannot convert, which then stay as they are. Without it, such a row fails the step. */
  readonly skipInvalid?: string | undefined
  /**
   * Take over a database that was created without migrations: the last migration whose schemas it has; `true` finds it by the
   * schemas in the catalogue.
   */
  readonly baseline?: string | true | undefined
  readonly report: Report
  readonly signal?: AbortSignal | undefined
}

/** The result of `migrate`. */
export interface MigrateResult {
  /** The migrations that it has applied, in order. */
  readonly applied: readonly string[]
  /** The file of the backup; `null` if none was made. */
  readonly backup: string | null
  /** How many rows no step could convert. They stay as before, and are in the file of `skipInvalid`. */
  readonly skipped: number
}

/** Reports progress. */
export interface Report {
  line(text: string): void
  progress(task: string, done: number, total: number): void
  /** Called after the backup and after each migration, with what is done, and stays even if something fails later. */
  done?(result: MigrateResult): void
}

const mostRounds = 100
const mostSamples = 10

/** Applies the pending migrations, each in its own transaction. */
export async function migrate(target: Target, task: MigrateTask): Promise<MigrateResult> {
  const { report, signal } = task
  const { migrator, address, shown } = await migratorOf(task.path)
  const source = sourceOf(target.migrations)
  const { migrations } = source
  assertDialect(migrations, migrator.dialect)
  const { baseline } = task
  if (typeof baseline === 'string') upTo(migrations, baseline)
  if (baseline !== undefined && !(await migrator.exists(address)))
    throw new MigrationError(`There is no database ${shown} to take over: leave out the baseline`)
  const db = await migrator.open(address)
  const skipped = task.skipInvalid === undefined ? null : new SkippedRows(task.skipInvalid, db.file)
  try {
    const onWait = () => report.line('another process migrates this database: waiting for it')
    const lock = await migrator.lock(address, onWait, signal)
    try {
      const run = { db, source, definitions: target.definitions, skipped, report, signal }
      return await migrateLocked(run, baseline, task.backup)
    } finally {
      await lock.release()
    }
  } finally {
    skipped?.close()
    await db.close()
  }
}

interface Run {
  readonly db: MigrationDatabase
  readonly source: MigrationSource
  readonly definitions: readonly AnyDefinition[]
  /** `null`: a row that cannot be converted fails its migration. */
  readonly skipped: SkippedRows | null
  readonly report: Report
  readonly signal: AbortSignal | undefined
}

async function migrateLocked(
  run: Run,
  baseline: MigrateTask['baseline'],
  asksBackup: boolean,
): Promise<MigrateResult> {
  const { db, source, definitions, report, signal } = run
  let backup: string | null = null
  if (baseline !== undefined) {
    await db.assertTakeable()
    const taken = await takenOver(db, source.migrations, baseline)
    if (asksBackup) backup = await backUp(run, 'baseline', taken)
    await db.baseline(taken)
    report.line(`taken over as a database that has had ${taken.at(-1)!.tag}`)
  }
  const pending = await db.pending(source.migrations)
  // Before anything changes: find steps that are not filled in.
  const steps = new Map<Migration, LoadedStep[]>()
  for (const migration of pending) steps.set(migration, await loadSteps(source, migration, definitions))
  if ([...steps.values()].flat().length > 0) run.skipped?.assertWritable()
  if (pending.length > 0 && asksBackup && baseline === undefined && (await db.hasTables()))
    backup = await backUp(run, pending[0]!.tag, pending)
  let result: MigrateResult = { applied: [], backup, skipped: 0 }
  report.done?.(result)
  for (const migration of pending) {
    signal?.throwIfAborted()
    await tellLosses(run, migration)
    const skipped = result.skipped + (await apply(run, migration, steps.get(migration)!))
    result = { applied: [...result.applied, migration.tag], backup, skipped }
    report.done?.(result)
    report.line(`${migration.tag} applied`)
  }
  await db.tidy()
  return result
}

/** The path of the backup; `null` if none was made, because others have just applied the migration that it was to precede. */
async function backUp(
  { db, report, signal }: Run,
  before: string,
  pending: readonly Migration[],
): Promise<string | null> {
  const onProgress = (done: number, total: number) => report.progress('backup', done, total)
  const backup = await db.backUp(before, pending, { onProgress, signal })
  if (backup !== null) report.line(`backup in ${backup}`)
  return backup
}

async function tellLosses({ db, report }: Run, { snapshot }: Migration): Promise<void> {
  for (const loss of snapshot.losses) {
    const rows = await db.countLoss(loss)
    if (rows === null) report.line(`${lossText(loss)} is removed`)
    else if (rows > 0) report.line(`${lossText(loss)} is removed from ${rowsText(rows)}`)
  }
}

/** Applies a migration; returns how many rows it left unconverted. */
async function apply(run: Run, migration: Migration, steps: readonly LoadedStep[]): Promise<number> {
  const { db, source, skipped, report, signal } = run
  const running = (await db.hasTables()) ? steps : []
  for (const step of running) {
    const onProgress = (done: number, total: number) => report.progress(step.file, done, total)
    await stageStep(db, step, { onProgress, signal })
  }
  let left: readonly SkippedRow[] = []
  const accept = (failures: readonly (readonly FailedRow[])[]) => {
    left = inCollections(running, failures)
    if (left.length > 0 && skipped === null) return false
    skipped?.write(migration.tag, left)
    return true
  }
  for (let round = 0; ; round++) {
    const failures = skipped === null ? await failuresOf(db, running) : []
    if (failures.length > 0) throw await refusal(run, running, failures)
    signal?.throwIfAborted()
    if (await db.apply(source.migrations, migration, running, accept)) break
    if (round === mostRounds)
      throw new MigrationError(`${migration.tag}: others write faster than its steps run: stop them first`)
    for (const step of running) await restage(db, step, signal)
  }
  if (left.length > 0) report.line(`${rowsText(left.length)} left as before, and written to ${skipped!.path}`)
  return left.length
}

async function failuresOf(db: MigrationDatabase, steps: readonly Step[]): Promise<SkippedRow[]> {
  const failures: FailedRow[][] = []
  for (const step of steps) failures.push(await db.staged(step).failures())
  return inCollections(steps, failures)
}

/** The rows that each step could not convert, with their collection. */
function inCollections(steps: readonly Step[], failures: readonly (readonly FailedRow[])[]): SkippedRow[] {
  return steps.flatMap(({ collection }, at) => failures[at]!.map((failure) => ({ ...failure, collection })))
}

/** The error that names the first failed rows, and counts the others. */
async function refusal(
  { db }: Run,
  running: readonly LoadedStep[],
  failures: readonly SkippedRow[],
): Promise<MigrationError> {
  // Convert these rows again next time, because their data, or what the steps import, may have been fixed.
  for (const step of running) await db.staged(step).discard()
  const byRepository = Map.groupBy(failures, ({ collection }) => collection)
  const refused = [...byRepository].map(([repository, rows]) => ({
    repository,
    rows: rows.length,
    samples: rows.slice(0, mostSamples).map(({ key, error }) => `${keyLabel(key)}: ${error}`),
  }))
  const files = running.filter(({ from }) => byRepository.has(from)).map(({ file }) => file)
  const lines = refused.flatMap(({ rows, samples }) => {
    const others = rows - samples.length
    return [...samples, ...(others > 0 ? [`and ${rowsText(others)} more`] : [])]
  })
  return new MigrationError(
    `${files.join(', ')} cannot convert ${rowsText(failures.length)}, so nothing of it was applied: correct them or the step, or leave them as they are with --skip-invalid <file>, or skipInvalid in a program\n${lines.map((line) => `  ${line}`).join('\n')}`,
    { refused },
  )
}
