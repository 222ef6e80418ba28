import { locate } from '../driver/engines.ts'
import type { Migrator } from '../driver/migration-database.ts'

/** What migrates a database, and where that is. */
export async function migratorOf(
  database: string,
): Promise<{ readonly migrator: Migrator; readonly address: string }> {
  const { engine, address } = locate(database)
  return { migrator: await engine.migrator(address), address }
}
