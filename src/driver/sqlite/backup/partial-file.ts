import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { createFile } from '../../new-file.ts'
import { alone } from '../file/alone.ts'
import { databaseFiles } from '../file/database-file.ts'
import { isPassing } from '../file/engine-error.ts'
import { isAlive } from './is-alive.ts'

/** Separates the name of the target from what identifies the writer: the id of its process, and a unique part. */
const mark = '.partial-'

/** A file that is written beside its target, and takes the target's name once it is complete and synced to disk. */
export class PartialFile {
  readonly path: string
  readonly #target: string
  #file: number | null

  private constructor(target: string, path: string, file: number) {
    this.#target = target
    this.path = path
    this.#file = file
  }

  /** `like`: the path of the database whose permissions it gets; `null` for one in memory. */
  static create(target: string, like: string | null): PartialFile {
    removeAbandoned(target)
    const path = `${target}${mark}${process.pid}-${randomBytes(4).toString('hex')}`
    // The engine's files beside it have longer names: a name that is too long fails here, before anything is made.
    for (const file of databaseFiles(path)) lstatSync(file, { throwIfNoEntry: false })
    return new PartialFile(target, path, createFile(path, like))
  }

  /** Syncs all of it to disk, once nothing more is written. */
  async sync(): Promise<void> {
    await promisify(fsync)(this.#file!)
  }

  /** Gives it the name of the target, and syncs that; fails with EEXIST if the target exists. */
  place(): void {
    this.#close()
    try {
      linkSync(this.path, this.#target)
      rmSync(this.path)
    } catch (error) {
      // A file system without hard links.
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? ''))
        throw error
      if (existsSync(this.#target)) throw error
      renameSync(this.path, this.#target)
    }
    syncFolder(dirname(this.#target))
  }

  /** Like `place`, but replaces the existing file. */
  replace(): void {
    this.#close()
    renameSync(this.path, this.#target)
    syncFolder(dirname(this.#target))
  }

  /** Removes it, unless it has the name of the target. */
  discard(): void {
    this.#close()
    removeAll(this.path)
  }

  #close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }
}

/** Removes what killed processes have left behind while writing for this target. */
function removeAbandoned(target: string): void {
  const folder = dirname(target)
  const prefix = `${basename(target)}${mark}`
  for (const name of readdirSync(folder)) {
    const [, pid] = name.startsWith(prefix)
      ? (/^(\d+)-[0-9a-f]{8}$/.exec(name.slice(prefix.length)) ?? [])
      : []
    if (pid === undefined || isAlive(Number(pid))) continue
    const path = join(folder, name)
    try {
      // Its process may be invisible from here, for example in another container.
      alone(path, () => removeAll(path))
    } catch (error) {
      if (!isPassing(error)) removeAll(path)
    }
  }
}

function removeAll(path: string): void {
  for (const file of databaseFiles(path)) rmSync(file, { force: true })
}

/** Syncs the names in a folder to disk, if the system can. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const file = openSync(folder, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
