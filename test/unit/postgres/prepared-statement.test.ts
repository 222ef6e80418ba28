import { sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { PreparedStatement } from '../../../src/driver/postgres/query/prepared-statement.ts'

it('is planned each time beside many rows that a session was shown, and once beside few', () => {
  const statement = new PreparedStatement(sql`SELECT 1`, true)
  const shown = Array.from({ length: 20_000 }, () => ({
    key: new Uint8Array(1),
    collection: null,
    row: null,
  }))
  expect(statement.planned()).toBe(statement)
  expect(statement.planned(shown.slice(0, 10))).toBe(statement)
  expect(statement.planned(shown)).toEqual({ text: 'SELECT 1' })
})
