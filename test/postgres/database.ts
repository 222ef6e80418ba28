import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { KvError, type OpenOptions, Valkeyrie } from 'valkeyrie'
import { onTestFinished } from 'vitest'
import { slowness } from '../waiting.ts'
import { openProxy } from './proxy.ts'

/** A schema name that is not in use. */
export function newSchema(): string {
  return `engine_${randomBytes(8).toString('hex')}`
}

/** Opens a database without schemas, which is closed when the test is over. */
export async function openAt(url: string, schema: string, options: OpenOptions = {}) {
  const db = await Valkeyrie.open(url, { schema, ...options })
  onTestFinished(() => db.close())
  return db
}

/** Milliseconds in which a machine of the usual speed connects many times over. */
const usualTimeout = 400

/** Opens with a `connectTimeout` that a test can wait out: as short as this machine connects within, as slow as it is now. */
export async function impatiently<Db>(
  open: (connectTimeout: number) => Promise<Db>,
): Promise<readonly [db: Db, connectTimeout: number]> {
  for (let connectTimeout = Math.round(usualTimeout * slowness()); ; connectTimeout *= 2) {
    try {
      return [await open(connectTimeout), connectTimeout]
    } catch (error) {
      const isTooSlow = error instanceof KvError && error.code === 'DATABASE_OPEN'
      if (!isTooSlow || connectTimeout > 600_000) throw error
    }
  }
}

/** A connection by hand, which ends with the test. */
export async function byHand(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

/** Ends the connections whose last statement names this schema and is like that one. `active` ends those on which it runs. */
export async function terminate(
  client: pg.Client,
  schema: string,
  statement = '%',
  state: '%' | 'active' = '%',
): Promise<number> {
  const { rowCount } = await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'valkeyrie' and pid <> pg_backend_pid() and query like $1 and query like $2
        and state like $3`,
    [`%${schema}%`, statement, state],
  )
  return rowCount ?? 0
}

/** Stands before the server at this address until the test is over. `isCommit`: whether a request is of those that are harmed. */
export async function startProxy(address: string, isCommit?: (bytes: Buffer) => boolean) {
  const proxy = await openProxy(address, isCommit)
  onTestFinished(() => proxy.end())
  return proxy
}
