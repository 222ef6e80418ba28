import { existsSync } from 'node:fs'
import type { Migrator } from '../../migration-database.ts'
import { SqliteMigrationDatabase } from './migration-database.ts'
import { SqliteMigrationLock } from './migration-lock.ts'
import { replaceFile } from './replace.ts'

/** How files are migrated. */
export const sqliteMigrator: Migrator = {
  dialect: 'sqlite',
  exists: async (path) => existsSync(path),
  open: (path, readOnly) => SqliteMigrationDatabase.open(path, readOnly),
  replace: replaceFile,
  lock: (path, onWait, signal) => SqliteMigrationLock.acquire(path, onWait, signal),
}
