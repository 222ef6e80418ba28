import { existsSync } from 'node:fs'
import type { Migrator } from '../../migration-database.ts'
import { SqliteMigrationDatabase } from './migration-database.ts'
import { SqliteMigrationLock } from './migration-lock.ts'

/** How files are migrated. */
export const sqliteMigrator: Migrator = {
  exists: async (path) => existsSync(path),
  open: (path, readOnly) => SqliteMigrationDatabase.open(path, readOnly),
  lock: (path, onWait, signal) => SqliteMigrationLock.acquire(path, onWait, signal),
}
