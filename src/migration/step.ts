import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { isPromise } from 'node:util/types'
import { MigrationError } from '../contract/errors.ts'
import type { Migration, MigrationStep } from '../driver/migration.ts'
import type { MigrationDatabase, OldRow, StagedRow, StagedRows, Step } from '../driver/migration-database.ts'
import { decodeKey } from '../key/codec.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { formatOf } from '../schema/registry.ts'
import { decodeValue, encodeValue } from '../value/codec.ts'
import type { ValueFormat } from '../value/value-format.ts'
import { reasonText } from './reason-text.ts'
import type { MigrationSource } from './source.ts'
import { type CheckValue, valueCheck } from './value-check.ts'

type Up = (value: unknown) => unknown

/** A step that is ready to run. If its text changes, so does its id, and its results are made again. */
export interface LoadedStep extends MigrationStep, Step {}

/** What converts the values of a step. */
interface Conversion {
  readonly up: Up
  readonly check: CheckValue
  readonly format: ValueFormat
}

const rowsPerBatch = 1_000

/** Loads the steps of a migration. Throws a MigrationError that names a step that is not filled in. */
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
      const check = valueCheck(collection, definitions)
      const conversion = { up: up as Up, check, format }
      return { ...step, id, collection: step.from, convert: (row: OldRow) => newRow(conversion, row) }
    }),
  )
}

/** Converts all rows without a result, and keeps the results beside the old values. */
export async function stageStep(
  db: MigrationDatabase,
  step: LoadedStep,
  {
    onProgress,
    signal,
  }: { onProgress(done: number, total: number): void; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const staged = db.staged(step)
  let done = await staged.begin()
  const total = Math.max(await db.count(step.collection), done)
  if (total > 0) onProgress(done, total)
  for (let last = await staged.last(); ; ) {
    signal?.throwIfAborted()
    const rows = await staged.rowsAfter(last, rowsPerBatch)
    if (rows.length === 0) return
    await stageRows(staged, step, rows)
    done += rows.length
    last = rows.at(-1)!.key
    onProgress(Math.min(done, total), total)
  }
}

/** Converts rows that others have written since, in one pass over the collection. */
export async function restage(
  db: MigrationDatabase,
  step: LoadedStep,
  signal: AbortSignal | undefined,
): Promise<void> {
  const staged = db.staged(step)
  for (let last: Uint8Array = new Uint8Array(); ; ) {
    signal?.throwIfAborted()
    const rows = await staged.staleRows(last, rowsPerBatch)
    if (rows.length === 0) return
    await stageRows(staged, step, rows)
    last = rows.at(-1)!.key
  }
}

async function stageRows(staged: StagedRows, { convert }: Step, rows: readonly OldRow[]): Promise<void> {
  const results: StagedRow[] = []
  for (const row of rows) results.push(await convert(row))
  await staged.stage(results)
  await turn()
}

function newRow({ up, check, format }: Conversion, row: OldRow): StagedRow | Promise<StagedRow> {
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
