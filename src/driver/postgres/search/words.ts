import type { SearchTokenizer } from '../../../schema/search-definition.ts'
import { unescapeText } from '../values/json-text.ts'
import { foldedLetters, lettersOfFolded, marks, separatorBounds } from './letters.ts'
import { stem } from './stem.ts'

/** A word of a text, as it is compared, and where it stands. */
export interface Word {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** So many bytes of a word count, as in FTS5. */
export const longestWord = 32_768

const folds = new Map<string, string>([
  ...[...foldedLetters].map((letter, at) => [letter, [...lettersOfFolded][at]!] as const),
  ...[...marks].map((mark) => [mark, ''] as const),
])

/** A text as a search sees it, of one that is kept: with spaces for the characters that it takes for them. */
export function searchedText(kept: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return unescapeText(kept).replace(/[\0\u0001\u0002]/g, ' ')
}

/** The words of a text, as the functions in the database find them there. */
export function wordsOf(text: string, tokenizer: SearchTokenizer): Word[] {
  return tokenizer === 'trigram' ? trigramsOf(text) : runsOf(text, tokenizer === 'porter')
}

/** Runs of letters and digits; a mark belongs to the word before it, and stands for nothing. */
function runsOf(text: string, stemmed: boolean): Word[] {
  const words: Word[] = []
  let [word, start, at] = ['', 0, 0]
  const end = () => {
    if (word === '') return
    const whole = cut(word)
    words.push({ text: stemmed ? stem(whole) : whole, start, end: at })
    word = ''
  }
  for (const character of text) {
    if (isSeparator(character)) end()
    else {
      const letter = fold(character)
      if (word === '') start = at
      word += letter
    }
    at += character.length
  }
  end()
  return words
}

/** Any three characters in a row; the marks behind them belong to them. */
function trigramsOf(text: string): Word[] {
  const letters: { readonly letter: string; readonly at: number }[] = []
  let at = 0
  for (const character of text) {
    const letter = fold(character)
    if (letter !== '') letters.push({ letter, at })
    at += character.length
  }
  return letters.slice(2).map(({ letter }, i) => ({
    text: letters[i]!.letter + letters[i + 1]!.letter + letter,
    start: letters[i]!.at,
    end: letters[i + 3]?.at ?? text.length,
  }))
}

/** A text as trigrams see it. */
export function foldText(text: string): string {
  return Array.from(text, fold).join('')
}

/** A letter without case and accents. */
function fold(character: string): string {
  const code = character.codePointAt(0)!
  if (code < 0x80) return code >= 0x41 && code <= 0x5a ? character.toLowerCase() : character
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd'
  return folds.get(character) ?? character
}

function isSeparator(character: string): boolean {
  const code = character.codePointAt(0)!
  if (code < 0x80) return !/[0-9A-Za-z]/.test(character)
  if (code >= 0xd800 && code <= 0xdfff) return true
  let [low, high] = [0, separatorBounds.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (separatorBounds[middle]! <= code) low = middle + 1
    else high = middle
  }
  return low % 2 === 1
}

/** What counts of a word. */
function cut(word: string): string {
  if (word.length * 3 <= longestWord) return word
  let bytes = 0
  let kept = ''
  for (const letter of word) {
    bytes += Buffer.byteLength(letter)
    if (bytes > longestWord) break
    kept += letter
  }
  return kept
}
