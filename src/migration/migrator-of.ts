import type { Migrator } from '../driver/migration-database.ts'
import { locate } from '../engines/engines.ts'

/** What migrates a database, where that is, and how messages show it. */
export async function migratorOf(
  database: string,
): Promise<{ readonly migrator: Migrator; readonly address: string; readonly shown: string }> {
  const { engine, address } = locate(database)
  return { migrator: await engine.migrator(address), address, shown: engine.shown(address) }
}
