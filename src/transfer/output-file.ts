import { createWriteStream, existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createFile } from '../driver/new-file.ts'

/**
 * Writes chunks of text into a file that is there whole or not at all: under a name of its own first, then on the disk, then under its
 * name. It has the permissions of the database, where that is a file. Throws a TypeError if a file is there and `overwrite` is not asked for.
 */
export async function writeFileWhole(
  file: string,
  database: string | null,
  chunks: AsyncIterable<string>,
  { overwrite, signal }: { readonly overwrite: boolean; readonly signal?: AbortSignal },
): Promise<void> {
  const path = resolve(file)
  assertFree(path, overwrite)
  const part = `${path}.${process.pid}.part`
  try {
    await pipeline(
      Readable.from(chunks),
      createWriteStream(part, { fd: createFile(part, database), flush: true }),
      signal ? { signal } : {},
    )
    assertFree(path, overwrite)
    await rename(part, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

/** Writes chunks of text to a stream as fast as it takes them. Where its reader has gone, as `head` does, that is the end. */
export async function writeStream(
  out: NodeJS.WritableStream,
  chunks: AsyncIterable<string>,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await pipeline(Readable.from(chunks), out, { end: false, ...(signal && { signal }) })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  }
}

function assertFree(path: string, overwrite: boolean): void {
  if (!overwrite && existsSync(path))
    throw new TypeError(`${path} is there already: name another file, or add --overwrite`)
}

/** Not every system can sync a folder. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => null)
  await folder?.sync().catch(() => {})
  await folder?.close()
}
