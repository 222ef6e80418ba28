import type { Logger } from 'drizzle-orm/logger'
import { checkOptionNames } from '../arguments/option-names.ts'
import { checkBoolean, checkWholeNumber } from '../arguments/option-values.ts'
import type { AskedChanges } from '../catalog/changes.ts'
import { defaultLimits, type Limits } from '../contract/limits.ts'
import type { Engine } from '../driver/engine.ts'
import { type EngineName, type EngineOptions, type Engines, engineWithOption } from '../engines/engines.ts'
import { checkName } from '../schema/definition-options.ts'
import { checkValueTypes, type ValueType } from '../value/value-type.ts'

/** How to open a database. */
export interface OpenOptions extends EngineOptions {
  /**
   * The folder of migrations that `valkeyrie generate` writes, such as `'./schemas/migrations'`. Pending migrations are applied
   * first, and nothing else creates tables or indexes. Rejects with MigrationError if the database is newer than the folder, or
   * if a migration has a TypeScript step to run. Default: missing tables, collections and indexes are created, and those that
   * others have declared stay.
   */
  readonly migrations?: string | undefined
  /**
   * Indexes to drop, which the schemas no longer declare: `[{ repository: 'users', on: 'email' }]`, as they were declared.
   * Without this, opening drops no index, because another program may rely on it. An index that is already gone is ignored. Not
   * together with `migrations`, which drop indexes themselves. Default: none.
   */
  readonly dropIndexes?: readonly DroppedIndex[] | undefined
  /**
   * Repositories to rename, the old name first: `{ users: 'people' }`. Without this, opening renames none, because another
   * program may look for the rows under the old name. One that is already renamed is ignored. Not together with `migrations`,
   * which rename themselves. Default: none.
   */
  readonly renameRepositories?: { readonly [from: string]: string } | undefined
  /**
   * Names of repositories whose patterns are new to the file and may take rows of a less specific pattern: `['root']`, if
   * `['users', 'root']` takes a row of `['users', '*']`. Without this, opening takes no rows, because another program may look
   * for them where they are. Not together with `migrations`, which take rows themselves. Default: none.
   */
  readonly takeRows?: readonly string[] | undefined
  /**
   * How many milliseconds a unit of work or a snapshot of a file keeps its state: a later read is a SnapshotExpiredError. One
   * that stays open keeps the file from being tidied up; a warning, `LongSnapshotWarning`, reports it after a tenth of this time,
   * or after 10 seconds at the latest. Default 300,000.
   */
  readonly snapshotTimeout?: number | undefined
  /** Open a file that exists, for reading only: a write is a StorageError. Default `false`. */
  readonly readOnly?: boolean | undefined
  /**
   * Check at every read that the schema can have output the value; if it cannot, the read is a ValidationError. Default `false`.
   */
  readonly validateReads?: boolean | undefined
  /** The largest sizes to accept; anything larger is a RangeError, and nothing is written. */
  readonly limits?: Partial<Limits> | undefined
  /** How much to keep of the log of commits, from which other processes learn of changes. */
  readonly log?: LogOptions | undefined
  /**
   * What to do with a query that reads a whole collection because no index serves it: nothing, `process.emitWarning` once
   * for each shape of query, or a QueryError. Default `'ignore'`.
   */
  readonly onUnindexed?: 'ignore' | 'warn' | 'error' | undefined
  /**
   * How to store instances of classes: make each type with `defineValueType`. The types of the schemas are added. Default: none.
   */
  readonly valueTypes?: readonly ValueType[] | undefined
  /** Also store the stack of an error, which names files of this machine. Default `false`. */
  readonly errorStacks?: boolean | undefined
  /**
   * Remove the files when you close the database, which is useful in tests: see `destroy`. Not together with `readOnly`. Default
   * `false`.
   */
  readonly destroyOnClose?: boolean | undefined
  /** Gets each statement before it runs: Drizzle's interface `Logger`. A row that `get` still has in memory takes none. */
  readonly logger?: Logger | undefined
}

/** One of the `dropIndexes` of `open`. */
export interface DroppedIndex {
  /** The name of the repository. */
  readonly repository: string
  /** The field of the index, or its fields in their order, as it was declared. */
  readonly on: string | readonly string[]
}

/** The `log` of `open`: what is kept of each commit, and for how long. */
export interface LogOptions {
  /** Keep the written values too, so that no change is `superseded`. Default `false`: only the keys. */
  readonly values?: boolean | undefined
  /** The most commits to keep. Default 100,000. */
  readonly keepRows?: number | undefined
  /** How many milliseconds to keep a commit. Default: only `keepRows` limits it. */
  readonly keepMs?: number | undefined
}

/** The options of `open` with every default filled in, without those of one engine only. */
export interface CheckedOpenOptions {
  readonly migrations: string | undefined
  readonly asked: AskedChanges
  readonly snapshotTimeout: number
  readonly readOnly: boolean
  readonly validateReads: boolean
  readonly limits: Limits
  readonly logValues: boolean
  readonly retention: { readonly keepRows: number; readonly keepMs: number }
  readonly onUnindexed: 'ignore' | 'warn' | 'error'
  readonly valueTypes: readonly ValueType[]
  readonly errorStacks: boolean
  readonly destroyOnClose: boolean
  readonly logger: Logger | undefined
}

const commonNames = [
  'migrations',
  'dropIndexes',
  'renameRepositories',
  'takeRows',
  'snapshotTimeout',
  'readOnly',
  'validateReads',
  'limits',
  'log',
  'onUnindexed',
  'valueTypes',
  'errorStacks',
  'destroyOnClose',
  'logger',
]

