import { createHash } from 'node:crypto'
import { type Collection, type IndexDeclaration, sameIndex } from '../../../catalog/catalog.ts'
import { MigrationError } from '../../../contract/errors.ts'
import { decodeKey } from '../../../key/codec.ts'
import { Fields } from '../../../schema/fields.ts'
import { indexName, indexNameClash } from '../../../schema/index-name.ts'
import { sqlState } from '../server/server-error.ts'
import { quoteName } from '../server/sql-text.ts'
import type { RunStatement } from '../server/statement.types.ts'
import { formOf } from './field-columns.ts'
import { readIndex } from './index-text.ts'
import { createIndex, indexedColumns, ofCollection, type TypedIndex } from './typed-index.ts'

/** The part of a collection that defines its indexes. */
export type IndexedCollection = Pick<Collection, 'name' | 'schema' | 'indexes'>

interface DeclaredIndex extends TypedIndex {
  /** Whether the schema describes each field. */
  readonly isKnown: readonly boolean[]
}

export interface BuiltIndex {
  readonly name: string
  /** `null`: no schema can declare it. */
  readonly index: TypedIndex | null
}

type KnownColumn = [expression: string, collation: string | null, option: number]

const mostDuplicatesListed = 10
const longestName = 63

/** The name of a declared index, as `indexName` makes it; if that is longer than the server allows, its beginning and a hash. */
function serverName(collection: string, declaration: IndexDeclaration): string {
  const name = indexName(collection, declaration)
  if (Buffer.byteLength(name) <= longestName) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 12)
  let start = name
  while (Buffer.byteLength(start) > longestName - hash.length - 1) start = start.slice(0, -1)
  return `${start.toWellFormed()}_${hash}`
}

/** The declared indexes of collections, by name. */
export function declaredIndexes(collections: readonly IndexedCollection[]): Map<string, DeclaredIndex> {
  return new Map(
    collections.flatMap(({ name, schema, indexes }) => {
      const known = new Fields(schema as Record<string, unknown> | null)
      return indexes.map((declaration) => {
        const { fields, unique } = declaration
        const types = fields.map((path) => known.at(path.split('.'))?.types)
        const forms = types.map((one) => (one === undefined ? 'any' : formOf(one)))
        const isKnown = types.map((one) => one !== undefined && Object.values(one).includes(false))
        return [serverName(name, declaration), { collection: name, fields, unique, forms, isKnown }] as const
      })
    }),
  )
}

/** How the indexes of a database differ from the declared ones. */
export interface IndexChanges {
  readonly create: ReadonlyMap<string, TypedIndex>
  /** Indexes to build again: they have the name of a declared one, but differ. */
  readonly replace: readonly string[]
  /** Indexes of these collections that are not declared here; another program may need them. */
  readonly extra: readonly string[]
}

/** Throws a MigrationError if another declaration already uses the name of a declared index. */
export function indexChanges(
  collections: readonly IndexedCollection[],
  built: readonly BuiltIndex[],
): IndexChanges {
  const declared = declaredIndexes(collections)
  const create = new Map(declared)
  const names = new Set(collections.map(({ name }) => name))
  const replace: string[] = []
  const extra: string[] = []
  for (const { name, index } of built) {
    const wanted = declared.get(name)
    if (wanted === undefined) {
      if (index !== null && names.has(index.collection)) extra.push(name)
      continue
    }
    if (index !== null && !isOfSame(index, wanted)) throw takenName(name, index)
    // An index that knows the types of its fields also serves an opener that does not.
    const serves =
      index !== null && wanted.forms.every((form, i) => form === index.forms[i] || !wanted.isKnown[i])
    if (serves) create.delete(name)
    else replace.push(name)
  }
  return { create, replace, extra }
}

function isOfSame(a: TypedIndex, b: TypedIndex): boolean {
  return a.collection === b.collection && sameIndex(a, b)
}

/** Throws a MigrationError if two indexes that a database knows, of different programs, would have one name. */
export function assertBuildable(collections: readonly IndexedCollection[]): void {
  const clash = indexNameClash(collections)
  if (clash !== null) throw new MigrationError(`${clash}, or drop one of them with dropIndexes`)
}

