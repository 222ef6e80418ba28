/** Something in a database that is not as the migrations and the declared schemas have it. */
export interface Drift {
  /**
   * `table`, `column`, `index`: it is missing, differs, or is not declared. `history`: the migrations that the database has had are not
   * those of the folder, or one was edited since. `schemas`: the declared schemas have changed since the last migration. `modules`: the `index.ts` of the folder
   * of migrations does not hold what the folder does.
   */
  readonly kind: 'table' | 'column' | 'index' | 'history' | 'schemas' | 'modules'
  /** Of a table, a column or an index: its name. Of a migration that was edited: its tag. */
  readonly name: string | null
  /** What it is, as a sentence. */
  readonly message: string
}
