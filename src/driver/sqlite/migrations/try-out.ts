import type { Migration } from '../../migration.ts'
import type { Drift } from '../../migration-database.ts'
import { SqliteMigrationDatabase } from './migration-database.ts'

/** Implements the dialect's `tryOut`, in memory. */
export async function tryOut(migrations: readonly Migration[]): Promise<readonly Drift[]> {
  const db = await SqliteMigrationDatabase.open(':memory:')
  try {
    for (const migration of migrations) await db.apply(migrations, migration, [], () => true)
    const { drift } = await db.standing(migrations, migrations.at(-1)?.snapshot.collections ?? [], [])
    return drift
  } finally {
    await db.close()
  }
}
