import type { Connection } from '../server/connection.ts'
import { isUniqueViolation, sqlState } from '../server/server-error.ts'
import { ServerCatalog } from '../tables/catalog.ts'
import { ServerIndexes } from '../tables/indexes.ts'
import type { TypedIndex } from '../tables/typed-index.ts'

const replaced =
  /^(?:DROP INDEX(?: IF EXISTS)?|CREATE (?:UNIQUE )?INDEX(?: IF NOT EXISTS)?) "((?:[^"]|"")+)"(?:;?$| ON )/i

/**
 * The unique indexes that wait for the end of a migration, because they have to hold only then: values may be shifted. The server looks at
 * each row on its own, so an index is taken away when a statement first meets it, and built again at the end.
 */
export class WaitingIndexes {
  readonly #connection: Connection
  readonly #catalog: ServerCatalog
  readonly #indexes: ServerIndexes
  readonly #waiting = new Map<string, TypedIndex>()

  constructor(connection: Connection, schema: string) {
    this.#connection = connection
    this.#catalog = new ServerCatalog(schema, (it, values) => connection.run(it, values))
    this.#indexes = new ServerIndexes(schema, (it, values) => connection.run(it, values))
  }

  /**
   * Runs a statement; without the unique indexes of a collection, if it fails with them. After another failure, the transaction is as before
   * the statement.
   */
  async run(statement: () => Promise<unknown>): Promise<void> {
    for (;;) {
      await this.#connection.execute('savepoint kv_statement')
      try {
        await statement()
        break
      } catch (error) {
        if (sqlState(error) === undefined) throw error
        await this.#connection.execute('rollback to savepoint kv_statement; release savepoint kv_statement')
        if (!(await this.#takeAway(error))) throw error
      }
    }
    await this.#connection.execute('release savepoint kv_statement')
  }

  /** An index that the migration drops, or creates itself, is not built again. */
  forgetIn(statement: string): void {
    const name = replaced.exec(statement)?.[1]?.replaceAll('""', '"')
    if (name !== undefined) this.#waiting.delete(name)
  }

  /** Builds them again. Rejects with a MigrationError that names the rows that are in the way. */
  async restore(): Promise<void> {
    if (this.#waiting.size === 0) return
    await this.#catalog.removeExpired()
    await this.#indexes.build({ create: this.#waiting, replace: [] })
  }

  async #takeAway(error: unknown): Promise<boolean> {
    if (!isUniqueViolation(error)) return false
    const { constraint, table } = error as { readonly constraint?: unknown; readonly table?: unknown }
    if (table !== 'kv') return false
    const built = await this.#indexes.built()
    const met = built.find(({ name, index }) => name === constraint && index?.unique)?.index
    for (const { name, index } of built) {
      if (!index?.unique || index.collection !== met?.collection) continue
      await this.#indexes.drop(name)
      this.#waiting.set(name, index)
    }
    return met !== undefined
  }
}
