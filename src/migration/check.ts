import { is } from 'drizzle-orm'
import { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { readMigrations } from '../driver/sqlite/migrations/folder.ts'
import { keyLabel } from '../driver/sqlite/migrations/key-label.ts'
import { MigrationDatabase } from '../driver/sqlite/migrations/migration-database.ts'
import { MigrationError } from '../errors.ts'
import { decodeKey } from '../key/codec.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { formatOf } from '../schema/registry.ts'
import { judgeOutput } from '../schema/validate.ts'
import { decodeValue } from '../value/codec.ts'
import type { ValueFormat } from '../value/value-format.ts'
import { sameCollections } from './compare-collections.ts'
import { collectionsOf, type Project } from './project.ts'
import { reasonText } from './reason-text.ts'

/** Rows that the declared schema of a repository refuses. */
export interface RefusedRows {
  readonly repository: string
  readonly rows: number
  /** Some of them, each with what is wrong: `["users", "bob"]: age: …` */
  readonly samples: readonly string[]
}

/** What is not as it should be: all empty where everything is. */
export interface Findings {
  readonly pending: readonly string[]
  /** Sentences. */
  readonly drift: readonly string[]
  readonly refused: readonly RefusedRows[]
}

const rowsPerBatch = 1_000
const mostSamples = 5

/** Compares a database with the migrations and the declared schemas. It writes nothing. */
export async function check(project: Project, path: string): Promise<Findings> {
  const migrations = readMigrations(project.migrations)
  if (!MigrationDatabase.exists(path)) throw new MigrationError(`There is no database ${path}`)
  const db = await MigrationDatabase.open(path, true)
  try {
    const declared = collectionsOf(project.definitions)
    const drift: string[] = []
    let pending: string[] = []
    try {
      pending = (await db.pending(migrations)).map(({ tag }) => tag)
    } catch (error) {
      if (!(error instanceof MigrationError)) throw error
      drift.push(error.message)
    }
    const last = migrations.at(-1)?.snapshot.collections ?? []
    if (!sameCollections(last, declared)) {
      drift.push('the schemas have changed since the last migration: run "valkeyrie generate"')
    }
    if (pending.length === 0) drift.push(...db.drift(declared, otherTables(project)))
    const refused: RefusedRows[] = []
    if (db.hasTables()) {
      const format = formatOf(project.definitions)
      for (const definition of project.definitions) {
        const rows = await refusedRows(db, definition, format)
        if (rows.rows > 0) refused.push(rows)
      }
    }
    return { pending, drift, refused }
  } finally {
    db.close()
  }
}

async function refusedRows(
  db: MigrationDatabase,
  definition: AnyDefinition,
  format: ValueFormat,
): Promise<RefusedRows> {
  const samples: string[] = []
  let rows = 0
  let last: Uint8Array = new Uint8Array()
  for (;;) {
    const page = db.rows(definition.name, last, rowsPerBatch)
    for (const { key, value, encoding, types } of page) {
      try {
        await judgeOutput(definition, decodeKey(key), decodeValue(value, encoding, types, format))
      } catch (error) {
        rows += 1
        if (samples.length < mostSamples) samples.push(`${keyLabel(key)}: ${reasonText(error)}`)
      }
    }
    if (page.length < rowsPerBatch) return { repository: definition.name, rows, samples }
    last = page.at(-1)!.key
  }
}

/** The tables of the user's own that the schema modules export. */
function otherTables({ exports }: Project): SQLiteTable[] {
  const own = [exports['kv'], exports['kvLog'], exports['kvCollections']]
  return Object.values(exports).filter((it) => is(it, SQLiteTable) && !own.includes(it)) as SQLiteTable[]
}
