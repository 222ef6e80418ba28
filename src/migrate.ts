import type { Drift } from './driver/migration-database.ts'
import type { MigrateResult } from './migration/migrate.ts'
import {
  checkMigrateOptions,
  checkStatusOptions,
  type MigrateOptions,
  type MigrateProgress,
  type MigrationOptions,
  type OpenDatabase,
  targetOf,
} from './migration/options.ts'
import type { MigrationModule } from './migration/source.ts'
import type { MigrationStatus } from './migration/status.ts'

export type {
  Drift,
  MigrateOptions,
  MigrateProgress,
  MigrateResult,
  MigrationModule,
  MigrationOptions,
  MigrationStatus,
  OpenDatabase,
}

/**
 * Applies the migrations that a database has not had, as `valkeyrie migrate` does: after a backup, each in a transaction of its own, and
 * those with TypeScript steps too. Others may have the file open meanwhile.
 *
 * ```ts
 * const migrated = await migrate('./data.db', { modules: migrations })
 * migrated // => { applied: ['0000_initial'], backup: null, skipped: 0 }
 * const again = await migrate('./data.db', { modules: migrations })
 * again // => { applied: [], backup: null, skipped: 0 }
 * ```
 *
 * `database`: its path, or one that is open, which is of a file then. Where another process migrates it, this one waits for as long as that
 * takes: give a `signal` to end the wait. Rejects with the reason of the signal. Rejects with a MigrationError if there are no migrations,
 * and where one fails, of which nothing is applied then; where a step cannot convert rows, `refused` has the first of them. Rejects with
 * DatabaseBusyError where others do not let it read or write for 30 seconds, as one who keeps a transaction of SQLite open.
 */
export async function migrate(
  database: string | URL | OpenDatabase,
  options: MigrateOptions,
): Promise<MigrateResult> {
  checkMigrateOptions(options)
  const { backup = true, skipInvalid, baseline, onProgress, signal } = options
  const { path, migrations, definitions } = targetOf(database, options, 'migrate')
  signal?.throwIfAborted()
  // Loaded now and not before: the engine's binary crashes a Node.js that is too old for it.
  const { migrate: run } = await import('./migration/migrate.ts')
  const report = {
    line() {},
    progress: (task: string, done: number, total: number) => onProgress?.({ task, done, total }),
  }
  return run(
    { migrations, definitions: definitions ?? [] },
    { path, backup, skipInvalid, baseline, report, signal },
  )
}

/**
 * Tells which migrations a database has had, which are pending, and in what it differs from them and from the declared schemas. It writes
 * nothing. Of a file that is not there, all are pending.
 *
 * ```ts
 * const { applied, pending, drift } = await status('./new.db', { modules: migrations })
 * applied // => []
 * pending // => ['0000_initial']
 * drift // => []
 * ```
 *
 * `database`: its path, or one that is open, which is of a file then. Rejects with a MigrationError if there are no migrations.
 */
export async function status(
  database: string | URL | OpenDatabase,
  options: MigrationOptions,
): Promise<MigrationStatus> {
  checkStatusOptions(options)
  const { path, ...target } = targetOf(database, options, 'status')
  const { status: read } = await import('./migration/status.ts')
  return read(target, path)
}
