import { QueryError } from '../contract/errors.ts'
import type { SearchDefinition } from '../schema/search-definition.ts'
import { describe, quote } from './describe.ts'
import { isPlainObject } from './query-reader.ts'

/** A field whose hits to show: in its whole text, or in this many of its words. */
export interface HighlightedField {
  readonly path: string
  readonly words: number | null
}

const mostWords = 64

/**
 * The fields of a `highlight`: `true` for all searched ones, or `{ title: true, body: 16 }`. Throws a QueryError for anything else.
 */
export function parseHighlight(highlight: unknown, { fields }: SearchDefinition): HighlightedField[] {
  if (highlight === true) return fields.map((path) => ({ path, words: null }))
  if (typeof highlight !== 'object' || highlight === null || !isPlainObject(highlight))
    throw new QueryError(
      `highlight must be true or an object, such as { title: true, body: 16 }: got ${describe(highlight)}`,
    )
  return Object.entries(highlight).flatMap(([path, words]): HighlightedField[] => {
    if (!fields.includes(path))
      throw new QueryError(
        `highlight names ${quote(path)}, which the search does not cover: it covers ${fields.join(', ')}`,
      )
    if (words === false || words === undefined) return []
    if (words === true) return [{ path, words: null }]
    if (typeof words === 'number' && Number.isInteger(words) && words >= 1 && words <= mostWords)
      return [{ path, words }]
    throw new QueryError(
      `highlight of '${path}' must be true or a number of words from 1 to ${mostWords}: got ${describe(words)}`,
    )
  })
}
