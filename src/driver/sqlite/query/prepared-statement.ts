import type { SQL } from 'drizzle-orm'
import type { Logger } from 'drizzle-orm/logger'
import { SQLiteSyncDialect } from 'drizzle-orm/sqlite-core'
import { QueryError } from '../../../contract/errors.ts'
import type { Operand } from '../../../query/operand.ts'
import type { Connection, EngineStatement } from '../module/sqlite-module.ts'
import { type Bindable, Binding } from './binding.ts'

const dialect = new SQLiteSyncDialect()

/** The limit of SQLite. */
const mostBindings = 32_766

/** A query as the engine runs it, and how to bind the operands of a plan. */
export class PreparedStatement {
  readonly sql: string
  readonly #bindings: readonly Binding['of'][]
  readonly #statement: EngineStatement
  readonly #logger: Logger | undefined

  constructor(connection: Connection, query: SQL, logger: Logger | undefined) {
    const { sql, params } = dialect.sqlToQuery(query)
    this.sql = sql
    if (params.length > mostBindings)
      throw new QueryError(`A query binds at most ${mostBindings} operands: this one binds ${params.length}`)
    this.#bindings = params.map((parameter) => {
      if (!(parameter instanceof Binding)) throw new TypeError(`an operand is spliced into ${sql}`)
      return parameter.of
    })
    this.#statement = connection.prepare(sql).raw()
    this.#logger = logger
  }

  /** The values for the placeholders; `now` in milliseconds since the epoch. */
  bind(operands: readonly Operand[], now: number): Bindable[] {
    const bindings = this.#bindings
    const values = new Array<Bindable>(bindings.length)
    for (let i = 0; i < bindings.length; i++) values[i] = bindings[i]!(operands, now)
    return values
  }

  /** Like `all`, one row at a time; until it ends, the connection can only read. */
  iterate(operands: readonly Operand[], now: number): IterableIterator<unknown> {
    const values = this.bind(operands, now)
    if (this.#logger) this.#logger.logQuery(this.sql, values)
    return this.#statement.iterate(...values)
  }

  /** The rows, each an array of its columns. */
  all(operands: readonly Operand[], now: number): unknown[] {
    const values = this.bind(operands, now)
    if (this.#logger) this.#logger.logQuery(this.sql, values)
    return this.#statement.all(...values)
  }
}
