/** A statement: with a `name` the server keeps its plan, on each connection, under this name. */
export interface Statement {
  readonly name?: string
  readonly text: string
}

/** A row: its columns in their order. */
export type Row = readonly unknown[]

/** Runs a statement somewhere: on whichever connection, or in the transaction of a session. */
export type RunStatement = (statement: Statement, values: readonly unknown[]) => Promise<Row[]>
