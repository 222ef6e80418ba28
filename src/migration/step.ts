import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { isPromise } from 'node:util/types'
import type { Migration, MigrationStep } from '../driver/sqlite/migrations/folder.ts'
import type { MigrationDatabase } from '../driver/sqlite/migrations/migration-database.ts'
import type { OldRow, StagedRow, StagedStep } from '../driver/sqlite/migrations/staged-step.ts'
import { MigrationError } from '../errors.ts'
import { decodeKey } from '../key/codec.ts'
import { formatOf } from '../schema/registry.ts'
import { decodeValue, encodeValue } from '../value/codec.ts'
import type { ValueFormat } from '../value/value-format.ts'
import { loadModule } from './load-module.ts'
import { migrationFile, type Project } from './project.ts'
import { reasonText } from './reason-text.ts'
import { isUnfilled } from './step-template.ts'
import { type CheckValue, valueCheck } from './value-check.ts'

type Up = (value: unknown) => unknown

/** A step that is ready to run. */
export interface LoadedStep extends MigrationStep {
  /** What makes the new values; another text has another id, and its results are made anew. */
  readonly id: string
  readonly up: Up
  readonly check: CheckValue
  readonly format: ValueFormat
}

/** A step, and the rows that it has converted so far. */
export interface RunningStep {
  readonly step: LoadedStep
  readonly rows: StagedStep
}

const rowsPerBatch = 1_000
/** What others have written is converted while they wait, where it is no more than this. */
const mostRowsAtOnce = 5_000

/** Loads the steps of a migration. Throws a MigrationError that names the file of one that is not filled in. */
export async function loadSteps(project: Project, { tag, snapshot }: Migration): Promise<LoadedStep[]> {
  const format = formatOf(project.definitions)
  return Promise.all(
    snapshot.steps.map(async (step) => {
      const path = migrationFile(project, step.file)
      if (!existsSync(path)) throw new MigrationError(`${tag} needs ${path}: restore it from version control`)
      const text = readFileSync(path, 'utf8')
      if (isUnfilled(step.file, text)) {
        throw new MigrationError(
          `${path} is not filled in: write what up returns, then run "valkeyrie migrate"`,
        )
      }
      const { up } = await loadModule(path)
      if (typeof up !== 'function') throw new MigrationError(`${path} exports no function up(value)`)
      const collection = snapshot.collections.find(({ name }) => name === step.to)!
      const hash = createHash('sha256').update(text).update(JSON.stringify(collection)).digest('hex')
      const id = `${tag}/${step.from}:${hash}`
      const check = await valueCheck(collection, project.definitions)
      return { ...step, id, up: up as Up, check, format }
    }),
  )
}

/** Makes the new values of all rows that have none yet, and keeps them beside the old ones. */
export async function stageStep(
  db: MigrationDatabase,
  step: LoadedStep,
  onProgress: (done: number, total: number) => void,
): Promise<RunningStep> {
  const running = { step, rows: db.step(step.id, step.from) }
  let done = await db.run(() => running.rows.begin())
  const total = Math.max(await db.run(() => db.count(step.from)), done)
  if (total > 0) onProgress(done, total)
  for (let last = await db.run(() => running.rows.last()); ; ) {
    const rows = await db.run(() => running.rows.rowsAfter(last, rowsPerBatch))
    if (rows.length === 0) return running
    await stageRows(db, running, rows)
    done += rows.length
    last = rows.at(-1)!.key
    onProgress(Math.min(done, total), total)
  }
}

/** Makes the new values of rows that others have written since, in one go over the collection. */
export async function restage(db: MigrationDatabase, running: RunningStep): Promise<void> {
  for (let last: Uint8Array = new Uint8Array(); ; ) {
    const rows = await db.run(() => running.rows.staleRows(last, rowsPerBatch))
    if (rows.length === 0) return
    await stageRows(db, running, rows)
    last = rows.at(-1)!.key
  }
}

/**
 * Makes the new values of the last rows that others have written, inside the transaction that is open, so that they cannot write on.
 * `false` where these are too many, or where a value takes a promise.
 */
export function catchUp({ step, rows: staged }: RunningStep): boolean {
  const rows = staged.staleRows(new Uint8Array(), mostRowsAtOnce + 1)
  if (rows.length > mostRowsAtOnce) return false
  const results: StagedRow[] = []
  for (const row of rows) {
    const result = newRow(step, row)
    if (isPromise(result)) return false
    results.push(result)
  }
  staged.put(results)
  return true
}

async function stageRows(
  db: MigrationDatabase,
  running: RunningStep,
  rows: readonly OldRow[],
): Promise<void> {
  const results: StagedRow[] = []
  for (const row of rows) results.push(await newRow(running.step, row))
  await db.run(() => running.rows.stage(results))
  await turn()
}

function newRow({ up, check, format }: LoadedStep, row: OldRow): StagedRow | Promise<StagedRow> {
  const made = (value: unknown): StagedRow => ({ ...row, ...encodeValue(value, format), error: null })
  const failed = (error: unknown): StagedRow => ({ ...row, value: '', error: reasonText(error) })
  try {
    const key = decodeKey(row.key)
    const value = up(decodeValue(row.value, row.encoding, row.types, format))
    const checked = isPromise(value) ? value.then((it) => check(key, it)) : check(key, value)
    return isPromise(checked) ? checked.then(made).catch(failed) : made(checked)
  } catch (error) {
    return failed(error)
  }
}