/** The names of the options that `open` takes for a database of this engine. */
export function openOptionNames({ optionNames }: Pick<Engine, 'optionNames'>): readonly string[] {
  return [...commonNames, ...optionNames]
}

/** Throws a TypeError or RangeError for an option that `open` does not take for a database of this engine. */
export function checkOpenOptions<E extends EngineName>(
  options: OpenOptions,
  engine: Engine<Engines[E]>,
): CheckedOpenOptions & Engines[E]['checked'] {
  checkEngine(options, engine)
  checkOptionNames(options, openOptionNames(engine), 'open')
  const own = engine.checkOptions(options)
  const { snapshotTimeout = 300_000, limits = {}, log = {}, onUnindexed = 'ignore', logger } = options
  checkWholeNumber(snapshotTimeout, 'snapshotTimeout', 1)
  checkOptionNames(limits, Object.keys(defaultLimits), 'limits')
  for (const [name, limit] of Object.entries(limits)) checkWholeNumber(limit, `limits.${name}`, 1)
  checkOptionNames(log, ['values', 'keepRows', 'keepMs'], 'log')
  checkWholeNumber(log.keepRows, 'log.keepRows', 1)
  checkWholeNumber(log.keepMs, 'log.keepMs', 1)
  if (onUnindexed !== 'ignore' && onUnindexed !== 'warn' && onUnindexed !== 'error') {
    throw new TypeError("onUnindexed must be 'ignore', 'warn' or 'error'")
  }
  if (logger !== undefined && typeof logger?.logQuery !== 'function') {
    throw new TypeError('logger needs a method logQuery(query, params): pass a Logger of drizzle-orm')
  }
  if (options.destroyOnClose === true && options.readOnly === true)
    throw new TypeError('destroyOnClose and readOnly exclude each other: leave out one of them')
  const { migrations, valueTypes = [] } = options
  checkValueTypes(valueTypes, 'open')
  if (migrations !== undefined && (typeof migrations !== 'string' || migrations.trim() === '')) {
    throw new TypeError("migrations must be the path of a folder, such as './schemas/migrations'")
  }
  return {
    ...own,
    migrations,
    asked: askedChanges(options),
    snapshotTimeout,
    readOnly: flag(options.readOnly, 'readOnly'),
    validateReads: flag(options.validateReads, 'validateReads'),
    limits: {
      keyBytes: limits.keyBytes ?? defaultLimits.keyBytes,
      valueBytes: limits.valueBytes ?? defaultLimits.valueBytes,
      commitOperations: limits.commitOperations ?? defaultLimits.commitOperations,
    },
    logValues: flag(log.values, 'log.values'),
    retention: { keepRows: log.keepRows ?? 100_000, keepMs: log.keepMs ?? Number.POSITIVE_INFINITY },
    onUnindexed,
    valueTypes,
    errorStacks: flag(options.errorStacks, 'errorStacks'),
    destroyOnClose: flag(options.destroyOnClose, 'destroyOnClose'),
    logger,
  }
}

/** Throws a TypeError for an option that only another engine has. */
function checkEngine(options: OpenOptions, { optionNames }: Pick<Engine, 'optionNames'>): void {
  for (const name of Object.keys(options ?? {})) {
    const only = engineWithOption(name)
    if (only === undefined || optionNames.includes(name)) continue
    const here = only === 'SQLite' ? 'the address of a PostgreSQL server' : 'no address of a server'
    throw new TypeError(`The option '${name}' of open is one of ${only}, but this is ${here}: leave it out`)
  }
}

function askedChanges({
  dropIndexes = [],
  renameRepositories = {},
  takeRows = [],
  migrations,
  readOnly,
}: OpenOptions): AskedChanges {
  if (!Array.isArray(dropIndexes)) {
    throw new TypeError("dropIndexes must be an array, such as [{ repository: 'users', on: 'email' }]")
  }
  const dropped = dropIndexes.map((index: DroppedIndex) => {
    checkOptionNames(index, ['repository', 'on'], 'dropIndexes')
    const on = [index.on].flat()
    if ([index.repository, ...on].some((name) => typeof name !== 'string') || on.length === 0) {
      throw new TypeError(
        "An index to drop must be { repository: 'users', on: 'email' }: a name, and a field or an array of fields",
      )
    }
    return { repository: index.repository, on }
  })
  const renames = typeof renameRepositories === 'object' ? Object.entries(renameRepositories ?? []) : []
  const targets = renames.map(([, to]) => to)
  if (
    typeof renameRepositories !== 'object' ||
    Array.isArray(renameRepositories) ||
    targets.some((to) => typeof to !== 'string') ||
    new Set(targets).size < targets.length
  ) {
    throw new TypeError(
      "renameRepositories must be an object from old names to different new ones, such as { users: 'people' }",
    )
  }
  for (const to of targets) checkName(to)
  if (!Array.isArray(takeRows) || takeRows.some((name: unknown) => typeof name !== 'string'))
    throw new TypeError("takeRows must be an array of repository names, such as ['root']")
  if (dropped.length + renames.length + takeRows.length > 0 && (migrations !== undefined || readOnly)) {
    const other = migrations === undefined ? 'readOnly' : 'migrations'
    const instead =
      migrations === undefined ? 'open the file once without it' : 'generate a migration that does it'
    throw new TypeError(
      `dropIndexes, renameRepositories and takeRows cannot be used with ${other}: ${instead}`,
    )
  }
  return { dropIndexes: dropped, renameRepositories, takeRows }
}

function flag(value: boolean | undefined, name: string): boolean {
  checkBoolean(value, name)
  return value ?? false
}
