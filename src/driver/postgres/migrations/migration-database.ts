import type { PgTable } from 'drizzle-orm/pg-core'
import type { Collection } from '../../../catalog/catalog.ts'
import { searchesOf } from '../../../catalog/searches.ts'
import { MigrationError } from '../../../contract/errors.ts'
import type { FieldLoss, MigratedCollection, Migration, TableLoss } from '../../migration.ts'
import type {
  DeclaredTable,
  FailedRow,
  MigrationDatabase,
  MigrationStanding,
  OldRow,
  StagedRows,
  Step,
} from '../../migration-database.ts'
import { type Drift, driftOf } from '../../migration-database.ts'
import { historyStanding, pendingOf } from '../../migration-history.ts'
import { takenPastSchemas } from '../../past-schemas.ts'
import { buildSearch, removeSearch, ServerSearches } from '../search/searches.ts'
import { searchName } from '../search/tables.ts'
import { isAlive, quoteName } from '../server/sql-text.ts'
import type { RunStatement } from '../server/statement.types.ts'
import { ServerCatalog } from '../tables/catalog.ts'
import { indexChanges, ServerIndexes } from '../tables/indexes.ts'
import { keepPastSchemas } from '../tables/past-schemas.ts'
import { createOwn } from '../tables/set-up.ts'
import { tablesOf } from '../tables/table.ts'
import { applyMigration, takeSchema } from './apply.ts'
import { hasTable, markApplied, readHistory } from './history.ts'
import { buildAhead } from './indexes-ahead.ts'
import { MigrationSession } from './migration-session.ts'
import { registerMigrated } from './register.ts'
import { rowsAfter, ServerStagedRows } from './staged-rows.ts'
import { dropStaging } from './staging-sql.ts'
import { tableDrift } from './table-drift.ts'
import { nodeOf } from './value-sql.ts'

/** A schema of a server, as the commands use it. */
export class PostgresMigrationDatabase implements MigrationDatabase {
  readonly address: string
  readonly file = null
  readonly #session: MigrationSession

  private constructor(address: string, session: MigrationSession) {
    this.address = address
    this.#session = session
  }

  static async open(address: string): Promise<PostgresMigrationDatabase> {
    return new PostgresMigrationDatabase(address, await MigrationSession.open(address))
  }

  async pending(migrations: readonly Migration[]): Promise<readonly Migration[]> {
    return pendingOf(await readHistory(this.#session.run, this.#session.s), migrations)
  }

  standing(
    migrations: readonly Migration[],
    declared: readonly MigratedCollection[],
    others: readonly DeclaredTable[],
  ): Promise<MigrationStanding> {
    const { s } = this.#session
    return this.#session.read(async (run) => {
      const { edited, ...standing } = historyStanding(await readHistory(run, s), migrations)
      const drift =
        standing.pending.length > 0 ? [] : await this.#drift(run, declared, others as readonly PgTable[])
      return { ...standing, drift: [...edited, ...drift] }
    })
  }

  hasTables(): Promise<boolean> {
    return this.#has('kv')
  }

  async count(collection: string): Promise<number> {
    if (!(await this.hasTables())) return 0
    const text = `select count(*) from ${this.#session.s}.kv where collection = $1 and ${isAlive}`
    return this.#number(text, collection)
  }

  async countLoss(loss: FieldLoss | TableLoss): Promise<number | null> {
    const { s } = this.#session
    if ('path' in loss) {
      if (!(await this.hasTables())) return 0
      const text = `select count(*) from ${s}.kv where collection = $1 and encoding in (0, 1) and (${nodeOf(loss.path)}) is not null`
      return this.#number(text, loss.collection)
    }
    const [place, name] = /^([^.]+)\.(.+)$/s.exec(loss.table)?.slice(1) ?? []
    for (const table of [
      `${s}.${quoteName(loss.table)}`,
      `${quoteName(place ?? '')}.${quoteName(name ?? '')}`,
    ]) {
      if (table.includes('""')) continue
      const [there] = await this.#session.run({ text: 'select to_regclass($1) is not null' }, [table])
      const counted = loss.column === null ? '*' : quoteName(loss.column)
      if (there![0] === true) return this.#number(`select count(${counted}) from ${table}`)
    }
    return 0
  }

