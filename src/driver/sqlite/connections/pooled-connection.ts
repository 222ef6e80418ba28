import type { Catalog, Collection } from '../../../catalog/catalog.ts'
import { searchesOf } from '../../../catalog/searches.ts'
import { ChangeLog } from '../../../commit/log-format.ts'
import type { DriverOptions } from '../../engine.ts'
import { BatchCommit, type BatchState } from '../commit/batch-commit.ts'
import { Transactions } from '../commit/transactions.ts'
import type { DatabaseFile } from '../file/database-file.ts'
import { isSealed } from '../file/file-format.ts'
import type { Connection } from '../module/sqlite-module.ts'
import type { QueryRunner } from '../query/query-runner.ts'
import { HotRows, type Sharing } from '../reads/hot-rows.ts'
import { RowReads } from '../reads/row-reads.ts'
import { ShownRows, shownTables, storedRows } from '../reads/shown-rows.ts'
import { CollectionStatements } from '../rows/collection-statements.ts'
import { prepareStatements, type Statements } from '../rows/statements.ts'
import { createShownSearch } from '../tables/search-tables.ts'
import type { KvTables } from '../tables/table.ts'
import { UniqueIndexes } from '../tables/unique-indexes.ts'
import { CatalogGuard } from './catalog-guard.ts'

export interface SqliteDriverOptions extends DriverOptions {
  readonly durability: 'normal' | 'full'
  readonly path: string
  /** How many milliseconds a call retries while others lock the database. */
  readonly busyTimeout: number
}

/** What the connections of a database share. */
export interface ConnectionParts {
  /** `null` for a database in memory. */
  readonly file: DatabaseFile | null
  readonly tables: KvTables
  readonly collections: readonly Collection[]
  /** Null without collections, because nothing is queried then. */
  readonly QueryRunner: typeof QueryRunner | null
  /** As it was when the database was opened. */
  readonly catalog: Catalog
  readonly batches: BatchState
  readonly sharing: Sharing
  readonly options: SqliteDriverOptions
}

/** A connection, with its prepared statements. Either one call uses it at a time, or one snapshot keeps it. */
export class PooledConnection {
  readonly database: Connection
  readonly statements: Statements
  readonly log: ChangeLog
  readonly transactions: Transactions
  readonly reads: RowReads
  readonly hot: HotRows
  /** Reads that find the rows a session was shown, instead of the stored ones. */
  readonly shown: ShownRows
  readonly #parts: ConnectionParts
  readonly #checksums: boolean
  readonly catalog: CatalogGuard
  #uniqueIndexes: UniqueIndexes | undefined
  #batches: BatchCommit | undefined

  constructor(database: Connection, parts: ConnectionParts) {
    const { tables, options } = parts
    this.database = database
    this.#parts = parts
    this.#checksums = isSealed(database)
    this.statements = prepareStatements(database, tables, options.logger, this.#checksums)
    this.log = new ChangeLog(options.logValues)
    this.transactions = new Transactions(database, this.statements, this.log, parts.file)
    this.catalog = new CatalogGuard(database, this.statements, parts.collections, parts.catalog)
    this.reads = this.#readsOf(tables, storedRows)
    this.hot = new HotRows(this.statements, parts.sharing, parts.file === null)
    this.shown = new ShownRows(
      database,
      (source) => this.#readsOf(shownTables(tables), source),
      this.#checksums,
      searchesOf(parts.collections).map(({ collection, search }) => createShownSearch(collection, search)),
    )
  }

  get uniqueIndexes(): UniqueIndexes {
    this.#uniqueIndexes ??= new UniqueIndexes(this.database, this.#parts.tables)
    return this.#uniqueIndexes
  }

  get batches(): BatchCommit {
    this.#batches ??= new BatchCommit(this, this.#parts)
    return this.#batches
  }

  close(): void {
    this.database.close()
  }

  #readsOf(tables: KvTables, source: string): RowReads {
    const { collections, options, QueryRunner } = this.#parts
    return new RowReads(
      this.statements,
      QueryRunner && new QueryRunner(this.database, collections, { ...options, source }, this.#checksums),
      (collection) =>
        new CollectionStatements(this.database, tables, collection, options.logger, this.#checksums),
    )
  }
}
