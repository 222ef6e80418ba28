import type { KnownSearch } from '../../../catalog/catalog.ts'
import { readSearch, type SearchedCollection, type SearchOf, searchesOf } from '../../../catalog/searches.ts'
import type { Connection } from '../server/connection.ts'
import { quoteName } from '../server/sql-text.ts'
import type { RunStatement } from '../server/statement.types.ts'
import {
  createSearch,
  dropSearch,
  fillNext,
  fillSearch,
  registerSql,
  searchCatalog,
  searchName,
  triggers,
} from './tables.ts'

/** What the comment of the table of a search says that was built ahead. */
const filled = 'all rows'

/**
 * Whether the table of a search and its triggers are there, in the schema whose quoted name is the first operand. The function of the
 * triggers contains that name: in a schema that was renamed, it writes elsewhere.
 */
function isThere(name: string): string {
  const names = triggers.map((event) => `${name} || '_${event}'`).join(', ')
  return `to_regclass($1 || '.' || quote_ident(${name})) is not null and (
        select count(*) from pg_trigger t join pg_proc p on p.oid = t.tgfoid and strpos(p.prosrc, ' ' || $1 || '.') > 0
          where t.tgrelid = to_regclass($1 || '.kv') and t.tgname in (${names}) and t.tgenabled in ('O', 'A')
      ) = ${triggers.length}`
}

/** The searches of a database in a schema of the server. */
export class ServerSearches {
  readonly #s: string
  readonly #run: RunStatement

  constructor(schema: string, run: RunStatement) {
    this.#s = quoteName(schema)
    this.#run = run
  }

  /** Those that the database knows, whoever has declared them. Throws a DamagedCollection. */
  async known(): Promise<SearchOf<KnownSearch>[]> {
    const there = { text: 'select to_regclass($1) is not null' }
    const [found] = await this.#run(there, [`${this.#s}.${searchCatalog}`])
    if (found![0] !== true) return []
    const text = `select f.collection, f.fields, f.weights, f.tokenizer, ${isThere('f.name')}
      from ${this.#s}.${searchCatalog} f order by f.collection collate "C", length(f.fields) desc, f.name collate "C"`
    const rows = await this.#run({ text }, [this.#s])
    return rows.map(([name, fields, weights, tokenizer, built]) => {
      const collection = String(name)
      const search = readSearch({ collection, fields, weights, tokenizer })
      return { collection, search: { ...search, built: built === true } }
    })
  }

  /** Whether `buildSearchAhead` has built this one, to its end. */
  async isAhead(of: SearchOf): Promise<boolean> {
    const name = searchName(of)
    const table = `to_regclass($1 || '.' || quote_ident($2))`
    const text = `select ${isThere('$2')} and obj_description(${table}, 'pg_class') is not distinct from '${filled}'`
    const [row] = await this.#run({ text }, [this.#s, name])
    return row![0] === true
  }

  /** Those of these searches that are not there as they should be. */
  async missing(searches: readonly SearchOf[]): Promise<SearchOf[]> {
    if (searches.length === 0) return []
    const built = new Set((await this.known()).filter(({ search }) => search.built).map(searchName))
    return searches.filter((it) => !built.has(searchName(it)))
  }

  /** Those of these searches that the database does not know at all. */
  async unknown(searches: readonly SearchOf[]): Promise<SearchOf[]> {
    if (searches.length === 0) return []
    const known = new Set((await this.known()).map(searchName))
    return searches.filter((it) => !known.has(searchName(it)))
  }

  /** Those that the database knows of these collections, and that they do not declare. */
  async extra(collections: readonly SearchedCollection[]): Promise<SearchOf[]> {
    const names = new Set(collections.map(({ name }) => name))
    const declared = new Set(searchesOf(collections).map(searchName))
    return (await this.known()).filter((it) => names.has(it.collection) && !declared.has(searchName(it)))
  }

  /** Keeps how much the fields of the searches of a collection count, where their indexes are there. */
  async keepWeights({ name, search = [] }: SearchedCollection): Promise<void> {
    if (search.length === 0 || (await this.known()).length === 0) return
    const text = `update ${this.#s}.${searchCatalog} set weights = $1 where name = $2`
    for (const one of search) {
      const stored = searchName({ collection: name, search: one })
      await this.#run({ text }, [JSON.stringify(one.weights), stored])
    }
  }
}

/** Rebuilds a search, inside the transaction that is open. */
export async function buildSearch(connection: Connection, schema: string, of: SearchOf): Promise<void> {
  const s = quoteName(schema)
  await removeSearch(connection, schema, searchName(of))
  await connection.execute(createSearch(s, of))
  await connection.execute(fillSearch(s, of))
  await registerSearch(connection, schema, of)
}

/** Builds a search while others write, outside a transaction; the database does not know it yet. */
export async function buildSearchAhead(connection: Connection, schema: string, of: SearchOf): Promise<void> {
  const [s, name] = [quoteName(schema), searchName(of)]
  await removeSearch(connection, schema, name)
  await connection.execute(createSearch(s, of))
  const next = { text: fillNext(s, of) }
  // No key is empty.
  let last: unknown = new Uint8Array()
  while (last !== undefined) [last] = (await connection.run(next, [last]))[0] ?? []
  await connection.execute(`comment on table ${s}.${quoteName(name)} is '${filled}'`)
}

/** Has the database know a search that is there, with the words of all rows. */
export function registerSearch(connection: Connection, schema: string, of: SearchOf): Promise<void> {
  return connection.execute(registerSql(quoteName(schema), of))
}

/** Takes a search away, inside the transaction that is open. */
export function removeSearch(connection: Connection, schema: string, name: string): Promise<void> {
  return connection.execute(dropSearch(quoteName(schema), name))
}
