import { randomBytes } from 'node:crypto'

// Files of tests that run in two projects of vitest.config.ts take their databases from here, on the engine of the project.

/** Where the project on PostgreSQL has the address of its server. */
export const addressVariable = 'VALKEYRIE_TEST_ADDRESS'

/** Where a database is that is new and empty: in memory on SQLite, in a schema of its own on PostgreSQL. */
export function newAddress(): string | undefined {
  return addressInSchema(randomBytes(8).toString('hex'))
}

/** The address of a schema of the server; undefined on SQLite. */
export function addressInSchema(name: string): string | undefined {
  const server = process.env[addressVariable]
  return server === undefined ? undefined : `${server}?schema=test_${name}`
}
