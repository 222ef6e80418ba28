import type { Migrator } from '../driver/migration-database.ts'
import { locate } from '../engines/engines.ts'

/** What migrates a database, and where that is. */
export async function migratorOf(
  database: string,
): Promise<{ readonly migrator: Migrator; readonly address: string }> {
  const { engine, address } = locate(database)
  return { migrator: await engine.migrator(address), address }
}
