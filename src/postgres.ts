/** What a schema module of a database on PostgreSQL needs, `valkeyrie/postgres`: it loads no driver, so drizzle-kit and other tools can read it. */
export {
  type PostgresKvCollectionsTable,
  type PostgresKvLogTable,
  type PostgresKvTable,
  type PostgresTables,
  postgresKvTables,
} from './driver/postgres/tables/table.ts'
