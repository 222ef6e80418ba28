import type Database from 'better-sqlite3'
import { is, Param, Placeholder } from 'drizzle-orm'
import type { Logger } from 'drizzle-orm/logger'

/** A Drizzle query, built but not run. */
export interface BuiltQuery {
  toSQL(): { sql: string; params: unknown[] }
}

type Bindable = string | number | bigint | Uint8Array | null

/**
 * A Drizzle query that is compiled once and runs on the engine directly, its rows as arrays in the order of the
 * selected columns. Drizzle's own prepared query fills its placeholders and maps its columns on every call.
 */
export class Statement<Parameters extends readonly Bindable[], Row extends readonly unknown[]> {
  readonly #statement: Database.Statement<unknown[], unknown>
  readonly #sql: string
  readonly #logger: Logger | undefined

  constructor(connection: Database.Database, query: BuiltQuery, names: readonly string[], logger?: Logger) {
    const { sql, params } = query.toSQL()
    const order = params.map(placeholderName)
    if (order.join() !== names.join()) {
      throw new Error(`the placeholders of ${sql} stand as ${order.join()}, not as ${names.join()}`)
    }
    this.#statement = connection.prepare(sql)
    if (this.#statement.reader) this.#statement.raw(true)
    this.#sql = sql
    this.#logger = logger
  }

  get(...parameters: Parameters): Row | undefined {
    if (this.#logger) this.#logger.logQuery(this.#sql, [...parameters])
    return this.#statement.get(...parameters) as Row | undefined
  }

  all(...parameters: Parameters): Row[] {
    if (this.#logger) this.#logger.logQuery(this.#sql, [...parameters])
    return this.#statement.all(...parameters) as Row[]
  }

  /** As `all`, a row at a time; nothing else runs on the connection until the loop over it has ended. */
  iterate(...parameters: Parameters): IterableIterator<Row> {
    if (this.#logger) this.#logger.logQuery(this.#sql, [...parameters])
    return this.#statement.iterate(...parameters) as IterableIterator<Row>
  }

  /** Runs a query that gives no rows; the number of rows that it changed. */
  run(...parameters: Parameters): number {
    if (this.#logger) this.#logger.logQuery(this.#sql, [...parameters])
    return this.#statement.run(...parameters).changes
  }
}

/** Drizzle wraps the placeholder of an inserted column, so as to map its value; here it is bound as it is. */
function placeholderName(parameter: unknown): string {
  const inner = is(parameter, Param) ? parameter.value : parameter
  return is(inner, Placeholder) ? inner.name : String(inner)
}
