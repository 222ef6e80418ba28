import type { SearchPhrase, SearchWords } from '../../../query/search-words.ts'

/** The text of FTS5 that finds words: each of them between quotes, where no character has a meaning. */
export function matchText({ all, none }: SearchWords): string {
  if (all.length === 0) return nothing
  const wanted = all.map(phraseText).join(' ')
  return none.length === 0 ? wanted : `(${wanted}) NOT (${none.map(phraseText).join(' OR ')})`
}

/** A phrase without words, which no row has. */
const nothing = '""'

function phraseText({ text, prefix }: SearchPhrase): string {
  return `"${text.replaceAll('"', '""')}"${prefix ? ' *' : ''}`
}
