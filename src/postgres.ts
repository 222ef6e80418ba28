/**
 * The subpath `valkeyrie/postgres`, for the schema module of a database on PostgreSQL. It loads no driver, so drizzle-kit and other
 * tools can import it.
 */
export {
  type PostgresKvCollectionsTable,
  type PostgresKvLogTable,
  type PostgresKvTable,
  type PostgresTables,
  postgresKvTables,
} from './driver/postgres/tables/table.ts'
