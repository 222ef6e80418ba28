import { type Catalog, type Collection, sameIndex } from '../../../catalog/catalog.ts'
import {
  type AskedChanges,
  type CatalogChanges,
  catalogChanges,
  indexedCollections,
} from '../../../catalog/changes.ts'
import { builtSearches, searchesOf } from '../../../catalog/searches.ts'
import { takesRows } from '../../../catalog/taken-row.ts'
import { DatabaseOpenError, MigrationError } from '../../../contract/errors.ts'
import { buildSearch, removeSearch, ServerSearches } from '../search/searches.ts'
import { searchName } from '../search/tables.ts'
import { shownAddress } from '../server/address.ts'
import type { Connection } from '../server/connection.ts'
import { quoteName } from '../server/sql-text.ts'
import type { RunStatement } from '../server/statement.types.ts'
import { inTransaction } from '../server/transaction.ts'
import { ServerCatalog } from './catalog.ts'
import { format, ownTables } from './ddl.ts'
import { assertBuildable, type BuiltIndex, indexChanges, ServerIndexes } from './indexes.ts'

/** What a schema of the server contains of a database. */
interface Found {
  /** Whether it has everything that this release calls, and made for this name of the schema. */
  readonly isComplete: boolean
}

/** A database that is set up: its catalogue, and the indexes of its values. */
export interface SetUp {
  readonly catalog: Catalog
  readonly built: readonly BuiltIndex[]
}

/** Creates the missing tables, collections and indexes of a database. Only reads if nothing is missing. */
export async function setUp(
  connection: Connection,
  schema: string,
  address: string,
  collections: readonly Collection[],
  asked: AskedChanges,
): Promise<SetUp> {
  const run: RunStatement = (statement, values) => connection.run(statement, values)
  const found = await lookAndRead(run, schema, address)
  if (found?.isComplete) {
    const { catalog, built } = found.read()
    // What is asked for may drop the index that has the name of a declared one.
    const isKnown = lacksNothing(catalogChanges(catalog, collections, asked))
    const isWhole = isKnown && indexChanges(collections, built).create.size === 0
    if (isWhole && hasSearches(catalog, collections)) return { catalog, built }
  }
  const catalog = new ServerCatalog(schema, run)
  return inTransaction(connection, async () => {
    await connection.execute('set local statement_timeout = 0')
    await lockSetUp(connection, schema)
    if (!found?.isComplete) await createOwn(connection, schema)
    await catalog.lock()
    const changes = catalogChanges(await catalog.read(), collections, asked)
    await changeCatalog(connection, schema, collections, changes)
    return readNow(run, schema)
  })
}

/**
 * Creates what is missing of what every database has, inside the open transaction. Functions contain the name of their schema: in one
 * that was renamed they are made again, with the searches that call them.
 */
export async function createOwn(connection: Connection, schema: string): Promise<void> {
  await connection.execute(ownTables(schema))
  const searches = new ServerSearches(schema, (statement, values) => connection.run(statement, values))
  for (const of of await searches.known()) if (!of.search.built) await buildSearch(connection, schema, of)
}

/** Takes the lock for creating the parts of a schema of the server, for the open transaction. */
export async function lockSetUp(connection: Connection, schema: string): Promise<void> {
  const text = 'select pg_advisory_xact_lock(hashtextextended($1, 0))'
  await connection.run({ text }, [`valkeyrie:${schema}`])
}

/**
 * The catalogue of a database that must not be written; it must already know the declared patterns. `asItIs`: the declarations come
 * from the database itself, so a replaced schema is not refused.
 */
export async function readSetUp(
  connection: Connection,
  schema: string,
  address: string,
  collections: readonly Collection[],
  asItIs: boolean,
): Promise<SetUp> {
  const run: RunStatement = (statement, values) => connection.run(statement, values)
  const found = await lookAndRead(run, schema, address)
  if (found === null) {
    const reason = `its schema ${quoteName(schema)} holds no tables of valkeyrie, and readOnly does not create them`
    throw new DatabaseOpenError(shownAddress(address), reason)
  }
  const { catalog, built } = found.read()
  const [added] = catalogChanges(asItIs ? { ...catalog, past: [] } : catalog, collections).added
  if (added === undefined) return { catalog, built }
  throw new MigrationError(
    `The database does not know the schema '${added.name}': open it once without readOnly`,
    { repository: added.name },
  )
}

/** What a schema of the server contains of a database; `null` if there is none. */
export async function look(run: RunStatement, schema: string, address: string): Promise<Found | null> {
  return (await isThere(run, schema)) ? lookInto(run, schema, address) : null
}

