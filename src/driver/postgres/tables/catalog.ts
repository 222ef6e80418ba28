import type { Catalog, Collection } from '../../../catalog/catalog.ts'
import { withSearches } from '../../../catalog/searches.ts'
import { catalogOf, DamagedCollection, storedCollection } from '../../../catalog/stored-collection.ts'
import type { TakenRow } from '../../../catalog/taken-row.ts'
import { StorageError } from '../../../contract/errors.ts'
import { decodeKey } from '../../../key/codec.ts'
import { patternRange } from '../../../key/pattern.ts'
import { PatternIndex } from '../../../key/pattern-index.ts'
import { ServerSearches } from '../search/searches.ts'
import { withoutMeta } from '../server/server-error.ts'
import { isAlive, moment, quoteName } from '../server/sql-text.ts'
import type { RunStatement } from '../server/statement.types.ts'
import { byteas, texts } from '../values/binary-array.ts'
import { type BuiltIndex, ServerIndexes } from './indexes.ts'
import { readPastSchemas } from './past-schemas.ts'

/** How many keys to read at once. */
const keysPerPage = 10_000

type Filed = Pick<Collection, 'name' | 'pattern'>

/** What a database in a schema of the server knows of its collections. */
export class ServerCatalog {
  readonly #schema: string
  readonly #s: string
  readonly #run: RunStatement
  readonly #searches: ServerSearches

  constructor(schema: string, run: RunStatement) {
    this.#searches = new ServerSearches(schema, run)
    this.#schema = schema
    this.#s = quoteName(schema)
    this.#run = run
  }

  /** The rows of `kv_collections`, whoever has written them. */
  async columns() {
    return (await this.#stored()).columns
  }

  /** Also the version of the catalogue that commits are compared with, of the same state. */
  async #stored() {
    const text = `select m.catalog, c.name, c.pattern, c.schema, c.version, c.indexes, c."references", c.migrated
      from ${this.#s}.kv_meta m left join ${this.#s}.kv_collections c on true where m.one order by c.name collate "C"`
    const rows = await this.#run({ text }, [])
    if (rows[0] === undefined) throw withoutMeta()
    const version = rows[0][0] as number
    const columns = rows
      .filter(([, name]) => name !== null)
      .map(([, name, pattern, schema, version, indexes, references, migrated]) => {
        return { name, pattern, schema, version, indexes, references, migrated }
      })
    return { version, columns }
  }

