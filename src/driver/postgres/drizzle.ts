import type { Logger } from 'drizzle-orm/logger'
import { drizzle } from 'drizzle-orm/node-postgres'
import type { PlainDrizzle } from '../engine.ts'
import type { CheckedPostgresOptions, Postgres, PostgresDrizzle } from './engine.types.ts'
import { clientOf, type Pg } from './server/connect.ts'
import { type PostgresTables, postgresTables } from './tables/table.ts'

/** Plain Drizzle over a database, on connections of its own, opened on demand. */
export class ServerDrizzle implements PlainDrizzle<Postgres> {
  readonly engine = 'postgres'
  readonly tables: PostgresTables
  readonly #make: () => PostgresDrizzle
  #drizzle: PostgresDrizzle | undefined
  #pool: { end(): Promise<void> } | undefined

  constructor(
    pg: Pg,
    address: string,
    options: CheckedPostgresOptions & { readonly logger?: Logger | undefined },
  ) {
    this.tables = postgresTables(options.schema)
    this.#make = () => {
      const pool = new pg.Pool({
        Client: clientOf(pg, address),
        connectionString: address,
        max: options.connections,
        allowExitOnIdle: true,
      })
      this.#pool = pool
      // The next statement replaces a lost idle connection.
      pool.on('error', () => {})
      return drizzle(pool, options.logger === undefined ? {} : { logger: options.logger }) as PostgresDrizzle
    }
  }

  /** Ends its connections once their statements are done. */
  async end(): Promise<void> {
    await this.#pool?.end()
    this.#pool = undefined
  }

  get drizzle(): PostgresDrizzle {
    this.#drizzle ??= this.#make()
    return this.#drizzle
  }
}
