import type { Catalog, Collection } from '../../../catalog/catalog.ts'
import { type Difference, differences } from '../../../catalog/differences.ts'
import { clock } from '../../../time/clock.ts'
import type { Read } from '../../driver.ts'
import { collectionOfRead } from '../../read-collection.ts'
import type { RunStatement } from '../server/statement.types.ts'

/** In milliseconds: queries come in bursts, and one look serves a burst. */
const betweenLooks = 2

interface GuardOptions {
  readonly declared: readonly Collection[]
  /** As it was when the database was opened. */
  readonly opened: Catalog
  /** The present version of the catalogue. */
  version(): Promise<number>
  /** By this connection, or by any. */
  catalog(run?: RunStatement): Promise<Catalog>
}

/** Notices when others have changed the catalogue so that a query would no longer find what it means. */
export class CatalogGuard {
  readonly #options: GuardOptions
  #version: number
  #differences: ReadonlyMap<string, Difference> = new Map()
  #lookedAt = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | null = null

  constructor(options: GuardOptions) {
    this.#options = options
    this.#version = options.opened.version
  }

  /**
   * Reads. Rejects with a MigrationError if the catalogue no longer fits the schema that the read relies on. Rows of a collection
   * carry the version of the catalogue in their last column; without rows, it is looked up.
   */
  async watch<T>(request: Read, run: RunStatement, read: (run: RunStatement) => Promise<T>): Promise<T> {
    if (collectionOfRead(request) === null) return read(run)
    let version: number | undefined
    const result = await read(async (statement, values) => {
      const rows = await run(statement, values)
      version = rows[0]?.at(-1) as number | undefined
      return rows
    })
    if (version !== undefined) await this.saw(version)
    else await (clock() - this.#lookedAt > betweenLooks ? this.#look() : this.#looking)
    this.assertFits(request)
    return result
  }

  /** Throws a MigrationError for a read whose schema no longer fits the catalogue as last seen. */
  assertFits(request: Read): void {
    if (this.#differences.size === 0) return
    const difference = this.#differences.get(collectionOfRead(request) ?? '')
    if (difference?.reads) throw difference.error
  }

  /**
   * Reports the version of the catalogue. A session says how to read the catalogue in its own state: behind a pooler, it may hold the
   * last connection.
   */
  async saw(version: number, run?: RunStatement): Promise<void> {
    if (version === this.#version) return
    const catalog = await this.#options.catalog(run)
    this.#differences = differences(this.#options.declared, this.#options.opened, catalog)
    this.#version = catalog.version
  }

  #look(): Promise<void> {
    this.#lookedAt = clock()
    const looking = this.#options.version().then((version) => this.saw(version))
    const over = () => {
      if (this.#looking === looking) this.#looking = null
    }
    this.#looking = looking
    looking.then(over, over)
    return looking
  }
}
