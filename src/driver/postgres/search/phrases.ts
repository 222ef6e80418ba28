import type { SearchPhrase, SearchWords } from '../../../query/search-words.ts'
import type { SearchTokenizer } from '../../../schema/search-definition.ts'
import { indexedLetters } from './functions.ts'
import { foldText, type Word, wordsOf } from './words.ts'

/** What a search looks for, as the functions of the database take it: phrases as parts of the words of a row. */
export interface Wanted {
  readonly all: readonly string[]
  readonly none: readonly string[]
  /** Whether no two hits in a text can overlap. */
  readonly apart: boolean
  /** What all that is found has in the index, as a `tsquery`. */
  readonly entry: string
}

/** A phrase as words, of which the last one may go on. */
export interface WordedPhrase {
  readonly words: readonly string[]
  readonly prefix: boolean
}

/** The phrases that have words. */
export function wordedPhrases(phrases: readonly SearchPhrase[], tokenizer: SearchTokenizer): WordedPhrase[] {
  return phrases
    .map(({ text, prefix }) => ({ words: wordsOf(text, tokenizer).map((word: Word) => word.text), prefix }))
    .filter(({ words }) => words.length > 0)
}

/** Stands in no words: what has it is never found. */
const never = '\u0002'

/** What a search by these words looks for. */
export function wantedOf({ all, none }: SearchWords, tokenizer: SearchTokenizer): Wanted {
  const [wanted, unwanted] = [all, none].map((phrases) =>
    tokenizer === 'trigram'
      ? phrases.map(({ text }) => foldText(text)).filter((text) => [...text].length >= 3)
      : wordedPhrases(phrases, tokenizer).map(partOf),
  ) as [string[], string[]]
  if (wanted.length === 0) return { all: [never], none: [], apart: true, entry: lexeme(never, false) }
  const entries = wordedPhrases(all, tokenizer).flatMap(({ words, prefix }) =>
    words.map((word, at) => lexeme(word, prefix && at === words.length - 1 && tokenizer !== 'trigram')),
  )
  return {
    all: [...new Set(wanted)],
    none: [...new Set(unwanted)],
    apart: tokenizer === 'trigram' ? areApartAnywhere([...new Set(wanted)]) : areApart(wanted),
    entry: [...new Set(entries)].join(' & '),
  }
}

/** A phrase as a part of the words of a text: each word stands between two spaces of its own, the last one may go on. */
function partOf({ words, prefix }: WordedPhrase): string {
  const part = words.map((word) => ` ${word} `).join('')
  return prefix ? part.slice(0, -1) : part
}

/** Whether no two hits overlap: no word of the phrases is another one of them, or begins it. */
function areApart(phrases: readonly string[]): boolean {
  const words = phrases.flatMap((phrase) => phrase.trim().split('  '))
  const prefixes = phrases
    .filter((phrase) => !phrase.endsWith(' '))
    .map((phrase) => phrase.slice(phrase.lastIndexOf(' ') + 1))
  return (
    new Set(words).size === words.length &&
    prefixes.every((prefix) => words.filter((word) => word.startsWith(prefix)).length === 1)
  )
}

/** More of them are not compared with each other. */
const mostCompared = 10

/** Whether no two hits overlap, of parts that stand anywhere in a text: none of them has another one in it, or begins as one ends. */
function areApartAnywhere(parts: readonly string[]): boolean {
  return (
    parts.length <= mostCompared &&
    parts.every((part, at) =>
      parts.every((other, otherAt) => !crosses(part, other) && (at === otherAt || !part.includes(other))),
    )
  )
}

/** Whether a part begins as another one ends, or as it ends itself. */
function crosses(part: string, other: string): boolean {
  for (let letters = 1; letters < Math.min(part.length, other.length); letters++)
    if (other.endsWith(part.slice(0, letters))) return true
  return false
}

/** A word in a `tsquery`. */
function lexeme(word: string, prefix: boolean): string {
  const letters = [...word]
  const isWhole = letters.length < indexedLetters
  const quoted = letters.slice(0, indexedLetters).join('').replace(/['\\]/g, '$&$&')
  return `'${quoted}'${prefix && isWhole ? ':*' : ''}`
}