/** Like `look`, and reads in the same round trip. `read` throws if that has failed: an incomplete database may lack what is read. */
async function lookAndRead(
  run: RunStatement,
  schema: string,
  address: string,
): Promise<(Found & { read(): SetUp }) | null> {
  if (!(await isThere(run, schema))) return null
  const [found, present] = await Promise.allSettled([lookInto(run, schema, address), readNow(run, schema)])
  if (found.status === 'rejected') throw found.reason
  const read = () => {
    if (present.status === 'rejected') throw present.reason
    return present.value
  }
  return { ...found.value, read }
}

async function isThere(run: RunStatement, schema: string): Promise<boolean> {
  const [row] = await run({ text: 'select to_regclass($1) is not null' }, [`${quoteName(schema)}.kv_meta`])
  return row![0] as boolean
}

async function lookInto(run: RunStatement, schema: string, address: string): Promise<Found> {
  const s = quoteName(schema)
  // In a schema that was renamed, they would write to the one that has its former name now.
  const text = `select m.format, (
    select count(distinct p.proname) = 4 from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname = $1 and p.proname in ('kv_commit_1', 'kv_turns_1', 'kv_sweep_1', 'kv_clear_1') and strpos(p.prosrc, $2) > 0
  ) from ${s}.kv_meta m where m.one`
  const [row] = await run({ text }, [schema, ` ${s}.kv_meta `])
  if (row === undefined) return { isComplete: false }
  const [found, isComplete] = row as [number, boolean]
  if (found <= format) return { isComplete }
  const reason = `a newer release of valkeyrie made its schema ${s}: upgrade this one`
  throw new DatabaseOpenError(shownAddress(address), reason)
}

/** Reads what a complete database has. */
export async function readNow(run: RunStatement, schema: string): Promise<SetUp> {
  const reading = new ServerIndexes(schema, run).built()
  const [catalog, built] = await Promise.all([new ServerCatalog(schema, run).read(reading), reading])
  return { catalog, built }
}

function lacksNothing({ renamed, kept, dropped, unsearched }: CatalogChanges): boolean {
  return renamed.size + kept.length + dropped.length + unsearched.length === 0
}

/** Whether the searches of these collections are all there. */
function hasSearches(catalog: Catalog, collections: readonly Collection[]): boolean {
  const built = builtSearches(catalog).map(searchName)
  return searchesOf(collections).every((search) => built.includes(searchName(search)))
}

/** Makes the changes inside the open transaction, and tells those who have the database open. */
export async function changeCatalog(
  connection: Connection,
  schema: string,
  declared: readonly Collection[],
  { renamed, added, kept, dropped, unsearched, takeRows }: CatalogChanges,
): Promise<void> {
  const run: RunStatement = (statement, values) => connection.run(statement, values)
  const catalog = new ServerCatalog(schema, run)
  const indexes = new ServerIndexes(schema, run)
  const searches = new ServerSearches(schema, run)
  for (const { name, index } of await indexes.built()) {
    if (index === null) continue
    const isDropped = (it: (typeof dropped)[number]) =>
      it.repository === index.collection && sameIndex(it.index, index)
    // An index contains the name of its collection, so those of a renamed one are built again.
    if (renamed.has(index.collection) || dropped.some(isDropped)) await indexes.drop(name)
  }
  const going = [
    ...(renamed.size === 0 ? [] : await searches.known()).filter((it) => renamed.has(it.collection)),
    ...unsearched.map(({ repository, search }) => ({ collection: repository, search })),
  ]
  for (const search of going) await removeSearch(connection, schema, searchName(search))
  await catalog.rename(renamed)
  await catalog.keep(kept)
  const { collections } = await catalog.read()
  const mayTake = added.filter(({ name }) => takeRows.includes(name))
  const mayNot = added.filter((it) => !mayTake.includes(it))
  const taken = await catalog.takenRow(collections, mayNot)
  if (taken !== null) throw takesRows(taken, collections)
  const taking: string[] = []
  for (const it of mayTake) if ((await catalog.takenRow(collections, [it])) !== null) taking.push(it.name)
  await catalog.file(collections, added)
  const indexed = indexedCollections(declared, renamed, kept)
  assertBuildable(indexed)
  const changes = indexChanges(indexed, await indexes.built())
  if (changes.create.size > 0) await catalog.removeExpired()
  await indexes.build(changes)
  const missing = await searches.missing(searchesOf(indexed))
  for (const search of missing) await buildSearch(connection, schema, search)
  const changed =
    renamed.size + kept.length + dropped.length + changes.create.size + unsearched.length + missing.length
  const names = [...indexed, ...kept].map(({ name }) => name)
  for (const { repository } of [...dropped, ...unsearched]) names.push(repository)
  if (changed > 0 && names.length > 0) await catalog.touch(names, taking)
}
