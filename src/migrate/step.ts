import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Migration, MigrationStep } from '../driver/sqlite/migrations/folder.ts'
import type { MigrationDatabase } from '../driver/sqlite/migrations/migration-database.ts'
import type { OldRow, StagedRow, StagedStep } from '../driver/sqlite/migrations/staged-step.ts'
import { MigrationError } from '../errors.ts'
import { decodeKey } from '../key/codec.ts'
import { decodeValue, encodeValue } from '../value/codec.ts'
import { migrationFile, type Project } from './project.ts'
import { unfilled } from './step-template.ts'
import { type CheckValue, valueCheck } from './value-check.ts'

type Up = (value: unknown) => unknown

/** A step that is ready to run. */
export interface LoadedStep extends MigrationStep {
  /** What makes the new values; another text has another id, and its results are made anew. */
  readonly id: string
  readonly up: Up
  readonly check: CheckValue
}

const rowsPerBatch = 1_000

/** Loads the steps of a migration. Throws a MigrationError that names the file of one that is not filled in. */
export async function loadSteps(project: Project, { tag, snapshot }: Migration): Promise<LoadedStep[]> {
  return Promise.all(
    snapshot.steps.map(async (step) => {
      const path = migrationFile(project, step.file)
      if (!existsSync(path)) throw new MigrationError(`${tag} needs ${path}: restore it from version control`)
      const text = readFileSync(path, 'utf8')
      if (text.includes(unfilled)) {
        throw new MigrationError(
          `${path} is not filled in: write what up returns, then run "valkeyrie migrate"`,
        )
      }
      const { up } = await importStep(path)
      if (typeof up !== 'function') throw new MigrationError(`${path} exports no function up(value)`)
      const collection = snapshot.collections.find(({ name }) => name === step.to)!
      const hash = createHash('sha256').update(text).update(JSON.stringify(collection)).digest('hex')
      const id = `${tag}/${step.from}:${hash}`
      return { ...step, id, up: up as Up, check: valueCheck(collection, project.definitions) }
    }),
  )
}

async function importStep(path: string): Promise<{ readonly up?: unknown }> {
  try {
    return await import(pathToFileURL(path).href)
  } catch (error) {
    throw new MigrationError(`${path} cannot be loaded: ${(error as Error).message}`, { cause: error })
  }
}

/** Makes the new values of all rows that have none yet, and keeps them beside the old ones. */
export async function stageStep(
  db: MigrationDatabase,
  step: LoadedStep,
  onProgress: (done: number, total: number) => void,
): Promise<StagedStep> {
  const staged = db.step(step.id, step.from)
  let done = await db.run(() => staged.begin())
  const total = Math.max(db.count(step.from), done)
  onProgress(done, total)
  for (let last = staged.last(); ; ) {
    const rows = staged.rowsAfter(last, rowsPerBatch)
    if (rows.length === 0) break
    await stageRows(db, staged, step, rows)
    done += rows.length
    last = rows.at(-1)!.key
    onProgress(Math.min(done, total), total)
  }
  await restage(db, staged, step)
  return staged
}

/** Makes the new values of rows that others have written since. */
export async function restage(db: MigrationDatabase, staged: StagedStep, step: LoadedStep): Promise<void> {
  for (let rows = staged.staleRows(rowsPerBatch); rows.length > 0; rows = staged.staleRows(rowsPerBatch)) {
    await stageRows(db, staged, step, rows)
  }
}

async function stageRows(
  db: MigrationDatabase,
  staged: StagedStep,
  step: LoadedStep,
  rows: readonly OldRow[],
): Promise<void> {
  const results: StagedRow[] = []
  for (const row of rows) results.push(await newRow(step, row))
  await db.run(() => staged.stage(results))
  await turn()
}

async function newRow({ up, check }: LoadedStep, row: OldRow): Promise<StagedRow> {
  try {
    const old = decodeValue(row.value, row.encoding, row.types)
    const value = await check(decodeKey(row.key), await up(old))
    return { ...row, ...encodeValue(value), error: null }
  } catch (error) {
    return { ...row, value: '', error: error instanceof Error ? error.message : String(error) }
  }
}
