// A copy into a server is one state machine: begun, filled row by row, checked, then switched over or cleared away.
import { setTimeout as delay } from 'node:timers/promises'
import type { KnownCollection } from '../../../catalog/catalog.ts'
import { builtSearches, type SearchOf } from '../../../catalog/searches.ts'
import type { LoggedCommit } from '../../../commit/log-format.ts'
import { ConnectionError, DatabaseBusyError, DatabaseOpenError } from '../../../contract/errors.ts'
import { keyLabel } from '../../../key/key-label.ts'
import type { CopiedRow, CopiedState, CopyPlaces, CopyTarget, RefusedRow } from '../../copy.ts'
import { recordApplied } from '../migrations/history.ts'
import { logColumns } from '../rows/log-row.ts'
import { buildSearch, removeSearch, ServerSearches } from '../search/searches.ts'
import { searchCatalog, searchName } from '../search/tables.ts'
import { shownAddress } from '../server/address.ts'
import { Connector, loadPg } from '../server/connect.ts'
import type { Connection } from '../server/connection.ts'
import { followedLock } from '../server/follow.ts'
import { openError } from '../server/open-error.ts'
import { ConnectionLost, sqlState, toKvError } from '../server/server-error.ts'
import { quoteName } from '../server/sql-text.ts'
import { channelOf, journalTable, ownTableNames, ownTables } from '../tables/ddl.ts'
import { indexChanges, ServerIndexes } from '../tables/indexes.ts'
import { keepPastSchemas } from '../tables/past-schemas.ts'
import { lockSetUp } from '../tables/set-up.ts'
import { bigints, byteas, integers, jsons, smallints, texts } from '../values/binary-array.ts'
import { escapeJson } from '../values/json-text.ts'
import { meaningsOf } from '../values/meanings.ts'
import { type ServerPlace, ServerState } from './server-state.ts'

/** How many milliseconds between checks whether a transaction is over. */
const betweenLooks = 20

/** Begins a database in a schema of a server, in one transaction, which ends with the connection: nobody ever sees half of it. */
export async function openServerTarget(
  address: string,
  options: ServerPlace,
  places: CopyPlaces,
): Promise<CopyTarget> {
  const connector = new Connector(await loadPg(address), address, options)
  const connection = await connector.first()
  try {
    await connection.execute('begin isolation level read committed')
    await connection.execute(
      `set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0; set local lock_timeout = ${places.busyTimeout}`,
    )
    const [row] = await connection.run({ text: 'select pg_current_xact_id()::text' })
    await lockSetUp(connection, options.schema)
    await makeRoom(connection, address, options.schema, places)
    return new ServerTarget({ connector, connection, schema: options.schema, transaction: row![0] as string })
  } catch (error) {
    connection.discard()
    throw openError(address, error, false)
  }
}

/** Removes a database that nobody has written to, or any database if the caller asks for it. */
async function makeRoom(
  connection: Connection,
  address: string,
  schema: string,
  { overwrite, busyTimeout }: CopyPlaces,
): Promise<void> {
  const s = quoteName(schema)
  const text = `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relname = any($2::text[])`
  const rows = await connection.run({ text }, [schema, texts(ownTableNames)])
  const there = rows.map(([name]) => name as string)
  if (there.length === 0) return
  if (!there.includes('kv_meta')) {
    const reason = `its schema ${s} has a table ${there[0]} that does not belong to valkeyrie: name another schema, such as ?schema=copy`
    throw new DatabaseOpenError(shownAddress(address), reason)
  }
  await connection.execute(
    `lock table ${there.map((name) => `${s}.${quoteName(name)}`).join(', ')} in access exclusive mode`,
  )
  const [row] = await connection.run({
    text: `select exists (select from ${s}.kv) or exists (select from ${s}.kv_log where cardinality(keys) > 0)`,
  })
  if (row![0] === true && !overwrite) {
    const reason = `its schema ${s} already has a database: name another one, or pass overwrite (--overwrite on the command line)`
    throw new DatabaseOpenError(shownAddress(address), reason)
  }
  if (row![0] === true) await awaitFollowers(connection, address, schema, busyTimeout)
  const searches = await new ServerSearches(schema, (statement, values) =>
    connection.run(statement, values),
  ).known()
  for (const search of searches) await removeSearch(connection, schema, searchName(search))
  const names = [...there, journalTable, searchCatalog].map((name) => `${s}.${quoteName(name)}`)
  await connection.execute(`drop table if exists ${names.join(', ')}`)
}

