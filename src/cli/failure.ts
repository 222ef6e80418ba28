import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { CommanderError } from 'commander'
import { KvError, MigrationError, StorageError } from '../contract/errors.ts'
import { Interrupted } from './terminal.ts'

/** How a command has failed, for people and for programs. */
export interface Failure {
  /**
   * The code of a KvError or of the system; `USAGE`: the command line, or what it names, is wrong; `INTERRUPTED`: Ctrl+C or SIGTERM;
   * `UNEXPECTED`: anything else.
   */
  readonly code: string
  readonly message: string
  /** The other facts of the error, by name. */
  readonly facts: object
  /** What was done before the failure, and stays done. */
  readonly done: object
}

/** A command has failed after a part of its work. */
export class PartlyDone extends Error {
  readonly done: object

  constructor(cause: unknown, done: object) {
    super('Part of it is done', { cause })
    this.done = done
  }
}

export function failureOf(error: unknown): Failure {
  if (error instanceof PartlyDone) return { ...failureOf(error.cause), done: error.done }
  const { message } = error instanceof Error ? error : { message: String(error) }
  const failure = { message, facts: {}, done: {} }
  if (error instanceof KvError) {
    const { refused = [] } = error instanceof MigrationError ? error : {}
    const text = isDamage(error) ? `${message}: run "valkeyrie doctor" to see what is damaged` : message
    return { ...failure, message: text, code: error.code, facts: refused.length === 0 ? {} : { refused } }
  }
  if (error instanceof CommanderError)
    return { ...failure, code: 'USAGE', message: message.replace(/^error: /, '') }
  if (error instanceof Interrupted) return { ...failure, code: 'INTERRUPTED' }
  if (isOfSystem(error)) return { ...failure, code: error.code, message: systemText(error) }
  const isMisuse = error instanceof TypeError || error instanceof RangeError
  return { ...failure, code: isMisuse ? 'USAGE' : 'UNEXPECTED' }
}

/** Whether pages of the file cannot be read. */
function isDamage(error: KvError): boolean {
  return error instanceof StorageError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.engineCode)
}

interface SystemError extends Error {
  readonly code: string
  readonly path?: string
}

function isOfSystem(error: unknown): error is SystemError {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
}

/** An error of the system, as a sentence that names the file. */
function systemText({ code, message, path }: SystemError): string {
  if (path === undefined) return message
  // A file gets such a name while it is being written.
  const file = path.replace(/\.\d+(-[0-9a-f]{8})?\.part$/, '')
  const sentence = sentences[code]
  return sentence === undefined ? message : sentence(file)
}

const sentences: Readonly<Record<string, (file: string) => string>> = {
  ENOENT: (file) =>
    existsSync(dirname(file))
      ? `There is no file ${file}`
      : `There is no folder ${dirname(file)}: create it first`,
  EACCES: (file) => `The permissions of ${file}, or of its folder, do not allow it`,
  EPERM: (file) => `The permissions of ${file}, or of its folder, do not allow it`,
  EISDIR: (file) => `${file} is a folder: name a file`,
  ENOTDIR: (file) => `A part of the path ${file} is a file, not a folder`,
  EROFS: (file) => `The file system of ${file} cannot be written`,
  ENOSPC: (file) => `The disk is full: make room for ${file}`,
}
