import { closeSync, existsSync, fstatSync, fsyncSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { createFile } from '../driver/new-file.ts'
import { assertReplaceable, writeError } from './output-file.ts'

/**
 * The file of rows that were not imported, each a line of JSON with its `error`. `import` takes it again once its rows are fixed.
 * Its name ends in `.part` until it is complete, and after a run that was killed. It has the permissions of the database, if that
 * is a file.
 */
export class RefusedRows {
  readonly file: string
  readonly #part: string
  #opened: number | null = null

  /** Throws a TypeError if the file exists and is not empty, or is not a file; a system error if it cannot be written. */
  constructor(file: string, database: string | null) {
    this.file = resolve(file)
    this.#part = `${this.file}.${process.pid}.part`
    assertReplaceable(this.file, database)
    if (existsSync(this.file) && statSync(this.file).size > 0)
      throw new TypeError(`--skip-invalid ${this.file} already exists: name another file`)
    // Fail now, and not after half of the rows.
    this.#opened = createFile(this.#part, database)
  }

  write(line: string): void {
    try {
      writeSync(this.#opened!, `${line}\n`)
    } catch (error) {
      throw writeError(error, this.file)
    }
  }

  /** Gives the file its final name, unless it is empty. */
  finish(): void {
    if (this.#opened === null) return
    if (fstatSync(this.#opened).size === 0) {
      this.discard()
      return
    }
    fsyncSync(this.#opened)
    closeSync(this.#opened)
    this.#opened = null
    renameSync(this.#part, this.file)
  }

  /** Removes it, unless it has its final name. */
  discard(): void {
    if (this.#opened === null) return
    closeSync(this.#opened)
    this.#opened = null
    rmSync(this.#part)
  }
}
