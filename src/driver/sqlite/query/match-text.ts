import type { SearchPhrase, SearchWords } from '../../../query/search-words.ts'

/** The query text for FTS5: each word is in quotes, where no character has a meaning. */
export function matchText({ all, none }: SearchWords): string {
  if (all.length === 0) return nothing
  const wanted = all.map(phraseText).join(' ')
  return none.length === 0 ? wanted : `(${wanted}) NOT (${none.map(phraseText).join(' OR ')})`
}

/** A phrase without words, which no row contains. */
const nothing = '""'

function phraseText({ text, prefix }: SearchPhrase): string {
  return `"${text.replaceAll('"', '""')}"${prefix ? ' *' : ''}`
}
