import type { Drift } from '../driver/drift.ts'
import type { Migration } from '../driver/sqlite/migrations/folder.ts'
import { MigrationDatabase } from '../driver/sqlite/migrations/migration-database.ts'

/** Applies migrations to an empty database in memory, and gives in what it differs from what the last of them tells. */
export async function tryOut(migrations: readonly Migration[]): Promise<readonly Drift[]> {
  const db = await MigrationDatabase.open(':memory:')
  try {
    for (const migration of migrations) await db.apply(migrations, migration)
    return db.drift(migrations.at(-1)?.snapshot.collections ?? [])
  } finally {
    db.close()
  }
}
