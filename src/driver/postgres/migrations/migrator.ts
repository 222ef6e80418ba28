import type { Migrator } from '../../migration-database.ts'
import { isThere } from './history.ts'
import { PostgresMigrationDatabase } from './migration-database.ts'
import { PostgresMigrationLock } from './migration-lock.ts'
import { MigrationSession } from './migration-session.ts'
import { replaceSchema } from './replace.ts'

/** How schemas of a server are migrated. */
export const postgresMigrator: Migrator = {
  dialect: 'postgresql',
  async exists(address) {
    const session = await MigrationSession.open(address)
    try {
      return await isThere(session.run, session.s)
    } finally {
      await session.end()
    }
  },
  open: (address) => PostgresMigrationDatabase.open(address),
  replace: (address, _busyTimeout, make) => replaceSchema(address, make),
  lock: (address, onWait, signal) => PostgresMigrationLock.acquire(address, onWait, signal),
}
