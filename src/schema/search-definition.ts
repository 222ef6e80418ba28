/** What makes words of texts: the closed list of `tokenizer`. */
export const searchTokenizers = ['unicode61', 'porter', 'trigram'] as const

/**
 * What makes words of texts. `unicode61`: words are runs of letters and digits, of whichever case and with whichever accents. `porter`: the
 * same, by the stems of English words. `trigram`: any three characters in a row, so that parts of words are found.
 */
export type SearchTokenizer = (typeof searchTokenizers)[number]

/** A search over the texts of values. Made by `defineSchema`, of its SearchOptions. */
export interface SearchDefinition<Field extends string = string> {
  /** The fields that are searched: dotted paths, as `author.name`. */
  readonly fields: readonly Field[]
  /** How much a hit in each of them counts. */
  readonly weights: readonly number[]
  /** What makes words of their texts. */
  readonly tokenizer: SearchTokenizer
}

/** The `search` of a schema, where it says more than which fields. */
export interface SearchOptions {
  /** A field of the schema's output that is a text or an array of texts, or several; dots lead into objects: `'author.name'`. */
  readonly on: string | readonly string[]
  /** How much a hit in a field counts for the rank of a row: a number above 0 and up to 1,000. Default of each: 1. */
  readonly weights?: { readonly [field: string]: number }
  /** What makes words of texts. Default `'unicode61'`. */
  readonly tokenizer?: SearchTokenizer
}

/** Whether two searches need the same index: weights are of the query. */
export function sameSearch(a: SearchDefinition, b: SearchDefinition): boolean {
  return a.tokenizer === b.tokenizer && JSON.stringify(a.fields) === JSON.stringify(b.fields)
}