  rows(collection: string, after: Uint8Array, limit: number): Promise<OldRow[]> {
    return rowsAfter(this.#session.run, this.#session.s, collection, after, limit)
  }

  staged(step: Pick<Step, 'id' | 'collection'>): StagedRows {
    return new ServerStagedRows(this.#session.run, this.#session.s, step)
  }

  /** The server has backups of its own. */
  async backUp(): Promise<null> {
    return null
  }

  async apply(
    migrations: readonly Migration[],
    migration: Migration,
    steps: readonly Step[],
    accept: (failures: readonly (readonly FailedRow[])[]) => boolean,
  ): Promise<boolean> {
    const { s, schema } = this.#session
    const isNext = async (run: RunStatement) =>
      pendingOf(await readHistory(run, s), migrations)[0]?.tag === migration.tag
    if (await isNext(this.#session.run)) await buildAhead(this.#session, migration)
    return this.#session.transaction(async (connection) => {
      const run: RunStatement = (statement, values) => connection.run(statement, values)
      await takeSchema(connection, schema)
      // Another process may have applied it, or an earlier attempt without an answer.
      if (!(await isNext(run))) return true
      const staged = steps.map((step) => new ServerStagedRows(run, s, step))
      for (const [at, rows] of staged.entries()) if (!(await rows.catchUp(steps[at]!.convert))) return false
      const failures: FailedRow[][] = []
      for (const rows of staged) failures.push(await rows.failures())
      if (!accept(failures)) return false
      await applyMigration(connection, schema, this.address, migrations, migration, staged)
      return true
    })
  }

  async tidy(): Promise<void> {
    await this.#session.alone((connection) => connection.execute(dropStaging(this.#session.s)))
  }

  assertTakeable(): Promise<void> {
    return assertTakeable(this.#session.run, this.#session.s)
  }

  async collections(): Promise<readonly Collection[]> {
    if (!(await this.#has('kv_collections'))) return []
    const { collections } = await new ServerCatalog(this.#session.schema, this.#session.run).read()
    return collections
  }

  async baseline(applied: readonly Migration[]): Promise<void> {
    const { s, schema } = this.#session
    const { collections } = applied.at(-1)!.snapshot
    await this.#session.transaction(async (connection) => {
      const run: RunStatement = (statement, values) => connection.run(statement, values)
      await takeSchema(connection, schema)
      await assertTakeable(run, s)
      await createOwn(connection, schema)
      const before = await new ServerCatalog(schema, run).read()
      const indexes = new ServerIndexes(schema, run)
      const changes = indexChanges(collections, await indexes.built())
      for (const name of changes.extra) await indexes.drop(name)
      await indexes.build(changes)
      const searches = new ServerSearches(schema, run)
      for (const extra of await searches.extra(collections))
        await removeSearch(connection, schema, searchName(extra))
      for (const missing of await searches.missing(searchesOf(collections)))
        await buildSearch(connection, schema, missing)
      await registerMigrated(connection, schema, this.address, collections, before)
      await keepPastSchemas(run, s, takenPastSchemas(applied, before))
      for (const migration of applied) await markApplied(run, s, migration)
      return true
    })
  }

  close(): Promise<void> {
    return this.#session.end()
  }

  #has(table: string): Promise<boolean> {
    return hasTable(this.#session.run, this.#session.s, table)
  }

  async #number(text: string, ...values: readonly unknown[]): Promise<number> {
    return (await this.#session.run({ text }, values))[0]![0] as number
  }

  async #drift(
    run: RunStatement,
    collections: readonly MigratedCollection[],
    others: readonly PgTable[],
  ): Promise<Drift[]> {
    const { s, schema } = this.#session
    // These indexes are compared by their definitions, below.
    const drift = await tableDrift(run, s, [...Object.values(tablesOf([])), ...others])
    if (!(await hasTable(run, s, 'kv'))) return drift
    const { create, replace, extra } = indexChanges(collections, await new ServerIndexes(schema, run).built())
    const missing = [...create.keys()].filter((name) => !replace.includes(name))
    const searches = new ServerSearches(schema, run)
    return [
      ...drift,
      ...(await searches.missing(searchesOf(collections))).map((search) =>
        driftOf('index', searchName(search), 'is missing, or not as declared'),
      ),
      ...(await searches.extra(collections)).map((search) =>
        driftOf('index', searchName(search), 'is not declared'),
      ),
      ...missing.map((name) => driftOf('index', name, 'is missing')),
      ...replace.map((name) => driftOf('index', name, 'is not as declared')),
      ...extra.map((name) => driftOf('index', name, 'is not declared')),
    ]
  }
}

async function assertTakeable(run: RunStatement, s: string): Promise<void> {
  const { applied, hasTables } = await readHistory(run, s)
  if (applied !== null && applied.length > 0)
    throw new MigrationError('The database has had migrations already: leave out the baseline')
  if (!hasTables) {
    throw new MigrationError('The database holds no tables of valkeyrie to take over: leave out the baseline')
  }
}
