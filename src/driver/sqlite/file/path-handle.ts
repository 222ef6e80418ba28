import { closeSync, fstatSync, openSync, type Stats } from 'node:fs'

/** Linux's O_PATH, on processors where it has this number. */
const pathOnly = 0o10000000
/** Another runtime might open the content of the file, and release its locks by closing it. */
const isKnown =
  process.platform === 'linux' &&
  ['x64', 'arm64'].includes(process.arch) &&
  !('bun' in process.versions || 'deno' in process.versions)

/**
 * Follows a file wherever it moves, without opening its content. So asking about it costs less than by its path, and closing it
 * releases no lock of this process. Without O_PATH it knows nothing.
 */
export class PathHandle {
  /** `undefined`: not opened yet; `null`: cannot be opened. */
  #file: number | null | undefined = isKnown ? undefined : null

  /** When the inode last changed, in milliseconds since the epoch; NaN if unknown, or if there is another file at the path. */
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