/** Who follows a database would wait for versions that the one in its place does not have for long. */
async function awaitFollowers(
  connection: Connection,
  address: string,
  schema: string,
  busyTimeout: number,
): Promise<void> {
  const text = 'select pg_advisory_xact_lock(hashtextextended($1, 0))'
  try {
    await connection.run({ text }, [followedLock(channelOf(schema))])
  } catch (error) {
    if (sqlState(error) !== '55P03') throw error
    throw new DatabaseBusyError(busyTimeout, { file: shownAddress(address), cause: error })
  }
}

interface TargetParts {
  readonly connector: Connector
  readonly connection: Connection
  readonly schema: string
  /** The number of the transaction, by which the server knows whether it was committed. */
  readonly transaction: string
}

class ServerTarget implements CopyTarget {
  readonly stored: ServerState
  readonly #parts: TargetParts
  readonly #s: string
  #version = 0
  /** They are built when all rows are there. */
  #searches: readonly SearchOf[] = []

  constructor(parts: TargetParts) {
    this.#parts = parts
    this.#s = quoteName(parts.schema)
    this.stored = new ServerState(parts.schema, (statement, values) => this.#run(statement.text, values))
  }

  async begin(state: CopiedState): Promise<void> {
    const { connection, schema } = this.#parts
    this.#version = state.version
    this.#searches = builtSearches(state.catalog)
    await this.#attempt(async () => {
      await connection.execute(ownTables(schema))
      const { version, catalog } = state
      await this.#run(`update ${this.#s}.kv_meta set version = $1, catalog = $2`, [version, catalog.version])
      const insert = `insert into ${this.#s}.kv_collections (name, pattern, schema, version, indexes, "references", migrated) values ($1, $2, $3, $4, $5, $6, $7)`
      for (const { name, pattern, schema, version, indexes, references, migrated } of state.collections)
        await this.#run(insert, [name, pattern, schema, version, indexes, references, migrated])
      const run = (statement: { readonly text: string }, values: readonly unknown[]) =>
        connection.run(statement, values)
      if (state.register !== null)
        await recordApplied(
          (statement, values) => connection.run(statement, values),
          this.#s,
          state.register.applied,
        )
      if (catalog.past.length > 0) await keepPastSchemas(run, this.#s, catalog.past)
      const indexed = state.catalog.collections.map(builtOnly)
      await new ServerIndexes(schema, run).build(indexChanges(indexed, []))
    })
  }

  async store(rows: readonly CopiedRow[]): Promise<RefusedRow[]> {
    const refused: RefusedRow[] = []
    const kept: KeptRow[] = []
    for (const row of rows) {
      try {
        kept.push({ ...row, meanings: meaningsOf(row.types) })
      } catch (error) {
        refused.push({
          key: keyLabel(row.key),
          collection: row.collection,
          reason: `its types cannot be read: ${(error as Error).message}`,
        })
      }
    }
    await this.#attempt(() => this.#store(kept, refused))
    return refused
  }

