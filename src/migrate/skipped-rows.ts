import { accessSync, constants, existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { keyLabel } from '../driver/sqlite/migrations/key-label.ts'
import type { FailedRow } from '../driver/sqlite/migrations/staged-step.ts'
import { MigrationError } from '../errors.ts'

/** A row that no step could convert, and the collection that it is in. */
export interface SkippedRow extends FailedRow {
  readonly collection: string
}

/** The file of the rows that a run leaves as they are: one JSON object a line. */
export class SkippedRows {
  readonly file: string
  /** By migration. */
  readonly #lines = new Map<string, readonly string[]>()

  constructor(file: string) {
    this.file = resolve(file)
  }

  /** Throws a MigrationError where the file cannot be written, or holds the rows of another run. */
  assertWritable(): void {
    const exists = existsSync(this.file)
    if (exists && statSync(this.file).size > 0)
      throw new MigrationError(`--skip-invalid ${this.file} is there already: name another file`)
    try {
      accessSync(exists ? this.file : dirname(this.file), constants.W_OK)
    } catch (error) {
      throw new MigrationError(`--skip-invalid ${this.file} cannot be written: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }

  /** Writes the rows of a migration, beside those of the ones before. */
  write(migration: string, rows: readonly SkippedRow[]): void {
    this.#lines.set(migration, rows.map(lineOf))
    const lines = [...this.#lines.values()].flat()
    if (lines.length > 0) writeFileSync(this.file, lines.join(''))
  }
}

function lineOf({ collection, key, error, value, encoding, types }: SkippedRow): string {
  const stored = typeof value === 'string' ? parsed(value) : Buffer.from(value).toString('hex')
  const keyHex = Buffer.from(key).toString('hex')
  const row = { collection, key: keyLabel(key), keyHex, error, value: stored, encoding, types: parsed(types) }
  return `${JSON.stringify(row)}\n`
}

/** What is no JSON, as it may be why the row is skipped, is given as the text that it is. */
function parsed(text: string | null): unknown {
  if (text === null) return null
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
