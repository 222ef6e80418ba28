import fc from 'fast-check'
import { Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { extent } from '../extent.ts'

const fields = ['title', 'body', 'tags'] as const
const weights = { title: 3, body: 1, tags: 0.5 }
const rows = z.object({
  title: z.string(),
  body: z.string().nullable(),
  tags: z.array(z.string()).optional(),
})
const words = Valkeyrie.withSchema(['w', '*'], rows, { name: 'rows', search: { on: fields, weights } })
const parts = Valkeyrie.withSchema(['t', '*'], rows, {
  name: 'rows',
  search: { on: fields, weights, tokenizer: 'trigram' },
})

interface Text {
  readonly title: string
  readonly body: string | null
  readonly tags?: string[]
}

interface Phrase {
  readonly text: string
  readonly quoted: boolean
  readonly prefix: boolean
  readonly without: boolean
}

/** Without the characters that are spaces to a search. */
const spaced = (text: string, space = ' ') =>
  [...text].map((one) => ('\0\u0001\u0002'.includes(one) ? space : one)).join('')

/** What a search has of a text: arrays by lines, and spaces in place of three characters. */
const column = (value: string | readonly string[] | null | undefined) => {
  const text = typeof value === 'string' ? value : value?.join('\n')
  return text === undefined ? null : spaced(text)
}

/** `unicode61`: letters and digits, without case and accents. */
const tokens = (text: string) =>
  text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? []

/** Where the tokens of a phrase begin among others. */
function places(found: readonly string[], phrase: readonly string[], prefix: boolean): number[] {
  return found.flatMap((_, at) => {
    const isHere = phrase.every((token, i) => {
      const other = found[at + i]
      return i === phrase.length - 1 && prefix ? other?.startsWith(token) : other === token
    })
    return isHere ? [at] : []
  })
}

/** The hits of words in a text: those that overlap are one. */
function hitsOf(text: string, phrases: readonly (readonly [readonly string[], boolean])[]): number {
  const found = tokens(text)
  const spans = phrases
    .flatMap(([phrase, prefix]) =>
      places(found, phrase, prefix).map((at) => [at, at + phrase.length - 1] as const),
    )
    .sort(([a], [b]) => a - b)
  let [hits, end] = [0, -1]
  for (const [from, to] of spans) {
    if (from > end) hits += 1
    end = Math.max(end, to)
  }
  return hits
}

/** The ids that a search finds among texts, by their rank. */
function model(texts: readonly Text[], query: readonly Phrase[]): number[] {
  const phrases = query
    .map(({ text, prefix, without }) => ({ phrase: tokens(text), prefix, without }))
    .filter(({ phrase }) => phrase.length > 0)
  const wanted = phrases.filter(({ without }) => !without)
  if (wanted.length === 0) return []
  const ranked = texts.flatMap((text, id) => {
    const columns = fields.map((field) => column(text[field]))
    const has = ({ phrase, prefix }: (typeof phrases)[number]) =>
      columns.some((one) => one !== null && places(tokens(one), phrase, prefix).length > 0)
    if (!wanted.every(has) || phrases.some((one) => one.without && has(one))) return []
    const all = phrases.map(({ phrase, prefix }) => [phrase, prefix] as const)
    let rank = 0
    for (const [at, one] of columns.entries()) {
      if (one === null) continue
      const hits = hitsOf(one, all)
      rank += (weights[fields[at]!] * hits) / (hits + 1 + [...one].length / 1_000)
    }
    return [{ id, rank }]
  })
  return ranked.sort((a, b) => b.rank - a.rank || a.id - b.id).map(({ id }) => id)
}

const piece = fc.constantFrom(
  'a',
  'b',
  'ab',
  'A',
  'É',
  'é',
  'e',
  'e\u0301',
  'ü',
  'Ж',
  'ж',
  '漢',
  '7',
  ' ',
  ' ',
  ' ',
  '-',
  '.',
  "'",
  '😀',
  '👩‍👧',
  '\0',
  '\n',
  '\u0001',
  '\u0002',
  '\\',
  '\\u0000',
  '<',
  '*',
  '(',
  'OR',
)
const textOf = (maxLength: number) => fc.array(piece, { maxLength }).map((all) => all.join(''))
const text = textOf(12)
const texts = fc.array(
  fc.record(
    { title: text, body: fc.option(text), tags: fc.array(text, { maxLength: 3 }) },
    { requiredKeys: ['title', 'body'] },
  ) as fc.Arbitrary<Text>,
  { maxLength: 8 },
)
const query = fc.array(
  fc.record({
    text: textOf(3).map((one) => one.replace(/"/g, '').replace(/\*+$/, '')),
    quoted: fc.boolean(),
    prefix: fc.boolean(),
    without: fc.nat({ max: 3 }).map((n) => n === 0),
  }),
  { minLength: 1, maxLength: 2 },
)

/** A query as a person writes it: without quotes, it has no spaces and no leading sign. */
function written(all: readonly Phrase[]): { readonly text: string; readonly meant: Phrase[] } {
  const meant = all.map((one) =>
    one.quoted
      ? one
      : {
          ...one,
          text: spaced(one.text, '')
            .replace(/\s/g, '')
            .replace(/^-+|\*+$/g, ''),
        },
  )
  const texts = meant.map(
    ({ text, quoted, prefix, without }) =>
      `${without ? '-' : ''}${quoted ? `"${text}"` : text}${prefix ? '*' : ''}`,
  )
  return { text: texts.join(' '), meant }
}

test('a search finds what the same search in JavaScript finds, in the same order, in a unit of work too', async () => {
  await using db = await words.open()
  await fc.assert(
    fc.asyncProperty(texts, query, async (given, asked) => {
      const { text: $search, meant } = written(asked)
      await db.clear()
      const found = async ({ repositories }: Pick<typeof db, 'repositories'>) => {
        const entries = await repositories.rows.findMany({ where: { $search } })
        return entries.map(({ id }) => id)
      }
      const inUnit = await db.unitOfWork(async (unit) => {
        for (const [id, value] of given.entries()) await unit.repositories.rows.set(id, value)
        return found(unit)
      })
      const expected = model(given, meant)
      expect(await found(db)).toEqual(expected)
      expect(inUnit).toEqual(expected)
    }),
    { numRuns: extent('searches', 50, 150) },
  )
})

test('trigrams find any part of a text that has three characters', async () => {
  await using db = await parts.open()
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'B', '1', '.', '😀'), maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(fc.array(letters, { maxLength: 6 }), letters, async (titles, part) => {
      await db.clear()
      for (const [id, title] of titles.entries()) await db.repositories.rows.set(id, { title, body: null })
      const found = await db.repositories.rows.findMany({
        where: { $search: `"${part}"` },
        orderBy: { $id: 'asc' },
      })
      const isFound = (title: string) => title.toLowerCase().includes(part.toLowerCase())
      const expected = [...part].length < 3 ? [] : titles.flatMap((title, id) => (isFound(title) ? [id] : []))
      expect(found.map(({ id }) => id)).toEqual(expected)
    }),
    { numRuns: extent('searches', 30, 80) },
  )
})

test('porter finds words by their stems', async () => {
  const stems = Valkeyrie.withSchema(['s', '*'], rows, {
    name: 'rows',
    search: { on: 'title', tokenizer: 'porter' },
  })
  await using db = await stems.open()
  await db.repositories.rows.set(1, { title: 'She was running', body: null })
  expect(await db.repositories.rows.count({ where: { $search: 'RUNS' } })).toBe(1)
  expect(await db.repositories.rows.count({ where: { $search: 'ran' } })).toBe(0)
})
