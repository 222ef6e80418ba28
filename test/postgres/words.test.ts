import Database from 'better-sqlite3'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { searchFunctions } from '../../src/driver/postgres/search/functions.ts'
import { foldedLetters, marks, separatorBounds } from '../../src/driver/postgres/search/letters.ts'
import { wantedOf } from '../../src/driver/postgres/search/phrases.ts'
import { wordsOf } from '../../src/driver/postgres/search/words.ts'
import { escapeText } from '../../src/driver/postgres/values/json-text.ts'
import type { SearchTokenizer } from '../../src/schema/search-definition.ts'
import { describeEngine } from '../engines.ts'
import { newSchema } from './database.ts'

const tokenizers: Readonly<Record<SearchTokenizer, string>> = {
  unicode61: 'unicode61 remove_diacritics 2',
  porter: 'porter unicode61 remove_diacritics 2',
  trigram: 'trigram remove_diacritics 1',
}

/** The words that FTS5 finds in texts. */
function byFts5(texts: readonly string[], tokenizer: SearchTokenizer): string[][] {
  const db = new Database(':memory:')
  try {
    db.exec(
      `CREATE VIRTUAL TABLE t USING fts5(x, tokenize='${tokenizers[tokenizer]}'); CREATE VIRTUAL TABLE v USING fts5vocab(t, instance)`,
    )
    const insert = db.prepare('INSERT INTO t (rowid, x) VALUES (?, ?)')
    for (const [at, text] of texts.entries()) insert.run(at, text)
    const found: string[][] = texts.map(() => [])
    const rows = db.prepare<[], [string, number, number]>('SELECT term, doc, "offset" FROM v').raw()
    for (const [term, doc, offset] of rows.iterate()) found[doc]![offset] = term
    return found
  } finally {
    db.close()
  }
}

const byCode = (texts: readonly string[], tokenizer: SearchTokenizer) =>
  texts.map((text) => wordsOf(text, tokenizer).map((word) => word.text))

/** The texts of which others were found. */
function differences(texts: readonly string[], found: readonly string[][], expected: readonly string[][]) {
  return texts.flatMap((text, at) => {
    const [words, others] = [found[at], expected[at]].map((one) => JSON.stringify(one))
    return words === others ? [] : [{ text, words, others }]
  })
}

