import { assertDialect } from '../driver/migration.ts'
import type { DeclaredTable, Drift } from '../driver/migration-database.ts'
import { collectionsOf } from './collections-of.ts'
import { sameCollections } from './compare-collections.ts'
import type { Target } from './migrate.ts'
import { migratorOf } from './migrator-of.ts'
import { moduleDrift } from './module-index.ts'
import { sourceOf } from './source.ts'

/** Which migrations a database has had, and what differs. */
export interface MigrationStatus {
  /** The migrations that it has had, in order. */
  readonly applied: readonly string[]
  /** The migrations that it has not had: `migrate` applies them. */
  readonly pending: readonly string[]
  /** What is not as it should be; empty if everything is. */
  readonly drift: readonly Drift[]
}

/** What a database is compared with. */
export interface StatusTarget extends Omit<Target, 'definitions'> {
  /** The declared schemas; `null` if unknown. */
  readonly definitions: Target['definitions'] | null
  /** Declared tables that are not those of this library. */
  readonly others?: readonly DeclaredTable[]
}

/** Compares a database with migrations and with declared schemas. It writes nothing. */
export async function status(target: StatusTarget, path: string): Promise<MigrationStatus> {
  const { migrations } = sourceOf(target.migrations)
  const last = migrations.at(-1)?.snapshot.collections ?? []
  const declared = target.definitions === null ? last : collectionsOf(target.definitions)
  const drift: Drift[] = typeof target.migrations === 'string' ? moduleDrift(target.migrations) : []
  if (!sameCollections(last, declared)) {
    const message = 'the schemas have changed since the last migration: run "valkeyrie generate"'
    drift.unshift({ kind: 'schemas', name: null, message })
  }
  const tags = migrations.map(({ tag }) => tag)
  const { migrator, address } = await migratorOf(path)
  assertDialect(migrations, migrator.dialect)
  if (!(await migrator.exists(address))) return { applied: [], pending: tags, drift }
  const db = await migrator.open(address, true)
  try {
    const standing = await db.standing(migrations, declared, target.others ?? [])
    const { applied, pending, history } = standing
    const strayed: Drift[] = history === null ? [] : [{ kind: 'history', name: null, message: history }]
    return { applied, pending, drift: [...strayed, ...drift, ...standing.drift] }
  } finally {
    await db.close()
  }
}
