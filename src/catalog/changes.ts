import { isDeepStrictEqual } from 'node:util'
import { MigrationError } from '../contract/errors.ts'
import { patternText } from '../key/pattern-text.ts'
import { type SearchDefinition, sameSearch } from '../schema/search-definition.ts'
import { parseJson } from '../value/parse-json.ts'
import {
  type Catalog,
  type Collection,
  type IndexDeclaration,
  type KnownCollection,
  sameFields,
  sameIndex,
} from './catalog.ts'
import { assertNotReplaced } from './replacement.ts'

/** What an opener must ask for by name, because another program may still need what it changes. */
export interface AskedChanges {
  /** Old names, and their new ones. */
  readonly renameRepositories: { readonly [from: string]: string }
  /** Indexes to drop, which this opener does not declare. */
  readonly dropIndexes: readonly { readonly repository: string; readonly on: readonly string[] }[]
  /** Names of collections whose patterns may take rows of others. */
  readonly takeRows: readonly string[]
}

export const nothingAsked: AskedChanges = { renameRepositories: {}, dropIndexes: [], takeRows: [] }

/** What an opener changes in the catalogue. */
export interface CatalogChanges {
  /** Renamed collections: old names, and their new ones. */
  readonly renamed: ReadonlyMap<string, string>
  /** Collections with a new pattern. */
  readonly added: readonly Collection[]
  /** The collections to store, because they are new, renamed, or differ. */
  readonly kept: readonly Collection[]
  readonly dropped: readonly { readonly repository: string; readonly index: IndexDeclaration }[]
  /** Searches whose indexes to drop. */
  readonly unsearched: readonly { readonly repository: string; readonly search: SearchDefinition }[]
  /** Names of collections that may take rows of others. */
  readonly takeRows: readonly string[]
}

/**
 * What the catalogue lacks of the declared collections. Opening only adds: what others have declared stays. Throws a MigrationError
 * if a migration has replaced a declared schema, or if a name or a pattern belongs to another collection.
 */
export function catalogChanges(
  catalog: Catalog,
  declared: readonly Collection[],
  { renameRepositories, dropIndexes, takeRows }: AskedChanges = nothingAsked,
): CatalogChanges {
  assertNotReplaced(declared, catalog)
  const renamed = renames(catalog, renameRepositories)
  const known = catalog.collections.map((it) => ({ ...it, name: renamed.get(it.name) ?? it.name }))
  const byName = new Map(known.map((it) => [it.name, it]))
  const byPattern = new Map(known.map((it) => [patternText(it.pattern), it]))
  const added: Collection[] = []
  const merged = new Map<string, Collection>(known.map((it) => [it.name, plain(it)]))
  for (const collection of declared) {
    const { name, pattern } = collection
    const [named, same] = [byName.get(name), byPattern.get(patternText(pattern))]
    if (same !== undefined && same.name !== name) throw namedOtherwise(collection, same.name)
    if (named !== undefined && same === undefined) throw patternOtherwise(collection, named)
    if (named === undefined) added.push(collection)
    merged.set(name, named === undefined ? plain(collection) : merge(named, collection))
  }
  const dropped = known.flatMap(({ name, indexes }) => {
    const own = declared.find((it) => it.name === name)?.indexes ?? []
    return indexes
      .filter((index) => isAsked(dropIndexes, name, index) && !own.some((it) => sameIndex(it, index)))
      .map((index) => ({ repository: name, index }))
  })
  for (const { repository, index } of dropped) {
    const { indexes, ...rest } = merged.get(repository)!
    merged.set(repository, { ...rest, indexes: indexes.filter((it) => !sameIndex(it, index)) })
  }
  const unsearched = known.flatMap(({ name, search = [] }) => {
    const own = declared.find((it) => it.name === name)?.search ?? []
    return search
      .filter((it) => isAsked(dropIndexes, name, it) && !own.some((other) => sameSearch(it, other)))
      .map((it) => ({ repository: name, search: it }))
  })
  for (const { repository, search } of unsearched) {
    const { search: all = [], ...rest } = merged.get(repository)!
    merged.set(repository, plain({ ...rest, search: all.filter((it) => !sameSearch(it, search)) }))
  }
  const names = new Set(renamed.values())
  const kept = [...merged.values()].filter((it) => {
    const before = byName.get(it.name)
    return before === undefined || names.has(it.name) || !isDeepStrictEqual(plain(before), it)
  })
  return { renamed, added, kept, dropped, unsearched, takeRows }
}