describeEngine('postgres', 'the words of a text', (engine) => {
  const schema = newSchema()
  let client: pg.Client
  beforeAll(async () => {
    client = new pg.Client({ connectionString: engine.newAddress().replace(/\?.*/, '') })
    await client.connect()
    await client.query(`create schema ${schema}; ${searchFunctions(schema)}`)
  })
  afterAll(() => client?.end())

  /** The words that the functions of the database find. */
  async function byServer(texts: readonly string[], tokenizer: SearchTokenizer): Promise<string[][]> {
    const text = `select ${schema}.kv_words_1(t, $2::text) from unnest($1::text[]) with ordinality u(t, n) order by n`
    const { rows } = await client.query({ text, rowMode: 'array' }, [texts.map(escapeText), tokenizer])
    return rows.map(([words]) => {
      if (tokenizer !== 'trigram')
        return (words as string)
          .trim()
          .split('  ')
          .filter((word) => word !== '')
      const letters = [...(words as string)]
      return letters.slice(2).map((_, at) => letters.slice(at, at + 3).join(''))
    })
  }

  test('are the same in FTS5, in JavaScript and in the database, for every character', async () => {
    // Of the other planes, and of the scripts of thousands of letters, those where runs of letters end.
    const codes = new Set(separatorBounds.flatMap((code) => [code - 1, code, code + 1]))
    for (let code = 3; code <= 0x33ff; code++) codes.add(code)
    for (let code = 0xa000; code <= 0xffff; code++) if (code < 0xac00 || code > 0xdfff) codes.add(code)
    for (const letter of foldedLetters + marks) codes.add(letter.codePointAt(0)!)
    for (const code of [0x10fffd, 0x10fffe, 0x10ffff]) codes.add(code)
    const pieces = Array.from(codes, (code) => `a${String.fromCodePoint(code)}b`)
    const texts = Array.from({ length: Math.ceil(pieces.length / 64) }, (_, at) =>
      pieces.slice(at * 64, at * 64 + 64).join(' '),
    )
    for (const tokenizer of ['unicode61', 'trigram'] as const) {
      const expected = byFts5(texts, tokenizer)
      expect(differences(texts, byCode(texts, tokenizer), expected)).toEqual([])
      expect(differences(texts, await byServer(texts, tokenizer), expected)).toEqual([])
    }
  })

  test('have the stems of FTS5', async () => {
    const syllable = fc.constantFrom(
      ...'aeiouybclstxz'.split(''),
      'ss',
      'ee',
      'at',
      'bl',
      'iz',
      'ж',
      '漢',
      'é',
      '7',
      'll',
    )
    const ending = fc.constantFrom(
      ...'s es sses ies eed ed ing y ational tional enci anci izer logi bli alli entli eli ousli ization ation ator alism iveness fulness ousness aliti iviti biliti'.split(
        ' ',
      ),
      ...'ical ness icate iciti ful ative alize al ance ence er ic able ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e ll l'.split(
        ' ',
      ),
    )
    const word = fc
      .tuple(fc.array(syllable, { maxLength: 5 }), fc.array(ending, { maxLength: 3 }))
      .map((parts) => parts.flat().join(''))
    const long = fc.integer({ min: 20, max: 24 }).map((n) => `${'abc'.repeat(n)}ing`)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 20, arbitrary: word }, { weight: 1, arbitrary: long }), {
          minLength: 1,
          maxLength: 100,
        }),
        async (words) => {
          const expected = byFts5(words, 'porter')
          expect(byCode(words, 'porter')).toEqual(expected)
          expect(await byServer(words, 'porter')).toEqual(expected)
        },
      ),
      { numRuns: 20 },
    )
  })

  test('have as many hits of phrases as there are runs of what these cover', async () => {
    const few = (pieces: readonly string[], maxLength: number) =>
      fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength }).map((all) => all.join(''))
    const trial = (['trigram', 'unicode61'] as const).map((tokenizer) => {
      const pieces = tokenizer === 'trigram' ? ['a', 'b', 'c', 'é'] : ['a', 'b', 'ab', ' ', ' ']
      const phrase = fc.record({ text: few(pieces, 5), prefix: fc.boolean() })
      return fc.record({
        tokenizer: fc.constant(tokenizer),
        text: few(pieces, 30),
        all: fc.array(phrase, { minLength: 1, maxLength: 3 }),
      })
    })
    const ways = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.oneof(...trial), async ({ tokenizer, text, all }) => {
        const wanted = wantedOf({ all, none: [] }, tokenizer)
        const joins = tokenizer === 'trigram'
        const words = `${schema}.kv_words_1($1::text, $2)`
        const { rows } = await client.query(
          `select w, ${schema}.kv_hits_1(w, $3::text[], $4, $5) as hits from ${words} w`,
          [text, tokenizer, wanted.all, wanted.apart, joins],
        )
        const [{ w, hits }] = rows as [{ w: string; hits: number }]
        ways.add(`${tokenizer} ${wanted.apart}`)
        const covered = wanted.all
          .flatMap((part) =>
            [...w].flatMap((_, at) => (w.startsWith(part, at) ? [[at, at + part.length]] : [])),
          )
          .sort(([a], [b]) => a! - b!) as [number, number][]
        let [runs, reached] = [0, -1]
        for (const [start, end] of covered) {
          if (joins ? start > reached : start >= reached) runs += 1
          reached = Math.max(reached, end)
        }
        expect(hits).toBe(runs)
      }),
      { numRuns: 400 },
    )
    expect(ways.size).toBe(4)
  })

  test('are cut where they are very long, as in FTS5', async () => {
    const texts = ['a'.repeat(40_000), '漢'.repeat(12_000), `${'é'.repeat(40_000)} b`, '𠀀'.repeat(9_000)]
    const expected = byFts5(texts, 'unicode61').map((words) =>
      words.map((word) => word.replace(/\ufffd+$/, '')),
    )
    expect(byCode(texts, 'unicode61')).toEqual(expected)
    expect(await byServer(texts, 'unicode61')).toEqual(expected)
  })
})
