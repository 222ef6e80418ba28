import type { OpenOptions } from 'valkeyrie'
import type { Catalog, Collection } from '../../src/catalog/catalog.ts'
import type { Driver } from '../../src/driver/driver.ts'
import { openPostgres } from '../../src/driver/postgres/open.ts'
import { openSqlite } from '../../src/driver/sqlite/open.ts'
import { driverOptions } from '../driver-options.ts'
import { serverOfRun } from '../postgres/server-of-run.ts'

/** An engine that a law has to hold on. */
export interface TestedEngine {
  readonly name: 'sqlite' | 'postgres'
  /** Where to open a database of its own, and the options that make it one. */
  place(): readonly [address: string | undefined, options: OpenOptions]
  /** The driver of a new database without anything above it. */
  open(collections: readonly Collection[]): Promise<{ readonly driver: Driver; readonly catalog: Catalog }>
}

const options = { ...driverOptions, busyTimeout: 5_000 }

let schemas = 0

/** A schema of the server that no other test has. */
function newSchema(): string {
  return `laws_${process.pid}_${schemas++}`
}

const sqlite: TestedEngine = {
  name: 'sqlite',
  place: () => [undefined, {}],
  open: (collections) => openSqlite(collections, { ...options, durability: 'normal' }),
}

const server = await serverOfRun()

/** All of them; without a server of PostgreSQL here, SQLite alone. */
export const engines: readonly TestedEngine[] =
  'url' in server
    ? [
        sqlite,
        {
          name: 'postgres',
          place: () => [server.url, { schema: newSchema(), destroyOnClose: true }],
          open: (collections) =>
            openPostgres(server.url, collections, {
              ...options,
              schema: newSchema(),
              connections: 3,
              connectTimeout: 10_000,
            }),
        },
      ]
    : [sqlite]
