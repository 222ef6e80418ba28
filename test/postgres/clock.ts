import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { vi } from 'vitest'

/** The schema of the clock; it comes before that of the server. */
const schema = 'test_clock'

/**
 * Creates a database whose clock follows the stopped clock of a test, and returns its name. The engine asks the server for the time
 * with functions of the server: in this database, functions of the same names come first, which return the time that the connection
 * got last.
 */
export async function clockedDatabase(address: string): Promise<string> {
  const name = `clocked_${randomBytes(8).toString('hex')}`
  await execute(address, `create database ${name}`)
  const told = (otherwise: string) =>
    `select coalesce(to_timestamp(nullif(current_setting('${schema}.now', true), '')::float8 / 1000), pg_catalog.${otherwise}())`
  await execute(
    inDatabase(address, name),
    `create schema ${schema};
     create function ${schema}.clock_timestamp() returns timestamptz language sql volatile as $$ ${told('clock_timestamp')} $$;
     create function ${schema}.now() returns timestamptz language sql stable as $$ ${told('now')} $$;
     alter database ${name} set search_path = ${schema}, pg_catalog, public`,
  )
  return name
}

/** The address of the same schema in another database of the server. */
export function inDatabase(address: string, name: string): string {
  const url = new URL(address)
  url.pathname = `/${name}`
  return url.href
}

/** Sends the time to the server before each statement of this process, while a test has stopped the clock. */
export function tellTime(): void {
  const { query } = pg.Client.prototype
  const told = new WeakSet<pg.Client>()
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const now = vi.isFakeTimers() ? String(Date.now()) : ''
    if (now !== '' || told.has(this)) {
      told.add(this)
      Reflect.apply(query, this, [`set ${schema}.now = '${now}'`, () => {}])
    }
    return Reflect.apply(query, this, args)
  } as typeof query
}

async function execute(address: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: address })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
