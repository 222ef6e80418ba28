import type { MigrationDialect } from '../driver/migration-dialect.ts'
import { postgresDialect } from '../driver/postgres/migrations/dialect.ts'
import { sqliteDialect } from '../driver/sqlite/migrations/dialect.ts'

/** The dialects in which migrations are written, by the `dialect` of drizzle.config.ts: here a further one joins. */
export const dialects: ReadonlyMap<string, MigrationDialect> = new Map(
  [sqliteDialect, postgresDialect].map((dialect) => [dialect.name, dialect]),
)
