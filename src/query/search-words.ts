import { QueryError } from '../contract/errors.ts'
import { describe } from './describe.ts'

/** A word, or the words of a phrase. */
export interface SearchPhrase {
  readonly text: string
  /** Whether the last word may continue. */
  readonly prefix: boolean
}

/** What a row must contain to be found: all of `all`, and none of the others. If `all` is empty, no row is found. */
export interface SearchWords {
  readonly all: readonly SearchPhrase[]
  readonly none: readonly SearchPhrase[]
}

const mostPhrases = 100
const longestText = 10_000

/** An optional minus sign, then a phrase in quotes or a word, then an optional star. */
const phrases = /(-?)(?:"([^"]*)(?:"(\*?)|$)|([^\s"]+))/gu

/**
 * What the text of a `$search` asks for. Any text is a list of words, never an error: `word` finds it, `wor*` finds words that
 * begin with `wor`, `"two words"` finds both in a row, `-word` excludes rows with the word. Throws a QueryError if it is not a
 * text, or too long.
 *
 * ```ts
 * parseSearch('blue "green tea*" -red')
 * // { all: [{ text: 'blue', prefix: false }, { text: 'green tea', prefix: true }], none: [{ text: 'red', prefix: false }] }
 * ```
 */
export function parseSearch(text: unknown): SearchWords {
  if (typeof text !== 'string')
    throw new QueryError(`$search takes a text, the words to find: got ${describe(text)}`)
  if (text.length > longestText)
    throw new QueryError(`$search takes at most ${longestText} characters: got ${text.length}`)
  const [all, none]: [SearchPhrase[], SearchPhrase[]] = [[], []]
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are spaces in the texts, too
  for (const [, minus, quoted, star, word] of text.replace(/[\0\u0001\u0002]/g, ' ').matchAll(phrases)) {
    const given = quoted ?? word!
    const phrase = given.replace(/\*+$/, '')
    if (phrase.trim() === '') continue
    const prefix = phrase.length < given.length || star === '*'
    ;(minus === '-' ? none : all).push({ text: phrase, prefix })
  }
  if (all.length + none.length > mostPhrases)
    throw new QueryError(
      `$search takes at most ${mostPhrases} words and phrases: got ${all.length + none.length}`,
    )
  return { all, none }
}
