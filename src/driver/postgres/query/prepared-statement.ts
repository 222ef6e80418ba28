import type { SQL } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { QueryError } from '../../../contract/errors.ts'
import type { Operand } from '../../../query/operand.ts'
import type { ShownRow } from '../../driver.ts'
import type { Statement } from '../server/statement.types.ts'
import { statementName } from '../server/statement-name.ts'
import { type Bindable, Binding } from './binding.ts'

const dialect = new PgDialect()

/** The limit of the protocol. */
const mostBindings = 65_535

/** Beside more shown rows than this, comparing each stored key with theirs takes longer than planning. */
const mostNamed = 100

/** A query as the server runs it, and how to bind the operands of a plan. */
export class PreparedStatement implements Statement {
  /** Each connection keeps the plan of a statement under its name. */
  readonly name?: string
  readonly text: string
  readonly #bindings: readonly Binding['of'][]

  constructor(query: SQL, isNamed: boolean) {
    const { sql, params } = dialect.sqlToQuery(query)
    this.text = sql
    if (isNamed) this.name = statementName('query', sql)
    if (params.length > mostBindings)
      throw new QueryError(`A query binds at most ${mostBindings} operands: this one binds ${params.length}`)
    this.#bindings = params.map((parameter) => {
      if (!(parameter instanceof Binding)) throw new TypeError(`an operand is spliced into ${sql}`)
      return parameter.of
    })
  }

  /**
   * As it is to be run beside rows that a session was shown. Beside many, it is planned each time: the one plan for any number of rows
   * compares each stored key with all of theirs, one after the other.
   */
  planned(shown: readonly ShownRow[] = []): Statement {
    return shown.length > mostNamed ? { text: this.text } : this
  }

  /** The values for the placeholders. */
  bind(operands: readonly Operand[], shown: readonly ShownRow[] = []): Bindable[] {
    return this.#bindings.map((of) => of(operands, shown))
  }
}
