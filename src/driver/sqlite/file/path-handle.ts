import { closeSync, fstatSync, openSync, type Stats } from 'node:fs'

/** Linux's O_PATH, on the processors that have it under this number. */
const pathOnly = 0o10000000
/** Another runtime may open the file itself instead, and undo the locks on it by closing it. */
const isKnown =
  process.platform === 'linux' &&
  ['x64', 'arm64'].includes(process.arch) &&
  !('bun' in process.versions || 'deno' in process.versions)

/**
 * Follows a file wherever it goes, without opening its content: so it can be asked for less than its path can, and to close it undoes no
 * lock of this process on it. Where the system has no such thing, it knows nothing.
 */
export class PathHandle {
  /** `undefined`: not opened yet; `null`: it cannot be. */
  #file: number | null | undefined = isKnown ? undefined : null

  /** When the inode changed last, in milliseconds since the epoch; NaN where nothing tells, or where the file at the path is another one. */
  changedAt(path: string, { ino, dev }: Stats): number {
    if (this.#file === undefined) this.#file = opened(path)
    if (this.#file === null) return Number.NaN
    const stats = fstatSync(this.#file)
    return stats.ino === ino && stats.dev === dev ? stats.ctimeMs : Number.NaN
  }

  close(): void {
    if (typeof this.#file === 'number') closeSync(this.#file)
    this.#file = null
  }
}

function opened(path: string): number | null {
  try {
    return openSync(path, pathOnly)
  } catch {
    return null
  }
}