  /** Stores rows together; if one of them fails, tries each half separately. */
  async #store(rows: readonly KeptRow[], refused: RefusedRow[]): Promise<void> {
    if (rows.length === 0) return
    const { connection } = this.#parts
    await connection.execute('savepoint kv_rows')
    try {
      await this.#insert(rows)
      await connection.execute('release savepoint kv_rows')
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === null) throw error
      await connection.execute('rollback to savepoint kv_rows; release savepoint kv_rows')
      if (rows.length === 1) {
        const { key, collection } = rows[0]!
        refused.push({ key: keyLabel(key), collection, reason })
        return
      }
      const half = rows.length >> 1
      await this.#store(rows.slice(0, half), refused)
      await this.#store(rows.slice(half), refused)
    }
  }

  async #insert(rows: readonly KeptRow[]): Promise<void> {
    await this.#run(
      `insert into ${this.#s}.kv (key, collection, encoding, types, version, expires_at, meanings, value, raw)
        select * from unnest($1::bytea[], $2::text[], $3::smallint[], $4::json[], $5::bigint[], $6::bigint[], $7::json[], $8::json[], $9::bytea[])`,
      [
        byteas(rows.map(({ key }) => key)),
        texts(rows.map(({ collection }) => collection)),
        smallints(rows.map(({ encoding }) => encoding)),
        jsons(rows.map(({ types }) => types)),
        bigints(rows.map(({ version }) => version)),
        bigints(rows.map(({ expiresAt }) => expiresAt)),
        jsons(rows.map(({ meanings }) => meanings)),
        jsons(rows.map(({ value }) => (typeof value === 'string' ? escapeJson(value) : null))),
        byteas(rows.map(({ value }) => (typeof value === 'string' ? null : value))),
      ],
    )
  }

  async append(commits: readonly LoggedCommit[]): Promise<void> {
    const rows = commits.map(({ changes }) => logColumns(changes!))
    await this.#attempt(() =>
      this.#run(
        `insert into ${this.#s}.kv_log
          select l.version, l.at, coalesce(k.keys, '{}'), l.kinds, l.changes, null
            from unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[]) with ordinality l(version, at, kinds, changes, place)
            left join (
              select f.place, array_agg(f.key order by f.n) as keys
                from unnest($5::integer[], $6::bytea[]) with ordinality f(place, key, n) group by f.place
            ) k on k.place = l.place`,
        [
          bigints(commits.map(({ version }) => version)),
          bigints(commits.map(({ at }) => at)),
          byteas(rows.map(({ kinds }) => kinds)),
          byteas(rows.map(({ changes }) => changes)),
          integers(rows.flatMap(({ keys }, place) => keys.map(() => place + 1))),
          byteas(rows.flatMap(({ keys }) => keys)),
        ],
      ),
    )
  }

  async finish(): Promise<void> {
    const { connection, schema } = this.#parts
    await this.#attempt(async () => {
      for (const search of this.#searches) await buildSearch(connection, schema, search)
      await connection.execute(`analyze ${this.#s}.kv`)
      await this.#run('select pg_notify($1, $2)', [channelOf(schema), String(this.#version)])
    })
    try {
      if (!(await connection.commit())) throw new ConnectionError(false)
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw toKvError(error)
      if (!(await this.#wasCommitted())) throw new ConnectionError(false, { cause: error.cause })
    }
  }

  async close(): Promise<void> {
    // Closing the connection ends everything that is open on it.
    this.#parts.connection.discard()
  }

  /** Whether the server has committed a transaction without answering. By now, nothing more of it can arrive. */
  async #wasCommitted(): Promise<boolean> {
    const { connector, transaction } = this.#parts
    try {
      const connection = await connector.again(() => true)
      try {
        for (;;) {
          const text = `select pg_xact_status($1::xid8), (
            select pg_terminate_backend(a.pid) from pg_stat_activity a where a.backend_xid = $1::xid8::xid
          )`
          const [row] = await connection.run({ text }, [transaction])
          if (row![0] !== 'in progress') return row![0] === 'committed'
          await delay(betweenLooks)
        }
      } finally {
        connection.discard()
      }
    } catch (cause) {
      throw new ConnectionError(null, { cause })
    }
  }

  #run(text: string, values: readonly unknown[]) {
    return this.#parts.connection.run({ text }, values)
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw toKvError(error)
    }
  }
}

/** A row, with the meanings of its texts. */
interface KeptRow extends CopiedRow {
  readonly meanings: string | null
}

/** A collection with its existing indexes only. */
function builtOnly({ indexes, ...collection }: KnownCollection): KnownCollection {
  return { ...collection, indexes: indexes.filter(({ built }) => built) }
}

/** Why the server cannot store a row; `null` if the error is not about one. */
function reasonOf(error: unknown): string | null {
  const state = sqlState(error)
  if (state === '54000')
    return `PostgreSQL keeps about 2,700 bytes of a row in an index: ${(error as Error).message}`
  return state !== undefined && /^(22|23|54)/.test(state)
    ? `PostgreSQL says: ${(error as Error).message}`
    : null
}
