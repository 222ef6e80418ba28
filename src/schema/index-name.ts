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

/**
 * Why the indexes of these collections cannot all exist, as a sentence: two of them would have the same name, so a database would
 * build only one. `null` if all have their own. `folded`: a name as the engine compares it.
 */
export function indexNameClash(
  collections: readonly Indexed[],
  folded = (name: string): string => name,
): string | null {
  const own = new Set(ownNames.map(folded))
  const seen = new Map<string, Named>()
  for (const { name: collection, indexes } of collections) {
    for (const index of indexes) {
      const named = { name: indexName(collection, index), collection, index }
      const known = folded(named.name)
      if (own.has(known))
        return `The ${textOf(named)} would be named ${named.name}, which the database has for itself: give the repository or the field another name`
      const other = seen.get(known)
      if (other !== undefined) return clashOf(other, named)
      seen.set(known, named)
    }
  }
  return null
}

interface Named {
  readonly name: string
  readonly collection: string
  readonly index: IndexOf
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