/** The collections whose indexes must exist: the declared ones with theirs, and renamed ones with all of theirs. */
export function indexedCollections(
  declared: readonly Collection[],
  renamed: CatalogChanges['renamed'],
  kept: readonly Collection[],
): Collection[] {
  const names = new Set(renamed.values())
  return [...declared.filter((it) => !names.has(it.name)), ...kept.filter((it) => names.has(it.name))]
}

/** The renames that are still to be done; a program may go on asking for those that are done. */
function renames(
  { collections }: Catalog,
  asked: AskedChanges['renameRepositories'],
): ReadonlyMap<string, string> {
  const known = new Set(collections.map(({ name }) => name))
  const renamed = new Map(Object.entries(asked).filter(([from, to]) => known.has(from) && from !== to))
  for (const [from, to] of renamed) {
    if (known.has(to) && !renamed.has(to)) {
      throw new MigrationError(
        `'${from}' cannot be renamed to '${to}': the database already has a repository of that name`,
        {
          repository: from,
        },
      )
    }
  }
  return renamed
}

function isAsked(
  asked: AskedChanges['dropIndexes'],
  name: string,
  { fields }: Pick<IndexDeclaration, 'fields'>,
): boolean {
  return asked.some(({ repository, on }) => repository === name && sameFields(on, fields))
}

/** The known collection with what is declared: of two schemas, or two references of a field, the declared one wins. */
function merge(known: KnownCollection, declared: Collection): Collection {
  const { name, pattern, schema, indexes, references, search = [] } = plain(known)
  const further = declared.indexes.filter((index) => !indexes.some((it) => sameIndex(it, index)))
  return {
    name,
    pattern,
    schema: declared.schema ?? schema,
    indexes: [...indexes, ...further],
    references: { ...references, ...declared.references },
    ...searched([
      ...search.map((it) => declared.search?.find((own) => sameSearch(it, own)) ?? it),
      ...(declared.search ?? []).filter((it) => !search.some((other) => sameSearch(it, other))),
    ]),
  }
}

/** Left out if there are none. */
function searched(search: readonly SearchDefinition[] = []): Pick<Collection, 'search'> {
  if (search.length === 0) return {}
  return {
    search: search.map(({ fields, weights, tokenizer }) => ({
      fields: [...fields],
      weights: [...weights],
      tokenizer,
    })),
  }
}

/** Without anything that is not JSON, as the catalogue stores it. */
function plain({ name, pattern, schema, indexes, references, search }: Collection): Collection {
  return {
    name,
    pattern,
    schema: schema && (parseJson(JSON.stringify(schema)) as object),
    indexes: indexes.map(({ fields, unique }) => ({ fields: [...fields], unique })),
    references: { ...references },
    ...searched(search),
  }
}

function namedOtherwise({ name, pattern }: Collection, known: string): MigrationError {
  return new MigrationError(
    `The pattern ${patternText(pattern)} is named '${known}' in the database, but '${name}' here: give the schema the name '${known}', or rename it for every program with "valkeyrie migrate" or open(path, { renameRepositories: { ${known}: '${name}' } })`,
    { repository: known },
  )
}

function patternOtherwise({ name, pattern }: Collection, known: KnownCollection): MigrationError {
  return new MigrationError(
    `'${name}' has the pattern ${patternText(known.pattern)} in the database, but ${patternText(pattern)} here: give this schema another name, or move the rows with "valkeyrie migrate"`,
    { repository: name },
  )
}
