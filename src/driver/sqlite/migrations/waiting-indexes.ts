import { engineCode } from '../file/engine-error.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { type BuiltIndex, builtIndexes, dropIndex, removeExpired } from '../tables/indexes.ts'
import { foldedName, kvTables } from '../tables/table.ts'
import { explainFailure } from './statement-failure.ts'

/**
 * The unique indexes that wait for the end of a migration, because they have to hold only then: values may be shifted. The engine looks at
 * each row on its own, so an index is taken away when a statement first meets it, and built again at the end.
 */
export class WaitingIndexes {
  readonly #connection: Connection
  readonly #waiting = new Map<string, BuiltIndex>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /**
   * Runs a statement that changes rows of some collections; without their unique indexes, if it fails with them, and then without those
   * of all others, since it may concern more than it names.
   */
  run<T>(concerns: (collection: string) => boolean, statement: () => T): T {
    for (;;) {
      try {
        return statement()
      } catch (error) {
        if (engineCode(error) !== 'SQLITE_CONSTRAINT_UNIQUE') throw error
        if (!this.#takeAway(concerns) && !this.#takeAway(() => true)) throw error
      }
    }
  }

  /** An index that the migration drops, or creates itself, is not built again. */
  forget(name: string): void {
    this.#waiting.delete(foldedName(name))
  }

  /** Builds them again. Throws a MigrationError that names the rows that are in the way. */
  restore(): void {
    if (this.#waiting.size === 0) return
    removeExpired(this.#connection, kvTables())
    for (const { text } of this.#waiting.values()) {
      try {
        this.#connection.exec(text)
      } catch (error) {
        throw explainFailure(this.#connection, text, error)
      }
    }
  }

  #takeAway(concerns: (collection: string) => boolean): boolean {
    const found = builtIndexes(this.#connection).filter(
      ({ declaration }) => declaration?.unique && concerns(declaration.collection),
    )
    for (const index of found) {
      dropIndex(this.#connection, index.name)
      this.#waiting.set(foldedName(index.name), index)
    }
    return found.length > 0
  }
}
