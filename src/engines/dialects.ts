import type { MigrationDialect } from '../driver/migration-dialect.ts'
import { postgresDialect } from '../driver/postgres/migrations/dialect.ts'
import { sqliteDialect } from '../driver/sqlite/migrations/dialect.ts'

/** The dialects of migrations, by the `dialect` of drizzle.config.ts. A new engine adds its own here. */
export const dialects: ReadonlyMap<string, MigrationDialect> = new Map(
  [sqliteDialect, postgresDialect].map((dialect) => [dialect.name, dialect]),
)
