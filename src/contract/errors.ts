// All errors of a database are in one place, as programs that distinguish them need them.
import { formatKey } from './format-key.ts'
import type { Key } from './key.types.ts'

/** What went wrong, one for each class. A message may be reworded; a code never changes its meaning. */
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
  | 'CONNECTION'
  | 'SNAPSHOT_EXPIRED'
  | 'CORRUPT_KEY'
  | 'CORRUPT_VALUE'
  | 'CORRUPT_LOG'
  | 'LOG_TRIMMED'
  | 'MIGRATION'

/**
 * The base of every error that a database reports, with facts for your code to decide on. A wrong argument is a TypeError or a
 * RangeError instead, and the message says how to fix it.
 *
 * ```ts
 * const failure = await users.insert('alice', { name: 'Alicia', email: 'alicia@example.com' }).catch((error) => error)
 * failure instanceof KvError && failure.code // => 'KEY_EXISTS'
 * ```
 */
export class KvError extends Error {
  /** The name of the class. */
  override readonly name: string = 'KvError'
  /** Identifies its class, across versions and copies of this package. */
  readonly code: KvErrorCode

  constructor(code: KvErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** One complaint of a schema, in the form of Standard Schema. `path` leads from the root of the value to what is wrong. */
export interface ValidationIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/**
 * The schema of a key has refused a value, in a write or, with `validateReads`, in a read. Nothing was written. If the schema
 * itself threw, the error is the `cause`.
 *
 * ```ts
 * const refused = await users.set('carol', { name: 'Carol', email: 'nonsense' }).catch((error) => error)
 * refused instanceof ValidationError && refused.issues.map(({ path }) => path) // => [['email']]
 * ```
 */
export class ValidationError extends KvError {
  override readonly name = 'ValidationError'
  override readonly code = 'VALIDATION'
  /** The key whose value was refused. */
  readonly key: Key
  /** What the schema complains about. */
  readonly issues: readonly ValidationIssue[]

  constructor(key: Key, issues: readonly ValidationIssue[], options?: ErrorOptions) {
    super('VALIDATION', `The value of ${formatKey(key)} is not valid: ${issuesText(issues)}`, options)
    this.key = key
    this.issues = issues
  }
}

/** How many issues a message names. */
const mostTold = 20

function issuesText(issues: readonly ValidationIssue[]): string {
  const told = issues.slice(0, mostTold).map(formatIssue)
  if (issues.length > mostTold) told.push(`and ${issues.length - mostTold} more`)
  return told.join('; ')
}

/**
 * `insert`, `create` or `insertMany` found a value under this key.
 *
 * ```ts
 * await users.insert('alice', { name: 'Alicia', email: 'alicia@example.com' }) // => throws KeyExistsError
 * ```
 */
export class KeyExistsError extends KvError {
  override readonly name = 'KeyExistsError'
  override readonly code = 'KEY_EXISTS'
  /** The key that has a value. */
  readonly key: Key

  constructor(key: Key) {
    super('KEY_EXISTS', `${formatKey(key)} exists already`)
    this.key = key
  }
}

/**
 * `update` or `touch` found no value under this key.
 *
 * ```ts
 * await users.update('nobody', { name: 'Nobody' }) // => throws NotFoundError
 * ```
 */
export class NotFoundError extends KvError {
  override readonly name = 'NotFoundError'
  override readonly code = 'NOT_FOUND'
  /** The key that has none. */
  readonly key: Key

  constructor(key: Key) {
    super('NOT_FOUND', `There is no value under ${formatKey(key)}`)
    this.key = key
  }
}

/**
 * Another row already has these values of a unique index.
 *
 * ```ts
 * const taken = await users.set('carol', { name: 'Carol', email: 'alice@example.com' }).catch((error) => error)
 * taken instanceof UniqueConstraintError && taken.fields // => ['email']
 * taken instanceof UniqueConstraintError && taken.key // => ['users', 'alice']
 * ```
 */
export class UniqueConstraintError extends KvError {
  override readonly name = 'UniqueConstraintError'
  override readonly code = 'UNIQUE_CONSTRAINT'
  /** The name of the repository. */
  readonly repository: string
  /** The fields of the index: dotted paths. */
  readonly fields: readonly string[]
  /** The key of the row that has the values. */
  readonly key: Key

  constructor(repository: string, fields: readonly string[], key: Key) {
    super('UNIQUE_CONSTRAINT', `${repository}: ${formatKey(key)} has the same ${fields.join(' and ')}`)
    this.repository = repository
    this.fields = fields
    this.key = key
  }
}

/** A failed check: the versionstamps expected and found, null if there is no value. */
export interface Conflict {
  readonly key: Key
  readonly expected: string | null
  readonly actual: string | null
}

/**
 * Others have changed what the call had read. From `update` and `delete` with `ifVersion`: the row has another version, or is
 * gone. From `update`, `updateMany`, `deleteMany` and a unit of work: others did so at every attempt, until the attempts or the
 * time ran out. Nothing was written.
 *
 * ```ts
 * const { versionstamp } = await users.get('alice')
 * await users.update('alice', { name: 'Al' })
 * const late = await users.update('alice', { name: 'Ali' }, { ifVersion: String(versionstamp) }).catch((error) => error)
 * late instanceof ConflictError && late.conflicts // => [{ key: ['users', 'alice'], expected: '…', actual: '…' }]
 *
 * const outrun = db.unitOfWork(
 *   async (unit) => {
 *     const { value } = await unit.repositories.users.get('alice')
 *     await users.update('alice', { name: `${value?.name}!` }) // not of the unit: in its way each time
 *     await unit.repositories.users.update('alice', { name: 'Alicia' })
 *   },
 *   { retries: 2 },
 * )
 * const conflict = await outrun.catch((error) => error)
 * conflict instanceof ConflictError && conflict.attempts // => 3
 * ```
 */
export class ConflictError extends KvError {
  override readonly name = 'ConflictError'
  override readonly code = 'CONFLICT'
  /** The conflicts of the last attempt, each key once. */
  readonly conflicts: readonly Conflict[]
  /** How many there were. */
  readonly attempts: number

  constructor(conflicts: readonly Conflict[], attempts: number) {
    const keys = conflicts.slice(0, 5).map((conflict) => formatKey(conflict.key))
    const more = conflicts.length > keys.length ? ` and ${conflicts.length - keys.length} more` : ''
    const what = keys.length === 0 ? 'what was read' : `${keys.join(', ')}${more}`
    const outcome = attempts === 1 ? 'Nothing was written' : `Gave up after ${attempts} attempts`
    super('CONFLICT', `${outcome}: others changed ${what}`)
    this.conflicts = conflicts
    this.attempts = attempts
  }
}

/**
 * A query names a field or an operator that does not exist, or an operand that cannot be compared with the field. Or no index
 * serves the query, and the database was opened with `onUnindexed: 'error'`.
 *
 * ```ts
 * const where = JSON.parse('{ "password": { "like": "a%" } }')
 * await users.findMany({ where }) // => throws QueryError
 * ```
 */
export class QueryError extends KvError {
  override readonly name = 'QueryError'
  override readonly code = 'QUERY'

  constructor(message: string, options?: ErrorOptions) {
    super('QUERY', message, options)
  }
}

/**
 * The database was closed before or during the call.
 *
 * ```ts
 * await db.close()
 * await users.count() // => throws DatabaseClosedError
 * ```
 */
export class DatabaseClosedError extends KvError {
  override readonly name = 'DatabaseClosedError'
  override readonly code = 'DATABASE_CLOSED'

  constructor() {
    super('DATABASE_CLOSED', 'Database is closed')
  }
}

/**
 * Others have held the lock of the database for longer than `busyTimeout`, or have a file open that you want to remove or
 * replace. Nothing was written, and you may call again.
 */
export class DatabaseBusyError extends KvError {
  override readonly name = 'DatabaseBusyError'
  override readonly code = 'DATABASE_BUSY'
  /** How many milliseconds the call has waited. */
  readonly waited: number

  // `file`: a file to remove or replace that others have open.
  constructor(waited: number, options?: ErrorOptions & { readonly file?: string }) {
    const message =
      options?.file === undefined
        ? `Others have held the lock of the database for ${waited} ms: try again, or raise busyTimeout`
        : `Others have had ${options.file} open for ${waited} ms, so it was left alone: close it there first`
    super('DATABASE_BUSY', message, options)
    this.waited = waited
  }
}

/**
 * `changes` was to continue after a commit that the log no longer keeps, so it cannot know what came next. Call `changes` without
 * `since`, which follows everything from now on, and then read the rows again.
 */
export class LogTrimmedError extends KvError {
  override readonly name = 'LogTrimmedError'
  override readonly code = 'LOG_TRIMMED'
  /** The versionstamp of the oldest commit that the log has. */
  readonly oldest: string

  constructor(oldest: string) {
    super(
      'LOG_TRIMMED',
      `The log begins at version ${oldest}: call changes without since and read the rows again, or keep more with log.keepRows and log.keepMs`,
    )
    this.oldest = oldest
  }
}

/**
 * A database cannot be opened: a file to read does not exist, is not a database, belongs to another application, is damaged, has
 * a newer format, its permissions do not allow it, or the system refuses it. The message says which, and what to do.
 *
 * ```ts
 * await Valkeyrie.open('./missing.db', { readOnly: true }) // => throws DatabaseOpenError
 * ```
 */
export class DatabaseOpenError extends KvError {
  override readonly name = 'DatabaseOpenError'
  override readonly code = 'DATABASE_OPEN'
  /** The file, as an absolute path. */
  readonly path: string

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super('DATABASE_OPEN', `Cannot open ${path}: ${reason}`, options)
    this.path = path
  }
}

/**
 * A unit of work or a snapshot of a file was open for longer than the option `snapshotTimeout` of `open`, and read again. Nothing
 * of it was written.
 *
 * ```ts
 * import { setTimeout as wait } from 'node:timers/promises'
 *
 * const brief = await Valkeyrie.open('./brief.db', { snapshotTimeout: 10 })
 * const late = brief.unitOfWork(async (unit) => {
 *   await unit.get(['lamp'])
 *   await wait(200)
 *   await unit.get(['lamp'])
 * })
 * await late // => throws SnapshotExpiredError
 * ```
 */
export class SnapshotExpiredError extends KvError {
  override readonly name = 'SnapshotExpiredError'
  override readonly code = 'SNAPSHOT_EXPIRED'
  /** How long it had been open, in milliseconds. */
  readonly age: number

