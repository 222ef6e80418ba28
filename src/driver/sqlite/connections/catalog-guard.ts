import type { Catalog, Collection } from '../../../catalog/catalog.ts'
import { type Difference, differences } from '../../../catalog/differences.ts'
import type { Read } from '../../driver.ts'
import { collectionOfRead } from '../../read-collection.ts'
import type { Connection } from '../module/sqlite-module.ts'
import type { Statements } from '../rows/statements.ts'
import { ownCatalogChanges, readCatalog, schemaVersionReader, versionReader } from '../tables/catalog.ts'

/** In milliseconds: a look costs as much as reading a row, and queries come in bursts. */
const betweenLooks = 2

/**
 * Notices when the catalogue has changed so that a query would no longer find what it means: changes of this process at once, those
 * of other processes after two milliseconds at most.
 */
export class CatalogGuard {
  readonly #connection: Connection
  readonly #control: Statements['control']
  readonly #declared: readonly Collection[]
  readonly #opened: Catalog
  readonly #readVersion: () => number
  readonly #readSchemaVersion: () => number
  #version: number
  #schemaVersion: number | null = null
  #dataVersion: unknown
  #differences: ReadonlyMap<string, Difference> = new Map()
  /** When it last looked, and how many changes of catalogues this process had made by then. */
  #lookedAt = Number.NEGATIVE_INFINITY
  #ownChanges = 0

  /** `catalog`: as it was when the database was opened with the declared collections. */
  constructor(
    connection: Connection,
    { control }: Statements,
    declared: readonly Collection[],
    catalog: Catalog,
  ) {
    this.#connection = connection
    this.#control = control
    this.#declared = declared
    this.#opened = catalog
    this.#version = catalog.version
    this.#readVersion = versionReader(connection)
    this.#readSchemaVersion = schemaVersionReader(connection)
  }

  /** Throws a MigrationError for a read whose schema no longer fits the catalogue. */
  assertFits(read: Read): void {
    const name = collectionOfRead(read)
    if (name === null) return
    const now = performance.now()
    if (now - this.#lookedAt > betweenLooks || this.#ownChanges !== ownCatalogChanges()) this.#look(now)
    if (this.#differences.size === 0) return
    const difference = this.#differences.get(name)
    if (difference?.reads) throw difference.error
  }

  #look(now: number): void {
    const dataVersion = this.#control.dataVersion.get()
    if (dataVersion !== this.#dataVersion) {
      const version = this.#readVersion()
      const schemaVersion = this.#readSchemaVersion()
      if (version !== this.#version || schemaVersion !== this.#schemaVersion) {
        const catalog = readCatalog(this.#connection)
        this.#differences = differences(this.#declared, this.#opened, catalog)
        this.#version = version
        this.#schemaVersion = schemaVersion
      }
      this.#dataVersion = dataVersion
    }
    this.#lookedAt = now
    this.#ownChanges = ownCatalogChanges()
  }
}
