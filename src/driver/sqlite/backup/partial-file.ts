import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsync,
  fsyncSync,
  linkSync,
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
import { isBusy } from '../file/engine-error.ts'

/** What stands between the name of the target and that of the one who writes it: the id of its process, and what no other has. */
const mark = '.partial-'

/** A file that is written beside its target, and takes the target's name once it is whole and on the disk. */
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
    return new PartialFile(target, path, createFile(path, like))
  }

  /** Waits until all of it is on the disk. */
  async sync(): Promise<void> {
    await promisify(fsync)(this.#file!)
  }

  /** Gives it the name of the target, for good; fails with EEXIST if there is one. */
  place(): void {
    this.#close()
    try {
      linkSync(this.path, this.#target)
      rmSync(this.path)
    } catch (error) {
      // A file system without links.
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? ''))
        throw error
      if (existsSync(this.#target)) throw error
      renameSync(this.path, this.#target)
    }
    syncFolder(dirname(this.#target))
  }

  /** As `place`, instead of the file that is there. */
  replace(): void {
    this.#close()
    renameSync(this.path, this.#target)
    syncFolder(dirname(this.#target))
  }

  /** Removes it, unless it has been given the name of the target. */
  discard(): void {
    this.#close()
    removeAll(this.path)
  }

  #close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }
}

/** Removes what processes have left that were killed while they wrote for this target. */
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
      // It may be of a process that cannot be seen from here, as one in another container.
      alone(path, () => removeAll(path))
    } catch (error) {
      if (!isBusy(error)) removeAll(path)
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function removeAll(path: string): void {
  for (const file of databaseFiles(path)) rmSync(file, { force: true })
}

/** Has the names in a folder written on the disk, where the system can do that. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const file = openSync(folder, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
