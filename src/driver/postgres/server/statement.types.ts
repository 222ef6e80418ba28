/** A statement. With a `name`, each connection keeps its plan on the server under that name. */
export interface Statement {
  readonly name?: string
  readonly text: string
}

/** A row: its columns in order. */
export type Row = readonly unknown[]

/** Runs a statement somewhere: on any connection, or in the transaction of a session. */
export type RunStatement = (statement: Statement, values: readonly unknown[]) => Promise<Row[]>
