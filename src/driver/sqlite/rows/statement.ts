import { is, Param, Placeholder } from 'drizzle-orm'
import type { Logger } from 'drizzle-orm/logger'
import type { Connection, EngineStatement } from '../module/sqlite-module.ts'

/** A Drizzle query, built but not run. */
export interface BuiltQuery {
  toSQL(): { sql: string; params: unknown[] }
}

/** What a statement runs: a function that makes a Drizzle query, or text. */
export type Query = (() => BuiltQuery) | string

type Bindable = string | number | bigint | Uint8Array | null

/**
 * A Drizzle query that is compiled when it first runs. It runs on the engine directly, and returns rows as arrays in the order of
 * the selected columns. Drizzle's own prepared query fills its placeholders and maps its columns on every call.
 */
export class Statement<Parameters extends readonly Bindable[], Row extends readonly unknown[]> {
  readonly #connection: Connection
  readonly #query: Query
  readonly #names: readonly string[]
  readonly #logger: Logger | undefined
  #prepared: EngineStatement<unknown[], unknown> | undefined
  /** Called before each `run`, with its parameters. */
  beforeRun: ((...parameters: Parameters) => void) | undefined

  constructor(connection: Connection, query: Query, names: readonly string[], logger?: Logger) {
    this.#connection = connection
    this.#query = query
    this.#names = names
    this.#logger = logger
  }

  get #statement(): EngineStatement<unknown[], unknown> {
    this.#prepared ??= this.#prepare()
    return this.#prepared
  }

  #prepare(): EngineStatement<unknown[], unknown> {
    const query = this.#query
    const text = typeof query === 'string' ? query : textOf(query(), this.#names)
    const statement = this.#connection.prepare<unknown[], unknown>(text)
    if (statement.reader) statement.raw()
    return statement
  }

  get(...parameters: Parameters): Row | undefined {
    if (this.#logger) this.#logger.logQuery(this.#statement.source, [...parameters])
    return this.#statement.get(...parameters) as Row | undefined
  }

  all(...parameters: Parameters): Row[] {
    if (this.#logger) this.#logger.logQuery(this.#statement.source, [...parameters])
    return this.#statement.all(...parameters) as Row[]
  }

  /** Like `all`, one row at a time; nothing else can run on the connection until the loop has ended. */
  iterate(...parameters: Parameters): IterableIterator<Row> {
    if (this.#logger) this.#logger.logQuery(this.#statement.source, [...parameters])
    return this.#statement.iterate(...parameters) as IterableIterator<Row>
  }

  /** Runs a query without rows; returns how many rows it changed. */
  run(...parameters: Parameters): number {
    if (this.#logger) this.#logger.logQuery(this.#statement.source, [...parameters])
    if (this.beforeRun) this.beforeRun(...parameters)
    return this.#statement.run(...parameters).changes
  }
}

function textOf(query: BuiltQuery, names: readonly string[]): string {
  const { sql, params } = query.toSQL()
  const order = params.map(placeholderName)
  if (order.join() !== names.join()) {
    throw new Error(`the placeholders of ${sql} stand as ${order.join()}, not as ${names.join()}`)
  }
  return sql
}

/** Drizzle wraps the placeholder of an inserted column to map its value; here it is bound as it is. */
function placeholderName(parameter: unknown): string {
  const inner = is(parameter, Param) ? parameter.value : parameter
  return is(inner, Placeholder) ? inner.name : String(inner)
}
