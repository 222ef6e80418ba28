import type { Key } from './key.types.ts'

/** What went wrong, for code to decide on. A message may be reworded; a code never changes its meaning. */
export type KvErrorCode =
  | 'VALIDATION'
  | 'KEY_EXISTS'
  | 'NOT_FOUND'
  | 'UNIQUE_CONSTRAINT'
  | 'CONFLICT'
  | 'QUERY'
  | 'DATABASE_CLOSED'
  | 'DATABASE_BUSY'
  | 'DATABASE_OPEN'
  | 'STORAGE'
  | 'CORRUPT_KEY'
  | 'CORRUPT_VALUE'
  | 'LOG_TRIMMED'
  | 'MIGRATION'

/** The base of every error that a database reports; misuse of an argument is a TypeError or a RangeError instead. */
export class KvError extends Error {
  override readonly name: string = 'KvError'
  readonly code: KvErrorCode

  constructor(code: KvErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** One complaint of a schema: Standard Schema's issue. `path` leads from the value's root to what is wrong. */
export interface ValidationIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** A value was refused by the schema of its key; nothing was written. */
export class ValidationError extends KvError {
  override readonly name = 'ValidationError'
  readonly key: Key
  readonly issues: readonly ValidationIssue[]

  constructor(key: Key, issues: readonly ValidationIssue[]) {
    super('VALIDATION', `The value of ${formatKey(key)} is not valid: ${issues.map(formatIssue).join('; ')}`)
    this.key = key
    this.issues = issues
  }
}

/** `insert` or `create` found a value under this key. */
export class KeyExistsError extends KvError {
  override readonly name = 'KeyExistsError'
  readonly key: Key

  constructor(key: Key) {
    super('KEY_EXISTS', `${formatKey(key)} exists already`)
    this.key = key
  }
}

/** A method that changes what is stored found nothing under this key. */
export class NotFoundError extends KvError {
  override readonly name = 'NotFoundError'
  readonly key: Key

  constructor(key: Key) {
    super('NOT_FOUND', `There is no value under ${formatKey(key)}`)
    this.key = key
  }
}

/** Another row holds the values that a unique index allows only once. `key` is that row's. */
export class UniqueConstraintError extends KvError {
  override readonly name = 'UniqueConstraintError'
  readonly repository: string
  readonly fields: readonly string[]
  readonly key: Key

  constructor(repository: string, fields: readonly string[], key: Key) {
    super('UNIQUE_CONSTRAINT', `${repository}: ${formatKey(key)} has the same ${fields.join(' and ')}`)
    this.repository = repository
    this.fields = fields
    this.key = key
  }
}

/** A check that failed: the versionstamps expected and found, `null` where there is no value. */
export interface Conflict {
  readonly key: Key
  readonly expected: string | null
  readonly actual: string | null
}

/** Others kept changing what was read, until the retries or the time ran out; nothing was written. */
export class ConflictError extends KvError {
  override readonly name = 'ConflictError'
  readonly conflicts: readonly Conflict[]
  readonly attempts: number

  constructor(conflicts: readonly Conflict[], attempts: number) {
    const keys = conflicts.slice(0, 5).map((conflict) => formatKey(conflict.key))
    const more = conflicts.length > keys.length ? ` and ${conflicts.length - keys.length} more` : ''
    const what = keys.length === 0 ? 'what was read' : `${keys.join(', ')}${more}`
    super('CONFLICT', `Gave up after ${attempts} attempts: others changed ${what}`)
    this.conflicts = conflicts
    this.attempts = attempts
  }
}

/** A query names a field or an operator that does not exist, or compares with a value that cannot be compared. */
export class QueryError extends KvError {
  override readonly name = 'QueryError'

  constructor(message: string, options?: ErrorOptions) {
    super('QUERY', message, options)
  }
}

/** The database was closed before or during the call. */
export class DatabaseClosedError extends KvError {
  override readonly name = 'DatabaseClosedError'

  constructor() {
    super('DATABASE_CLOSED', 'Database is closed')
  }
}

/** Other processes held the database's lock for longer than `busyTimeout`; nothing was written. */
export class DatabaseBusyError extends KvError {
  override readonly name = 'DatabaseBusyError'
  /** Milliseconds waited. */
  readonly waited: number

  constructor(waited: number, options?: ErrorOptions) {
    super(
      'DATABASE_BUSY',
      `The database was locked by others for ${waited} ms: retry, or raise busyTimeout`,
      options,
    )
    this.waited = waited
  }
}

/** `changes` was to begin after a commit that the log keeps no more: what came next can no longer be told. */
export class LogTrimmedError extends KvError {
  override readonly name = 'LogTrimmedError'
  /** The versionstamp of the oldest commit that the log keeps. */
  readonly oldest: string

  constructor(oldest: string) {
    super(
      'LOG_TRIMMED',
      `The log begins at version ${oldest}: read the rows anew and follow their changes from there, or keep more with log.keepRows and log.keepMs`,
    )
    this.oldest = oldest
  }
}

/** The path cannot be opened as a database of this library. */
export class DatabaseOpenError extends KvError {
  override readonly name = 'DatabaseOpenError'
  readonly path: string

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super('DATABASE_OPEN', `Cannot open ${path}: ${reason}`, options)
    this.path = path
  }
}

/** The engine failed (disk full, input/output error, read-only database); what the call was to write is not written. */
export class StorageError extends KvError {
  override readonly name = 'StorageError'
  /** The engine's own code, as `SQLITE_FULL`. */
  readonly engineCode: string

  constructor(engineCode: string, message: string, options?: ErrorOptions) {
    super('STORAGE', `${message} (${engineCode})`, options)
    this.engineCode = engineCode
  }
}

/** Bytes that should be an encoded key are not one. */
export class CorruptKeyError extends KvError {
  override readonly name = 'CorruptKeyError'

  constructor(reason: string) {
    super('CORRUPT_KEY', `Not an encoded key: ${reason}`)
  }
}

/** The bytes stored under this key are not a value of this library's encodings. */
export class CorruptValueError extends KvError {
  override readonly name = 'CorruptValueError'
  readonly key: Key

  constructor(key: Key, options?: ErrorOptions) {
    super('CORRUPT_VALUE', `The value stored under ${formatKey(key)} cannot be decoded`, options)
    this.key = key
  }
}

/** The declared schemas and the database do not fit together. */
export class MigrationError extends KvError {
  override readonly name = 'MigrationError'

  constructor(message: string, options?: ErrorOptions) {
    super('MIGRATION', message, options)
  }
}

function formatKey(key: Key): string {
  const parts = key.map((part) => {
    if (typeof part === 'string') return JSON.stringify(part)
    if (typeof part === 'bigint') return `${part}n`
    if (part instanceof Uint8Array) return `0x${Buffer.from(part).toString('hex')}`
    return String(part)
  })
  return `[${parts.join(', ')}]`
}

function formatIssue({ message, path }: ValidationIssue): string {
  if (!path || path.length === 0) return message
  const names = path.map((part) => String(typeof part === 'object' ? part.key : part))
  return `${names.join('.')}: ${message}`
}