function takenName(name: string, { collection, fields }: TypedIndex): MigrationError {
  return new MigrationError(
    `An index would be called ${name}, like the one of '${collection}' on ${fields.join(' and ')}: give a repository or a field another name, or drop that index with dropIndexes`,
    { repository: collection },
  )
}

/** The indexes of the values of a database in a schema of the server. */
export class ServerIndexes {
  readonly #s: string
  readonly #schema: string
  readonly #run: RunStatement

  constructor(schema: string, run: RunStatement) {
    this.#schema = schema
    this.#s = quoteName(schema)
    this.#run = run
  }

  /** The existing indexes, according to the server. An index whose building has failed is useless. */
  async built(): Promise<BuiltIndex[]> {
    const text = `select c.relname, i.indisunique, i.indisvalid, pg_get_expr(i.indpred, i.indrelid),
        array_to_json(array(select json_build_array(pg_get_indexdef(i.indexrelid, k, false),
          (select l.collname from pg_collation l where l.oid = i.indcollation[k - 1]), i.indoption[k - 1])
          from generate_series(1, i.indnkeyatts) k))
      from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
        join pg_namespace n on n.oid = t.relnamespace
      where n.nspname = $1 and t.relname = 'kv' and not i.indisprimary and i.indexprs is not null`
    const rows = await this.#run({ text }, [this.#schema])
    return rows.map(([name, unique, valid, predicate, columns]) => {
      const read = JSON.parse(columns as string) as [string | null, string | null, number][]
      // In an older state, an index may be listed that was dropped since: then its columns are unknown.
      const isThere = valid === true && read.every((column): column is KnownColumn => column[0] !== null)
      return {
        name: name as string,
        index: isThere ? readIndex(unique as boolean, predicate as string | null, read) : null,
      }
    })
  }

  /** Builds indexes inside the open transaction, existing ones again. */
  async build({ create, replace }: Pick<IndexChanges, 'create' | 'replace'>): Promise<void> {
    for (const name of replace) await this.drop(name)
    for (const [name, index] of create) {
      await this.#run({ text: 'savepoint kv_index' }, [])
      try {
        await this.#run({ text: createIndex(name, index, `${this.#s}.kv`) }, [])
      } catch (error) {
        await this.#run({ text: 'rollback to savepoint kv_index' }, [])
        throw await this.explain(index, error)
      }
      await this.#run({ text: 'release savepoint kv_index' }, [])
    }
  }

  async drop(name: string): Promise<void> {
    await this.#run({ text: `drop index ${this.#s}.${quoteName(name)}` }, [])
  }

  /** A MigrationError that says what prevents an index; the error itself if it is of another kind. */
  async explain(index: TypedIndex, error: unknown): Promise<unknown> {
    if (sqlState(error) === '23505') return this.#duplicates(index, error)
    return sqlState(error) === '54000' ? tooLarge(index, error) : error
  }

  /** Finds the rows that prevent a unique index. */
  async #duplicates(index: TypedIndex, cause: unknown): Promise<unknown> {
    const columns = indexedColumns(index)
    const text = `select array_to_json((array_agg(encode(key, 'hex') order by key))[1:${mostDuplicatesListed}]) from ${this.#s}.kv
      where ${ofCollection(index)} and ${columns.map((column) => `${column} is not null`).join(' and ')}
      group by ${columns.join(', ')} having count(*) > 1 limit ${mostDuplicatesListed}`
    const rows = await this.#run({ text }, [])
    if (rows.length === 0) return cause
    const lists = rows.map(([keys]) =>
      (JSON.parse(keys as string) as string[])
        .map((key) => JSON.stringify(decodeKey(Buffer.from(key, 'hex')).map(String)))
        .join(' and '),
    )
    return new MigrationError(
      `Cannot build the ${describe(index)}: the same values are in ${lists.join('; ')}`,
      { cause },
    )
  }
}

function tooLarge(index: TypedIndex, cause: unknown): MigrationError {
  return new MigrationError(
    `Cannot build the ${describe(index)}: a row has more there than an index of PostgreSQL holds, about 2,700 bytes in total`,
    { cause },
  )
}

function describe({
  collection,
  fields,
  unique,
}: Pick<TypedIndex, 'collection' | 'fields' | 'unique'>): string {
  return `${unique ? 'unique ' : ''}index of ${collection} on ${fields.join(' and ')}`
}
