import type Database from 'better-sqlite3'
import { is, Placeholder, type SQL } from 'drizzle-orm'
import type { Logger } from 'drizzle-orm/logger'
import { SQLiteSyncDialect } from 'drizzle-orm/sqlite-core'
import type { Operand } from '../../../query/condition.ts'
import { type Bindable, bindingOf } from './binding.ts'

const dialect = new SQLiteSyncDialect()

/** A query as the engine runs it, and what makes the values to bind of the operands of a plan. */
export class PreparedQuery {
  readonly sql: string
  readonly #bindings: readonly ReturnType<typeof bindingOf>[]
  readonly #statement: Database.Statement<unknown[], unknown>
  readonly #logger: Logger | undefined

  constructor(connection: Database.Database, query: SQL, logger: Logger | undefined) {
    const { sql, params } = dialect.sqlToQuery(query)
    this.sql = sql
    this.#bindings = params.map((parameter) => {
      if (!is(parameter, Placeholder)) throw new TypeError(`an operand is spliced into ${sql}`)
      return bindingOf(parameter.name)
    })
    this.#statement = connection.prepare(sql).raw(true)
    this.#logger = logger
  }

  /** The values for the placeholders; `now` in milliseconds since the epoch. */
  bind(operands: readonly Operand[], now: number): Bindable[] {
    const bindings = this.#bindings
    const values = new Array<Bindable>(bindings.length)
    for (let i = 0; i < bindings.length; i++) values[i] = bindings[i]!(operands, now)
    return values
  }

  /** The rows, each an array of its columns. */
  all(operands: readonly Operand[], now: number): unknown[] {
    const values = this.bind(operands, now)
    if (this.#logger) this.#logger.logQuery(this.sql, values)
    return this.#statement.all(...values)
  }
}
