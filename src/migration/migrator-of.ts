import type { Migrator } from '../driver/migration-database.ts'
import { locate } from '../engines/engines.ts'

/** The migrator of a database, its address, and how messages show that. */
export async function migratorOf(
  database: string,
): Promise<{ readonly migrator: Migrator; readonly address: string; readonly shown: string }> {
  const { engine, address } = locate(database)
  return { migrator: await engine.migrator(address), address, shown: engine.shown(address) }
}