  /** Throws a StorageError if another program has written there. */
  async read(built?: readonly BuiltIndex[] | Promise<readonly BuiltIndex[]>): Promise<Catalog> {
    try {
      const [indexes, { version, columns }, past, searches] = await Promise.all([
        built ?? new ServerIndexes(this.#schema, this.#run).built(),
        this.#stored(),
        readPastSchemas(this.#run, this.#s),
        this.#searches.known(),
      ])
      const catalog = catalogOf(
        columns,
        indexes.flatMap(({ index }) =>
          index === null ? [] : { ...index, ordersBigints: index.forms.includes('bigint') },
        ),
        past,
      )
      return withSearches({ ...catalog, version }, searches)
    } catch (error) {
      if (!(error instanceof DamagedCollection)) throw error
      const { collection, message, mend, cause } = error
      throw new StorageError('XX001', `The stored schema '${collection}' is damaged, ${message}: ${mend}`, {
        cause,
      })
    }
  }

  /** Takes the lock that every commit takes, for the open transaction. */
  async lock(): Promise<void> {
    await this.#run({ text: `select from ${this.#s}.kv_meta where one for update` }, [])
  }

  /** Writes collections. `touch` tells others. */
  async keep(collections: readonly Collection[]): Promise<void> {
    for (const collection of collections) {
      const { name, pattern, schema, indexes, references } = storedCollection(collection)
      const text = `insert into ${this.#s}.kv_collections values ($1, $2, $3, 0, $4, $5, null)
        on conflict (name) do update set pattern = $2, schema = $3, indexes = $4, "references" = $5`
      await this.#run({ text }, [name, pattern, schema, indexes, references])
      await this.#searches.keepWeights(collection)
    }
  }

  /** Expired rows must not prevent a unique index. */
  async removeExpired(): Promise<void> {
    const text = `select removed from ${this.#s}.kv_sweep_1($1, '0')`
    for (;;) {
      const [row] = await this.#run({ text }, [keysPerPage])
      if ((row![0] as number) === 0) return
    }
  }

  /** Gives collections of the catalogue the version of a commit of their own, so that everyone with the database open notices. */
  async touch(names: readonly string[], migrated: readonly string[]): Promise<void> {
    const text = `with m as (
        update ${this.#s}.kv_meta set version = version + 1, catalog = version + 1 where one returning version
      ), l as (
        insert into ${this.#s}.kv_log select version, ${moment}, '{}', '', null, null from m
      )
      update ${this.#s}.kv_collections c set version = m.version,
        migrated = case when c.name = any($2) then m.version else c.migrated end
        from m where c.name = any($1) or c.name = any($2)`
    await this.#run({ text }, [texts(names), texts(migrated)])
  }

  /** Renames the collections of rows, all at once, because names may be swapped. */
  async rename(renamed: ReadonlyMap<string, string>): Promise<void> {
    if (renamed.size === 0) return
    const names = texts([...renamed.keys()])
    const text = `update ${this.#s}.kv set collection = r.after from unnest($1::text[], $2::text[]) r(before, after) where kv.collection = r.before`
    await this.#run({ text }, [names, texts([...renamed.values()])])
    await this.#run({ text: `delete from ${this.#s}.kv_collections where name = any($1::text[])` }, [names])
  }

  /** Files the rows that changed patterns may match under the most specific of all patterns. */
  async file(collections: readonly Filed[], changed: readonly Pick<Collection, 'pattern'>[]): Promise<void> {
    const find = finder(collections)
    const text = `update ${this.#s}.kv set collection = f.name from unnest($1::bytea[], $2::text[]) f(key, name) where kv.key = f.key`
    for (const { pattern } of changed) {
      for await (const page of this.#filed(pattern)) {
        const moved = page.filter(([key, name]) => find(key) !== name)
        if (moved.length === 0) continue
        await this.#run({ text }, [byteas(moved.map(([key]) => key)), texts(moved.map(([key]) => find(key)))])
      }
    }
  }

  /** A row that one of the added patterns would take from its collection. */
  async takenRow(collections: readonly Filed[], added: readonly Filed[]): Promise<TakenRow | null> {
    const find = finder(collections)
    for (const { name, pattern } of added) {
      for await (const page of this.#filed(pattern, `kv.collection is not null and ${isAlive}`)) {
        const taken = page.find(([key, from]) => from !== name && find(key) === name)
        if (taken !== undefined) return { key: taken[0], from: taken[1]!, by: name }
      }
    }
    return null
  }

  /** The keys that a pattern may match, and their collections. */
  async *#filed(pattern: Collection['pattern'], where = 'true') {
    const { start, end } = patternRange(pattern)
    const text = `select kv.key, kv.collection from ${this.#s}.kv where kv.key >= $1 and kv.key < $2 and ${where} order by kv.key limit $3`
    for (let from: Uint8Array = start; ; ) {
      const rows = await this.#run({ text }, [from, end, keysPerPage])
      yield rows as unknown as (readonly [Uint8Array, string | null])[]
      if (rows.length < keysPerPage) return
      from = Buffer.concat([rows.at(-1)![0] as Uint8Array, Uint8Array.of(0)])
    }
  }
}

/** Finds which of these collections a key belongs to. */
function finder(collections: readonly Filed[]): (key: Uint8Array) => string | null {
  const index = new PatternIndex(collections.map(({ name, pattern }) => [pattern, name]))
  return (key) => index.find(decodeKey(key)) ?? null
}
