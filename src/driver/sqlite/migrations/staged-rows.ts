import type { FailedRow, OldRow, StagedRow, StagedRows } from '../../migration-database.ts'
import type { StagingTable } from './staging-table.ts'

/** The results of one step, for callers that may have to wait. `run` retries while others are in the way. */
export class SqliteStagedRows implements StagedRows {
  readonly #table: StagingTable
  readonly #run: <T>(attempt: () => T) => Promise<T>

  constructor(table: StagingTable, run: <T>(attempt: () => T) => Promise<T>) {
    this.#table = table
    this.#run = run
  }

  begin(): Promise<number> {
    return this.#run(() => this.#table.begin())
  }

  last(): Promise<Uint8Array> {
    return this.#run(() => this.#table.last())
  }

  rowsAfter(key: Uint8Array, limit: number): Promise<OldRow[]> {
    return this.#run(() => this.#table.rowsAfter(key, limit))
  }

  staleRows(key: Uint8Array, limit: number): Promise<OldRow[]> {
    return this.#run(() => this.#table.staleRows(key, limit))
  }

  stage(rows: readonly StagedRow[]): Promise<void> {
    return this.#run(() => this.#table.stage(rows))
  }

  failures(): Promise<FailedRow[]> {
    return this.#run(() => this.#table.failures())
  }

  discard(): Promise<void> {
    return this.#run(() => this.#table.discard())
  }
}
