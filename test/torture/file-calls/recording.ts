import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'

/** By the numbers of file-calls.c, and one of our own. */
const calls = { 1: 'open', 4: 'write', 8: 'sync', 16: 'truncate', 64: 'unlink', 128: 'mark' } as const
const mark = 128
const suffixes = ['', '-wal', '-shm', '-journal'] as const

export type Suffix = (typeof suffixes)[number]

/** A change of one of the files of a database, or a mark that the program has set between them. */
export interface FileCall {
  readonly call: (typeof calls)[keyof typeof calls]
  /** The suffix of the file's name after that of the database. */
  readonly file: Suffix
  /** Where bytes were written, or how long the file is from then on. */
  readonly offset: number
  readonly bytes: Buffer
}

const head = 24

/** The changes that were made, in their order. */
export function readRecording(path: string): FileCall[] {
  const log = readFileSync(path)
  const made: FileCall[] = []
  for (let at = 0; at < log.length; ) {
    const call = calls[log.readInt32LE(at) as keyof typeof calls]
    const file = suffixes[log.readInt32LE(at + 4)]!
    const offset = Number(log.readBigInt64LE(at + 8))
    const length = call === 'write' || call === 'mark' ? Number(log.readBigInt64LE(at + 16)) : 0
    made.push({ call, file, offset, bytes: log.subarray(at + head, at + head + length) })
    at += head + length
  }
  return made
}

/** Where a program sets marks into the log of its own calls. */
export class Recording implements Disposable {
  readonly #log: number

  /** Creates the file. Call it before the program that preloads the library starts. */
  static makeFile(path: string): void {
    writeFileSync(path, '')
  }

  constructor(path: string) {
    this.#log = openSync(path, 'a')
  }

  mark(text: string): void {
    const bytes = Buffer.alloc(head + Buffer.byteLength(text))
    bytes.writeInt32LE(mark)
    bytes.writeBigInt64LE(BigInt(bytes.length - head), 16)
    bytes.write(text, head)
    writeSync(this.#log, bytes)
  }

  [Symbol.dispose](): void {
    closeSync(this.#log)
  }
}
