import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseOpenError, StorageError } from '../../../contract/errors.ts'
import { engineCode } from './engine-error.ts'

/** The error to report if opening a file has failed. */
export function openError(path: string, error: unknown): unknown {
  const reason = reasonOf(path, error)
  return reason === undefined ? error : new DatabaseOpenError(path, reason, { cause: error })
}

function reasonOf(path: string, error: unknown): string | undefined {
  if (error instanceof StorageError && error.engineCode === 'SQLITE_CORRUPT') return error.message
  const code = engineCode(error)
  if (code === undefined) {
    const isOfSystem = error instanceof Error && 'syscall' in error
    return systemReasons[systemCode(error)] ?? (isOfSystem ? error.message : undefined)
  }
  const [family = ''] = /^SQLITE_[A-Z]+/.exec(code) ?? []
  // The engine does not say what the system reported.
  const obstacle =
    family === 'SQLITE_CANTOPEN' || family === 'SQLITE_IOERR' ? systemReasons[obstacleTo(path)] : undefined
  const reason = obstacle ?? engineReasons[code] ?? engineReasons[family]
  return family === 'SQLITE_IOERR' && reason !== undefined ? `${reason} (${code})` : reason
}

const engineReasons: Record<string, string> = {
  SQLITE_NOTADB: 'it is not a database: choose another path',
  SQLITE_CORRUPT: 'the file is damaged: restore it from a backup',
  SQLITE_CANTOPEN: 'it cannot be opened or created: check the permissions of the file and its folder',
  SQLITE_IOERR: 'its disk cannot be read or written',
  // Reported where the index of the write-ahead log cannot grow.
  SQLITE_IOERR_SHMSIZE: 'the disk is full: make room first',
  SQLITE_READONLY: 'it cannot be written: check its permissions, or open it with readOnly: true',
  SQLITE_READONLY_DIRECTORY: 'its folder cannot be written: check its permissions',
  SQLITE_PERM: 'its permissions do not allow it: check them',
  SQLITE_FULL: 'the disk is full: make room first',
}

const systemReasons: Record<string, string> = {
  EACCES: 'its permissions do not allow it: check those of the file and its folder',
  EIO: 'its disk cannot be read or written',
  ELOOP: 'its symbolic links go round in a circle: fix them',
  EMFILE: 'the process has too many files open: close some, or raise its limit',
  ENOENT: 'there is no such file or folder: create its folder first',
  ENAMETOOLONG: 'its name is too long: choose a shorter one',
  ENFILE: 'the system has too many files open: close some, or raise its limit',
  ENOSPC: 'the disk is full: make room first',
  ENOTDIR: 'a part of its path is a file, not a folder: choose another path',
  EPERM: 'its permissions do not allow it: check those of the file and its folder',
  EROFS:
    'its file system cannot be written, and even reading makes files beside it: copy it to another one first',
}

/**
 * What keeps this process from using a file. Does not open the file: closing it would release the locks that others in this process
 * have on it.
 */
function obstacleTo(path: string): string {
  try {
    closeSync(openSync(dirname(path), 'r'))
    accessSync(existsSync(path) ? path : dirname(path), constants.R_OK | constants.W_OK)
    return ''
  } catch (error) {
    return systemCode(error)
  }
}

function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