  constructor(age: number) {
    super(
      'SNAPSHOT_EXPIRED',
      `The unit of work or snapshot was open for ${age} ms, longer than its state is kept: finish sooner, or raise snapshotTimeout`,
    )
    this.age = age
  }
}

/**
 * The engine has failed: the disk is full, or cannot be read or written, the database was opened with `readOnly`, or its file was
 * removed or replaced. The call has written nothing. One exception: if the disk refused to sync, the write may be there after a
 * crash or a close that comes before the next write.
 *
 * ```ts
 * const file = await Valkeyrie.open('./file.db')
 * const reader = await Valkeyrie.open('./file.db', { readOnly: true })
 * await reader.set(['lamp'], 'on') // => throws StorageError
 * ```
 */
export class StorageError extends KvError {
  override readonly name = 'StorageError'
  override readonly code = 'STORAGE'
  /** The engine's own code, such as `SQLITE_FULL`. */
  readonly engineCode: string

  constructor(engineCode: string, message: string, options?: ErrorOptions) {
    super('STORAGE', `${message} (${engineCode})`, options)
    this.engineCode = engineCode
  }
}

/**
 * The connection to the server was lost, and the server could not be reached again within `connectTimeout`. Until then, reads are
 * repeated, and the database is asked whether a write was committed.
 */
export class ConnectionError extends KvError {
  override readonly name = 'ConnectionError'
  override readonly code = 'CONNECTION'
  /** `false`: nothing was written. `null`: the write may or may not have been committed; read before you write again. */
  readonly written: false | null

