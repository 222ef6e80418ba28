import { createReadStream } from 'node:fs'

export interface SourceFile {
  readonly path: string
  /** What messages call it. */
  readonly name: string
}

/** The text of a file, in pieces. Throws a TypeError if it is not UTF-8. */
export async function* fileText({ path, name }: SourceFile): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const bytes of createReadStream(path))
      yield decoder.decode(bytes as Uint8Array, { stream: true })
    yield decoder.decode()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error
    throw new TypeError(`${name} is not UTF-8 text: convert it first`, { cause: error })
  }
}
