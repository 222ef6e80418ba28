import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { constants } from 'node:os'

/** By the numbers of file-calls.c. */
const calls = { open: 1, read: 2, write: 4, sync: 8, truncate: 16, map: 32, unlink: 64 } as const
const files = { database: 1, wal: 2, shm: 4, journal: 8 } as const

type Call = keyof typeof calls
type File = keyof typeof files

/** Calls on the files of a database that fail. */
export interface Fault {
  readonly call: Call
  readonly files: readonly File[]
  /** Of the calls that it is about, the first that fails, counted from 1. */
  readonly at: number
  /** How many fail from then on. */
  readonly length: number
  /** How they fail; `short`: they move fewer bytes than they were asked to, and say so. */
  readonly error: 'EIO' | 'ENOSPC' | 'EMFILE' | 'ENOMEM' | 'short'
}

const integers = 7

/** What says to the library which calls fail, in a file that both have. */
export class Faults implements Disposable {
  readonly #file: number

  /** Creates the file. Call it before the program that preloads the library starts. */
  static makeFile(path: string): void {
    writeFileSync(path, new Int32Array(integers))
  }

  constructor(path: string) {
    this.#file = openSync(path, 'r+')
  }

  begin({ call, files: names, at, length, error }: Fault): void {
    const mask = names.reduce((sum, name) => sum + files[name], 0)
    const most = length === Number.POSITIVE_INFINITY ? -1 : length
    const errno = error === 'short' ? 0 : constants.errno[error]
    this.#write([calls[call], mask, at, most, errno, 0, 0])
  }

  /** Nothing fails any more. How many calls have. */
  end(): number {
    const counted = new Int32Array(integers)
    readSync(this.#file, counted, 0, counted.byteLength, 0)
    this.#write([0, 0, 0, 0, 0, 0, 0])
    return counted[5]!
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }

  #write(numbers: readonly number[]): void {
    writeSync(this.#file, new Int32Array(numbers), 0, 4 * integers, 0)
  }
}

/** A fault as a disk may have it, or a process that has too many files open. */
export function randomFault(random: () => number): Fault {
  const below = (end: number) => Math.floor(random() * end)
  const oneOf = <T>(of: readonly T[]): T => of[below(of.length)]!
  const call = oneOf([...Object.keys(calls), 'write', 'sync', 'read'] as Call[])
  const error = oneOf(errorsOf[call])
  const length = oneOf([1, 1, 1 + below(5), Number.POSITIVE_INFINITY])
  return {
    call,
    error,
    files:
      random() < 0.5 ? (Object.keys(files) as File[]) : [oneOf(['database', 'wal', 'wal', 'shm'] as const)],
    at: 1 + Math.floor(2 ** (random() * 7)) - 1,
    // Reads that never return all of it are those of a truncated file: damage, and not a fault.
    length: call === 'read' && error === 'short' ? Math.min(length, 2) : length,
  }
}

const errorsOf: Record<Call, readonly Fault['error'][]> = {
  open: ['EIO', 'EMFILE', 'ENOSPC'],
  read: ['EIO', 'EIO', 'short'],
  write: ['EIO', 'ENOSPC', 'ENOSPC', 'short'],
  sync: ['EIO', 'ENOSPC'],
  truncate: ['EIO', 'ENOSPC'],
  map: ['ENOMEM', 'EIO'],
  unlink: ['EIO'],
}
