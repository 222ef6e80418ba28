import type { IndexDefinition } from './definition.types.ts'

type IndexOf = Pick<IndexDefinition, 'fields' | 'unique'>

interface Indexed {
  readonly name: string
  readonly indexes: readonly IndexOf[]
}

/** Of the names that a database has for itself, those that the name of a declared index can be. */
const ownNames = ['kv_expires_at', 'kv_past_schemas']

/** The name of the index that a declaration becomes: `kv_users_email`, `kv_users_address_city_age_unique`. */
export function indexName(collection: string, { fields, unique }: IndexOf): string {
  const path = fields.map((field) => field.replaceAll('.', '_')).join('_')
  return `kv_${collection}_${path}${unique ? '_unique' : ''}`
}

/** An index, with the name that it would have. */
interface Named {
  readonly name: string
  readonly collection: string
  readonly index: IndexOf
}

/** The names of the indexes of a database, which can build only one of each name. */
export class IndexNames {
  readonly #folded: (name: string) => string
  readonly #taken: Map<string, Named>

  /** `folded`: a name as the engine compares it. */
  constructor(folded = (name: string): string => name, taken: Iterable<readonly [string, Named]> = []) {
    this.#folded = folded
    this.#taken = new Map(taken)
  }

  /** The same names, to which others can be added apart. */
  copy(): IndexNames {
    return new IndexNames(this.#folded, this.#taken)
  }

  /** Adds the indexes of a collection. Returns `null`, or as a sentence why one of them cannot exist beside the others. */
  add({ name: collection, indexes }: Indexed): string | null {
    for (const index of indexes) {
      const named = { name: indexName(collection, index), collection, index }
      const known = this.#folded(named.name)
      if (ownNames.some((own) => this.#folded(own) === known))
        return `The ${textOf(named)} would be named ${named.name}, which the database has for itself: give the repository or the field another name`
      const other = this.#taken.get(known)
      if (other !== undefined) return clashOf(other, named)
      this.#taken.set(known, named)
    }
    return null
  }
}

/** Why the indexes of these collections cannot all exist, as a sentence; `null` if they can. `folded`: as of IndexNames. */
export function indexNameClash(
  collections: readonly Indexed[],
  folded?: (name: string) => string,
): string | null {
  const names = new IndexNames(folded)
  for (const collection of collections) {
    const clash = names.add(collection)
    if (clash !== null) return clash
  }
  return null
}

function clashOf(a: Named, b: Named): string {
  const names =
    a.name === b.name
      ? `would both be named ${a.name}`
      : `would be named ${a.name} and ${b.name}, which differ only in case and are one name to this engine`
  const inOrder = [a, b].some(({ index }) => index.fields.length > 1)
    ? ', or list the fields of an index in another order'
    : ''
  return `The ${textOf(a)} and the ${textOf(b)} ${names}: give a repository or a field another name${inOrder}`
}

function textOf({ collection, index: { fields, unique } }: Named): string {
  return `${unique ? 'unique ' : ''}index of '${collection}' on ${fields.join(' and ')}`
}
