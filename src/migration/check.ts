import { MigrationError, type RefusedRows } from '../contract/errors.ts'
import type { MigrationDatabase } from '../driver/migration-database.ts'
import { decodeKey } from '../key/codec.ts'
import { keyLabel } from '../key/key-label.ts'
import { checkIdKinds } from '../key/typed-id.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { formatOf } from '../schema/registry.ts'
import { judgeOutput } from '../schema/validate.ts'
import { decodeValue } from '../value/codec.ts'
import type { ValueFormat } from '../value/value-format.ts'
import { migratorOf } from './migrator-of.ts'
import { otherTables, type Project } from './project.ts'
import { reasonText } from './reason-text.ts'
import { type MigrationStatus, status } from './status.ts'

/** Everything that is not as it should be; all empty if nothing is. */
export interface Findings extends Omit<MigrationStatus, 'applied'> {
  /** The rows that the declared schemas refuse: their values, or the kind of their ids. */
  readonly refused: readonly RefusedRows[]
}

const rowsPerBatch = 1_000
const mostSamples = 5

/** Compares a database, including its rows, with the migrations and the declared schemas. It writes nothing. */
export async function check(project: Project, path: string, signal?: AbortSignal): Promise<Findings> {
  const { migrator, address, shown } = await migratorOf(path)
  if (!(await migrator.exists(address))) throw new MigrationError(`There is no database ${shown}`)
  const { pending, drift } = await projectStatus(project, path)
  const db = await migrator.open(address, true)
  try {
    const refused: RefusedRows[] = []
    if (await db.hasTables()) {
      const format = formatOf(project.definitions)
      for (const definition of project.definitions) {
        const rows = await refusedRows(db, definition, format, signal)
        if (rows.rows > 0) refused.push(rows)
      }
    }
    return { pending, drift, refused }
  } finally {
    await db.close()
  }
}

/** How a database compares with the migrations, schemas and tables of a project. */
export function projectStatus(project: Project, path: string): Promise<MigrationStatus> {
  return status({ ...project, others: otherTables(project) }, path)
}

async function refusedRows(
  db: MigrationDatabase,
  definition: AnyDefinition,
  format: ValueFormat,
  signal: AbortSignal | undefined,
): Promise<RefusedRows> {
  const samples: string[] = []
  let rows = 0
  let last: Uint8Array = new Uint8Array()
  for (;;) {
    signal?.throwIfAborted()
    const page = await db.rows(definition.name, last, rowsPerBatch)
    for (const { key, value, encoding, types } of page) {
      try {
        const parts = decodeKey(key)
        checkIdKinds(definition.idKinds, parts, definition.name)
        await judgeOutput(definition, parts, decodeValue(value, encoding, types, format))
      } catch (error) {
        rows += 1
        if (samples.length < mostSamples) samples.push(`${keyLabel(key)}: ${reasonText(error)}`)
      }
    }
    // A page of large rows has fewer of them.
    if (page.length === 0) return { repository: definition.name, rows, samples }
    last = page.at(-1)!.key
  }
}
