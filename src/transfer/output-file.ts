import { randomBytes } from 'node:crypto'
import { createWriteStream, existsSync, lstatSync, realpathSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isSameFile, otherThanFile } from '../driver/file-kind.ts'
import { createFile } from '../driver/new-file.ts'

/**
 * Writes chunks of text into a file, completely or not at all: first under a temporary name, then synced to disk, then renamed. The
 * file has the permissions of the database, if that is a file. Throws a TypeError if the file exists (without `overwrite`), and
 * always for the database itself, and for anything but a file.
 */
export async function writeFileWhole(
  file: string,
  database: string | null,
  chunks: AsyncIterable<string>,
  { overwrite, signal }: { readonly overwrite: boolean; readonly signal?: AbortSignal },
): Promise<void> {
  const path = resolve(file)
  assertFree(path, database, overwrite)
  // In containers, processes often have the same id.
  const part = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.part`
  try {
    await pipeline(
      Readable.from(chunks),
      createWriteStream(part, { fd: createFile(part, database), flush: true }),
      signal ? { signal } : {},
    )
    assertFree(path, database, overwrite)
    await rename(part, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(part, { force: true })
    // A pipeline hides why it was aborted.
    signal?.throwIfAborted()
    throw writeError(error, path)
  }
}

/** The error of writing to a file, with its path: the system does not tell it. */
export function writeError(error: unknown, path: string): unknown {
  const { syscall } = error as NodeJS.ErrnoException
  return syscall === 'write' || syscall === 'fsync' ? Object.assign(error as Error, { path }) : error
}

/** Writes chunks of text to a stream as fast as it takes them. Ends when its reader is gone, like `head`. */
export async function writeStream(
  out: NodeJS.WritableStream,
  chunks: AsyncIterable<string>,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await pipeline(Readable.from(chunks), out, { end: false, ...(signal && { signal }) })
  } catch (error) {
    signal?.throwIfAborted()
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  }
}

function assertFree(path: string, database: string | null, overwrite: boolean): void {
  assertReplaceable(path, database)
  if (!overwrite && existsSync(path))
    throw new TypeError(`${path} already exists: name another file, or add --overwrite`)
}

/**
 * Throws a TypeError if writing this file would replace the database, which need not exist yet, a folder, a FIFO, a device, or a
 * link, even one that leads nowhere.
 */
export function assertReplaceable(path: string, database: string | null): void {
  const kind = otherThanFile(path)
  if (kind !== undefined) throw new TypeError(`${path} is ${kind}: name a file`)
  if (database !== null && isOf(database, path))
    throw new TypeError(`${path} belongs to the database itself: name another file`)
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new TypeError(`${path} is a symbolic link, which would be replaced: name a file`)
}

function isOf(database: string, path: string): boolean {
  const own = existsSync(database) ? realpathSync(database) : resolve(database)
  // An engine keeps more files beside a database, whose names begin with its name.
  return path === own || isSameFile(path, database) || path.startsWith(`${own}-`)
}

/** Some systems cannot sync a folder. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => null)
  await folder?.sync().catch(() => {})
  await folder?.close()
}
