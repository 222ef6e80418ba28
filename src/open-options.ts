import type { Logger } from 'drizzle-orm/logger'
import { defaultLimits, type Limits } from './limits.ts'
import { checkOptionNames, checkWholeNumber } from './option-names.ts'

/** How to open a database. */
export interface OpenOptions {
  /**
   * The folder of migrations that `valkeyrie generate` writes, as `'./schemas/migrations'`. Those that the database has not
   * had are applied first, and nothing else creates tables or indexes; MigrationError where the database is newer than the
   * folder, or where a migration has a TypeScript step to run. Default: tables and indexes that are missing are created,
   * and indexes that are declared no more are dropped.
   */
  readonly migrations?: string | undefined
  /**
   * `'normal'` (the default): nothing that was acknowledged is lost when the process dies. `'full'`: nor when the machine
   * does; each commit waits for the disk.
   */
  readonly durability?: 'normal' | 'full' | undefined
  /** Milliseconds for which a call waits for a lock that others hold, before DatabaseBusyError. Default 5,000. */
  readonly busyTimeout?: number | undefined
  /** Open a file that exists, for reading only: a write is a StorageError. Default `false`. */
  readonly readOnly?: boolean | undefined
  /** Hold every value that is read against its schema; one that it refuses is a ValidationError. Default `false`. */
  readonly validateReads?: boolean | undefined
  /** The sizes to accept; what is larger is a RangeError, and nothing is written. */
  readonly limits?: Partial<Limits> | undefined
  /** What is kept of the log of commits, from which other processes learn of changes. */
  readonly log?: LogOptions | undefined
  /**
   * What to do with a query that reads a whole collection because no index serves it: nothing, `process.emitWarning` once
   * for each shape of query, or a QueryError. Default `'ignore'`.
   */
  readonly onUnindexed?: 'ignore' | 'warn' | 'error' | undefined
  /** Remove the files when the database is closed, as for a test. Default `false`. */
  readonly destroyOnClose?: boolean | undefined
  /** Is given each statement before it runs: Drizzle's interface `Logger`. */
  readonly logger?: Logger | undefined
}

/** The `log` of `open`: what is kept of each commit, and for how long. */
export interface LogOptions {
  /** Keep the values that were written, so that no change is `superseded`. Default `false`: their keys only. */
  readonly values?: boolean | undefined
  /** The most commits to keep. Default 100,000. */
  readonly keepRows?: number | undefined
  /** The milliseconds for which to keep a commit. Default: no limit but `keepRows`. */
  readonly keepMs?: number | undefined
}

/** The options of `open` with every default filled in. */
export interface CheckedOpenOptions {
  readonly migrations: string | undefined
  readonly durability: 'normal' | 'full'
  readonly busyTimeout: number
  readonly readOnly: boolean
  readonly validateReads: boolean
  readonly limits: Limits
  readonly logValues: boolean
  readonly retention: { readonly keepRows: number; readonly keepMs: number }
  readonly onUnindexed: 'ignore' | 'warn' | 'error'
  readonly destroyOnClose: boolean
  readonly logger: Logger | undefined
}

export const openOptionNames = [
  'migrations',
  'durability',
  'busyTimeout',
  'readOnly',
  'validateReads',
  'limits',
  'log',
  'onUnindexed',
  'destroyOnClose',
  'logger',
]

/** Throws a TypeError or RangeError for an option that `open` does not take. */
export function checkOpenOptions(options: OpenOptions): CheckedOpenOptions {
  checkOptionNames(options, openOptionNames, 'open')
  const {
    durability = 'normal',
    busyTimeout = 5_000,
    limits = {},
    log = {},
    onUnindexed = 'ignore',
    logger,
  } = options
  if (durability !== 'normal' && durability !== 'full')
    throw new TypeError("durability is 'normal' or 'full'")
  checkWholeNumber(busyTimeout, 'busyTimeout', 0)
  checkOptionNames(limits, Object.keys(defaultLimits), 'limits')
  for (const [name, limit] of Object.entries(limits)) checkWholeNumber(limit, `limits.${name}`, 1)
  checkOptionNames(log, ['values', 'keepRows', 'keepMs'], 'log')
  checkWholeNumber(log.keepRows, 'log.keepRows', 1)
  checkWholeNumber(log.keepMs, 'log.keepMs', 1)
  if (onUnindexed !== 'ignore' && onUnindexed !== 'warn' && onUnindexed !== 'error') {
    throw new TypeError("onUnindexed is 'ignore', 'warn' or 'error'")
  }
  if (logger !== undefined && typeof logger?.logQuery !== 'function') {
    throw new TypeError('logger has a method logQuery(query, params): give a Logger of drizzle-orm')
  }
  const { migrations } = options
  if (migrations !== undefined && (typeof migrations !== 'string' || migrations.trim() === '')) {
    throw new TypeError("migrations is the path of a folder, as './schemas/migrations'")
  }
  return {
    migrations,
    durability,
    busyTimeout,
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
    destroyOnClose: flag(options.destroyOnClose, 'destroyOnClose'),
    logger,
  }
}

function flag(value: boolean | undefined, name: string): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false
  throw new TypeError(`${name} is true or false`)
}