  constructor(written: false | null, options?: ErrorOptions) {
    const outcome =
      written === null
        ? 'during a commit, which may or may not have succeeded: read before you write again'
        : 'and nothing was written: you may call again'
    const refusal = options?.cause instanceof DatabaseOpenError ? `. ${options.cause.message}` : ''
    super('CONNECTION', `The connection to the server was lost ${outcome}${refusal}`, options)
    this.written = written
  }
}

/** Bytes in the file that should be an encoded key are not one: another program has written there, or the file is damaged. */
export class CorruptKeyError extends KvError {
  override readonly name = 'CorruptKeyError'
  override readonly code = 'CORRUPT_KEY'

  constructor(reason: string) {
    super('CORRUPT_KEY', `Not an encoded key: ${reason}`)
  }
}

/**
 * The value under this key cannot be decoded: another program has written it, the file is damaged, or its type is not among the
 * `valueTypes` of `open`. The message says which.
 */
export class CorruptValueError extends KvError {
  override readonly name = 'CorruptValueError'
  override readonly code = 'CORRUPT_VALUE'
  /** The key of the value. */
  readonly key: Key

  constructor(key: Key, cause: unknown) {
    const reason = cause instanceof Error ? `: ${cause.message}` : ''
    super('CORRUPT_VALUE', `The value stored under ${formatKey(key)} cannot be decoded${reason}`, { cause })
    this.key = key
  }
}

/**
 * A row of the log of commits cannot be read: another program has written it, or the file is damaged. Nobody knows which keys
 * that commit changed. Values are not affected: reads, writes, `watch` and `watchMany` go on, `changes` does not. To continue
 * after the commit, call `changes` with its `version` as `since`, and then read the rows again.
 *
 * If a write fails with it, no version can follow the newest one: restore the file from a backup, or delete that row of `kv_log`.
 */
export class CorruptLogError extends KvError {
  override readonly name = 'CorruptLogError'
  override readonly code = 'CORRUPT_LOG'
  /** The versionstamp of the commit, or its version number as text if no database issues that one. */
  readonly version: string

