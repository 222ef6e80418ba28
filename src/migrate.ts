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
 * Applies the pending migrations to a database, as `valkeyrie migrate` does: after a backup, each in one transaction, TypeScript
 * steps included. Others may have the file open meanwhile.
 *
 * ```ts
 * const migrated = await migrate('./data.db', { modules: migrations })
 * migrated // => { applied: ['0000_initial'], backup: null, skipped: 0 }
 * const again = await migrate('./data.db', { modules: migrations })
 * again // => { applied: [], backup: null, skipped: 0 }
 * ```
 *
 * `database` is a path, or an open database in a file. While another process migrates it, this one waits; pass a `signal` to end
 * the wait. Rejects with the reason of the signal. Rejects with a MigrationError if there are no migrations, or if one fails, of
 * which then nothing is applied; if a step cannot convert rows, `refused` has the first of them. Rejects with DatabaseBusyError
 * if others do not let it read or write for 30 seconds, for example with an open SQLite transaction.
 */
export async function migrate(
  database: string | URL | OpenDatabase,
  options: MigrateOptions,
): Promise<MigrateResult> {
  checkMigrateOptions(options)
  const { backup = true, skipInvalid, baseline, onProgress, signal } = options
  const { path, migrations, definitions } = targetOf(database, options, 'migrate')
  signal?.throwIfAborted()
  // Loaded here, because the engine's binary crashes a Node.js that is too old for it.
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
 * Reports which migrations a database has had, which are pending, and how it differs from them and from the declared schemas. It
 * writes nothing. If the file does not exist, all are pending.
 *
 * ```ts
 * const { applied, pending, drift } = await status('./new.db', { modules: migrations })
 * applied // => []
 * pending // => ['0000_initial']
 * drift // => []
 * ```
 *
 * `database` is a path, or an open database in a file. Rejects with a MigrationError if there are no migrations.
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
