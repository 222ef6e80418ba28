import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { writeError } from './output-file.ts'

/** A temporary copy, removed when it is disposed. */
export interface CopiedInput extends AsyncDisposable {
  readonly path: string
}

/** Copies all that is piped in into a file, because an import reads its source more than once. */
export async function copiedInput(input: Readable, signal: AbortSignal): Promise<CopiedInput> {
  const folder = await mkdtemp(join(tmpdir(), 'valkeyrie-import-'))
  const path = join(folder, 'standard-input')
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    await pipeline(input, createWriteStream(path, { mode: 0o600 }), { signal })
  } catch (error) {
    await remove()
    throw signal.aborted ? signal.reason : writeError(error, path)
  }
  return { path, [Symbol.asyncDispose]: remove }
}
