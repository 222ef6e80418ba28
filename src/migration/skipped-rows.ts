import { accessSync, closeSync, constants, fsyncSync, ftruncateSync, lstatSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { MigrationError } from '../contract/errors.ts'
import type { FailedRow } from '../driver/migration-database.ts'
import { createFile } from '../driver/new-file.ts'
import { decodeKey } from '../key/codec.ts'
import { keyJson } from '../key/key-json.ts'
import { rowLine } from '../transfer/row-line.ts'
import type { EncodingId } from '../value/encoding.ts'

/** A row that no step could convert, with its collection. */
export interface SkippedRow extends FailedRow {
  readonly collection: string
}

/**
 * The file of the rows that a run leaves unconverted, each a line as `export` writes it, with its error. It has the permissions of
 * the database.
 */
export class SkippedRows {
  readonly path: string
  readonly #database: string | null
  /** By migration. */
  readonly #lines = new Map<string, readonly string[]>()
  #file: number | null = null

  constructor(path: string, database: string | null) {
    this.path = resolve(path)
    this.#database = database
  }

  /** Throws a MigrationError if the file already exists, or cannot be created. */
  assertWritable(): void {
    if (lstatSync(this.path, { throwIfNoEntry: false }) !== undefined)
      throw new MigrationError(`${this.path} already exists: name another file for the skipped rows`)
    try {
      accessSync(dirname(this.path), constants.W_OK)
    } catch (error) {
      throw this.#unwritable(error)
    }
  }

  /** Writes the rows of a migration, after those of the previous ones. */
  write(migration: string, rows: readonly SkippedRow[]): void {
    this.#lines.set(migration, rows.map(lineOf))
    const lines = [...this.#lines.values()].flat()
    if (lines.length === 0 && this.#file === null) return
    try {
      this.#file ??= createFile(this.path, this.#database)
      ftruncateSync(this.#file)
      writeAll(this.#file, Buffer.from(lines.join('')))
      fsyncSync(this.#file)
    } catch (error) {
      throw this.#unwritable(error)
    }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }

  #unwritable(error: unknown): MigrationError {
    const { message } = error as Error
    return new MigrationError(`${this.path} cannot be written, so skipped rows would be lost: ${message}`, {
      cause: error,
    })
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, at)
}

function lineOf(row: SkippedRow): string {
  const { collection: repository, error, value, encoding, types, expiresAt } = row
  const key = decodeKey(row.key)
  const stored = { value, encoding: encoding as EncodingId, types }
  try {
    return `${rowLine({ repository, key, stored, expiresAt, error })}\n`
  } catch {
    // A value that is not JSON, which may be why the row is skipped, is shown as it is.
    const unread = typeof value === 'string' ? value : Buffer.from(value).toString('hex')
    return `${JSON.stringify({ error, repository, key: keyJson(key), unread })}\n`
  }
}