  constructor(version: string, reason: string, options?: ErrorOptions) {
    super('CORRUPT_LOG', `The log entry of version ${version} is damaged, ${reason}`, options)
    this.version = version
  }
}

/**
 * The declared schemas, the migrations and the database do not fit together.
 *
 * ```ts
 * const pen = z.object({ colour: z.string() })
 * const shop = await Valkeyrie.withSchema(['pens', '*'], pen).open('./shop.db')
 * await shop.repositories.pens.insertMany([['p1', { colour: 'red' }], ['p2', { colour: 'red' }]])
 * await shop.close()
 *
 * const indexed = Valkeyrie.withSchema(['pens', '*'], pen, { indexes: [{ on: 'colour', unique: true }] })
 * await indexed.open('./shop.db') // => throws MigrationError
 * ```
 */
export class MigrationError extends KvError {
  override readonly name = 'MigrationError'
  override readonly code = 'MIGRATION'
  /** The name of the schema that does not fit, if it is one. */
  readonly repository: string | null
  /** The tag of the migration that has replaced this schema, such as `0001_rename`, if one has. */
  readonly replacedBy: string | null
  /** The rows that a step cannot convert, by repository; empty if something else failed. */
  readonly refused: readonly RefusedRows[]

  constructor(
    message: string,
    options?: ErrorOptions & Partial<Pick<MigrationError, 'repository' | 'replacedBy' | 'refused'>>,
  ) {
    super('MIGRATION', message, options)
    this.repository = options?.repository ?? null
    this.replacedBy = options?.replacedBy ?? null
    this.refused = options?.refused ?? []
  }
}

/** Refused rows of a repository. */
export interface RefusedRows {
  /** Its name. */
  readonly repository: string
  /** How many there are. */
  readonly rows: number
  /** The first of them, each with what is wrong: `["users", "bob"]: age: …` */
  readonly samples: readonly string[]
}

/** A complaint as messages show it: `address.city: must be a string`. */
export function formatIssue({ message, path }: ValidationIssue): string {
  if (!path || path.length === 0) return message
  const names = path.map((part) => String(typeof part === 'object' ? part.key : part))
  return `${names.join('.')}: ${message}`
}
