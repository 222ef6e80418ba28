/** The allowed values of `tokenizer`. */
export const searchTokenizers = ['unicode61', 'porter', 'trigram'] as const

/**
 * How texts become words. `unicode61`: words are runs of letters and digits, regardless of case and accents. `porter`: the same,
 * by the stems of English words. `trigram`: any three characters in a row, which finds parts of words.
 */
export type SearchTokenizer = (typeof searchTokenizers)[number]

/** A search over the texts of values, which `defineSchema` makes from SearchOptions. */
export interface SearchDefinition<Field extends string = string> {
  /** The searched fields: dotted paths, such as `author.name`. */
  readonly fields: readonly Field[]
  /** How much a hit in each field counts. */
  readonly weights: readonly number[]
  /** How their texts become words. */
  readonly tokenizer: SearchTokenizer
}

/** The `search` of a schema, if it says more than the fields. */
export interface SearchOptions {
  /** A field of the schema's output that is a text or an array of texts, or several; dots lead into objects: `'author.name'`. */
  readonly on: string | readonly string[]
  /** How much a hit in a field counts for the rank of a row: a number above 0 and up to 1,000. Default for each: 1. */
  readonly weights?: { readonly [field: string]: number }
  /** How texts become words. Default `'unicode61'`. */
  readonly tokenizer?: SearchTokenizer
}

/** Whether two searches can share an index; weights belong to the query. */
export function sameSearch(a: SearchDefinition, b: SearchDefinition): boolean {
  return a.tokenizer === b.tokenizer && JSON.stringify(a.fields) === JSON.stringify(b.fields)
}
