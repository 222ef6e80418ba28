// As the functions highlight() and snippet() of FTS5 do it, so that both engines show the same.
import type { SearchWords } from '../../../query/search-words.ts'
import type { SearchTokenizer } from '../../../schema/search-definition.ts'
import { hitMarks } from '../../driver.ts'
import { wordedPhrases } from './phrases.ts'
import { type Word, wordsOf } from './words.ts'

/** Some words in a row of a text, by their places: a hit of a phrase, or what is shown. */
interface Span {
  readonly first: number
  readonly last: number
}

interface Hit extends Span {
  readonly phrase: number
}

const ellipsis = '…'
/** What the first hit of a phrase adds to what a part of a text is worth, each other one, and what its beginning does: that of a sentence, or of the text. */
const worth = { phrase: 1_000, again: 1, sentence: 100, text: 120 }

/** A text with marks around its hits: all of it, or so many words around the most of them. */
export function markedText(
  text: string,
  { all, none }: SearchWords,
  tokenizer: SearchTokenizer,
  most: number | null,
): string {
  const words = wordsOf(text, tokenizer)
  const phrases = wordedPhrases([...all, ...none], tokenizer)
  const hits = phrases.flatMap(({ words: wanted, prefix }, phrase) =>
    placesOf(words, wanted, prefix).map((first) => ({ phrase, first, last: first + wanted.length - 1 })),
  )
  hits.sort((a, b) => a.first - b.first || a.phrase - b.phrase)
  if (most === null) return marked(text, words, joined(hits), null)
  const first = bestStart(text, words, hits, most)
  const shown = { first, last: first + most - 1 }
  const spans = joined(hits).filter((span) => span.first >= first)
  return (first > 0 ? ellipsis : '') + marked(text, words, spans, shown)
}

/** Where the words of a phrase begin. */
function placesOf(words: readonly Word[], wanted: readonly string[], prefix: boolean): number[] {
  const places: number[] = []
  const last = wanted.length - 1
  for (let at = 0; at + last < words.length; at++) {
    const isHere = wanted.every((word, i) => {
      const found = words[at + i]!.text
      return i === last && prefix ? found.startsWith(word) : found === word
    })
    if (isHere) places.push(at)
  }
  return places
}

/** Hits that share words are one. */
function joined(hits: readonly Hit[]): Span[] {
  const spans: { first: number; last: number }[] = []
  for (const { first, last } of hits) {
    const before = spans.at(-1)
    if (before !== undefined && first <= before.last) before.last = Math.max(before.last, last)
    else spans.push({ first, last })
  }
  return spans
}

/** The text with its marks; of one that is shown in part, without what is before it, and with a sign where something is behind it. */
function marked(text: string, words: readonly Word[], spans: readonly Span[], shown: Span | null): string {
  let [found, at, isOpen, next] = ['', 0, false, 0]
  const copy = (end: number) => {
    found += text.slice(at, Math.max(at, end))
    at = end
  }
  const close = () => {
    found += hitMarks.close
    isOpen = false
  }
  const open = () => {
    found += hitMarks.open
    isOpen = true
  }
  const last = Math.min(shown?.last ?? words.length - 1, words.length - 1)
  for (let place = shown?.first ?? 0; place <= last; place++) {
    const { start, end } = words[place]!
    if (place === shown?.first && place > 0) at = start
    const span = spans[next]
    // Parts of three characters overlap: a hit goes on where the next one begins in it, or just behind it.
    if (isOpen && (span === undefined || place <= span.first) && start > at) close()
    if (place === span?.first && !isOpen) {
      copy(start)
      open()
    }
    if (place === span?.last) {
      copy(end)
      next += 1
    }
    if (place === shown?.last) {
      const rest = spans[next]
      if (isOpen && rest !== undefined && place >= rest.first) copy(end)
      if (isOpen) close()
      copy(end)
    }
  }
  if (isOpen) close()
  return found + (shown === null || shown.last >= words.length - 1 ? text.slice(at) : ellipsis)
}

/** The word at which a part of so many words begins that has the most different hits. */
function bestStart(text: string, words: readonly Word[], hits: readonly Hit[], most: number): number {
  const sentences = sentenceStarts(text, words)
  let [best, start, sentence] = [0, 0, 0]
  for (const { first } of hits) {
    const around = valueFrom(first, hits, most)
    if (around.value > best) {
      best = around.value
      const middle = Math.trunc((most - (around.past - around.first)) / 2)
      start = Math.max(0, Math.min(around.first - middle, words.length - most))
    }
    if (words.length <= most) continue
    while (sentences[sentence + 1]! <= first) sentence += 1
    const place = sentences[sentence]!
    if (place >= first) continue
    const { value } = valueFrom(place, hits, most)
    const whole = value + (place === 0 ? worth.text : worth.sentence)
    if (whole > best) [best, start] = [whole, place]
  }
  return start
}

/** What the part of so many words is worth that begins there, where its first hit begins, and where its last one ends. */
function valueFrom(place: number, hits: readonly Hit[], most: number) {
  const seen = new Set<number>()
  let [value, first, past] = [0, -1, 0]
  for (let at = firstFrom(hits, place); at < hits.length; at++) {
    const hit = hits[at]!
    if (hit.first >= place + most) break
    value += seen.has(hit.phrase) ? worth.again : worth.phrase
    seen.add(hit.phrase)
    if (first < 0) first = hit.first
    past = hit.last + 1
  }
  return { value, first, past }
}

/** Which hit is the first that begins there, or behind it. */
function firstFrom(hits: readonly Hit[], place: number): number {
  let [low, high] = [0, hits.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (hits[middle]!.first < place) low = middle + 1
    else high = middle
  }
  return low
}

/** The words that begin a sentence: the first one, and those behind a full stop or a colon and a space. */
function sentenceStarts(text: string, words: readonly Word[]): number[] {
  return words.flatMap(({ start }, place) => {
    let before = start - 1
    while (before >= 0 && ' \t\n\r'.includes(text[before]!)) before -= 1
    const isBehindStop = before < start - 1 && (text[before] === '.' || text[before] === ':')
    return place === 0 || isBehindStop ? [place] : []
  })
}
