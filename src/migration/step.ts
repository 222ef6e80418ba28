import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { isPromise } from 'node:util/types'
import type { Migration, MigrationStep } from '../driver/sqlite/migrations/folder.ts'
import type { MigrationDatabase } from '../driver/sqlite/migrations/migration-database.ts'
import type { OldRow, StagedRow, StagedStep } from '../driver/sqlite/migrations/staged-step.ts'
import { MigrationError } from '../errors.ts'
import { decodeKey } from '../key/codec.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { formatOf } from '../schema/registry.ts'
import { decodeValue, encodeValue } from '../value/codec.ts'
import type { ValueFormat } from '../value/value-format.ts'
import { reasonText } from './reason-text.ts'
import type { MigrationSource } from './source.ts'
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
export async function loadSteps(
  source: MigrationSource,
  migration: Migration,
  definitions: readonly AnyDefinition[],
): Promise<LoadedStep[]> {
  const { tag, snapshot } = migration
  const format = formatOf(definitions)
  return Promise.all(
    snapshot.steps.map(async (step) => {
      const { place, identity, isFilledIn, up } = await source.load(migration, step)
      if (!isFilledIn) {
        throw new MigrationError(
          `${place} is not filled in: write what up returns, then run "valkeyrie migrate"`,
        )
      }
      if (typeof up !== 'function') throw new MigrationError(`${place} exports no function up(value)`)
      const collection = snapshot.collections.find(({ name }) => name === step.to)!
      const hash = createHash('sha256').update(identity).update(JSON.stringify(collection)).digest('hex')
      const id = `${tag}/${step.from}:${hash}`
      const check = await valueCheck(collection, definitions)
      return { ...step, id, up: up as Up, check, format }
    }),
  )
}

/** Makes the new values of all rows that have none yet, and keeps them beside the old ones. */
export async function stageStep(
  db: MigrationDatabase,
  step: LoadedStep,
  {
    onProgress,
    signal,
  }: { onProgress(done: number, total: number): void; readonly signal: AbortSignal | undefined },
): Promise<RunningStep> {
  const running = { step, rows: db.step(step.id, step.from) }
  let done = await db.run(() => running.rows.begin())
  const total = Math.max(await db.run(() => db.count(step.from)), done)
  if (total > 0) onProgress(done, total)
  for (let last = await db.run(() => running.rows.last()); ; ) {
    signal?.throwIfAborted()
    const rows = await db.run(() => running.rows.rowsAfter(last, rowsPerBatch))
    if (rows.length === 0) return running
    await stageRows(db, running, rows)
    done += rows.length
    last = rows.at(-1)!.key
    onProgress(Math.min(done, total), total)
  }
}

/** Makes the new values of rows that others have written since, in one go over the collection. */
export async function restage(
  db: MigrationDatabase,
  running: RunningStep,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let last: Uint8Array = new Uint8Array(); ; ) {
    signal?.throwIfAborted()
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
