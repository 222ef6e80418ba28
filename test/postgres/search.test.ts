import fc from 'fast-check'
import { Valkeyrie } from 'valkeyrie'
import { liveQuery, serveLive } from 'valkeyrie/http'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { SearchTokenizer } from '../../src/schema/search-definition.ts'
import { anyCharacter } from '../any-character.ts'
import { describeEngine } from '../engines.ts'
import { asking, eventsOf } from '../live/served.ts'

const text = z.string()
const row = z.object({ title: text, by: z.object({ name: text.nullable() }), tags: z.array(text).optional() })

const library = (tokenizer: SearchTokenizer) =>
  Valkeyrie.withSchema(['rows', '*'], row, {
    name: 'rows',
    search: { on: ['title', 'by.name', 'tags'], weights: { title: 3, tags: 0.3 }, tokenizer },
  })

const piece = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('tea', 'green', 'ten', 'run', 'running', 'a', 'b', 'ab', 'aba') },
  {
    weight: 8,
    arbitrary: fc.constantFrom(' ', ' ', '. ', ': ', '-', '\n', "'", '"', '*', '\\', '$', '(', '.*'),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ...[
        'É',
        'e\u0301',
        'ß',
        'ſ',
        'İ',
        'Ж',
        '漢字',
        '日本',
        'か\u3099',
        '7',
        '１',
        'ⅷ',
        'Ⓐ',
        '\u0345',
        '😀',
        '👩‍👧',
      ],
      ...['\0', '\u0001', '\u0002', '\u0003', '\ud7ff', '\u{10fffe}', '\u{10ffff}', '\ufffe', '\u00ad'],
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: anyCharacter, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom('\ud800', '\udfff', 'x'.repeat(70), `${'y'.repeat(64)}z`) },
)
const textOf = (maxLength: number) => fc.array(piece, { maxLength }).map((all) => all.join(''))
const rows = fc.array(
  fc.record(
    {
      title: textOf(14),
      by: fc.record({ name: fc.option(textOf(5)) }),
      tags: fc.array(textOf(4), { maxLength: 3 }),
    },
    { requiredKeys: ['title', 'by'] },
  ),
  { maxLength: 8 },
)
const phrase = fc
  .tuple(fc.constantFrom('', '', '', '-'), fc.boolean(), textOf(4), fc.constantFrom('', '*'))
  .map(
    ([minus, quoted, words, star]) => `${minus}${quoted ? `"${words.replaceAll('"', '')}"` : words}${star}`,
  )
const query = fc.array(phrase, { minLength: 1, maxLength: 3 }).map((all) => all.join(' '))

/** Shows a run of lone surrogates as one replacement character, because engines store them differently. */
const shown = (value: string) => value.toWellFormed().replace(/\ufffd+/g, '\ufffd')

describeEngine('postgres', 'a search', (engine) => {
  for (const tokenizer of ['unicode61', 'porter', 'trigram'] as const) {
    test(`finds, ranks and shows what it does on SQLite, by ${tokenizer}`, async () => {
      await using file = await library(tokenizer).open()
      await using server = await library(tokenizer).open(engine.newAddress())
      await fc.assert(
        fc.asyncProperty(
          rows,
          fc.array(query, { minLength: 4, maxLength: 4 }),
          fc.nat({ max: 6 }),
          async (given, asked, most) => {
            const onBoth = async <T>(work: (db: typeof file) => Promise<T>) => {
              const [there, here] = await Promise.all([work(server), work(file)])
              expect(there).toEqual(here)
            }
            await onBoth((db) => db.clear().then(() => null))
            for (const db of [file, server])
              await db.repositories.rows.insertMany(given.map((value, id) => [id, value] as const))
            for (const $search of asked) {
              const find = async ({ repositories }: Pick<typeof file, 'repositories'>) => {
                const highlight = {
                  title: most + 1,
                  'by.name': true,
                  tags: most === 0 ? true : most,
                } as const
                const found = await repositories.rows.findMany({ where: { $search }, highlight })
                return found.map(({ id, highlights }) => [
                  id,
                  ...Object.values(highlights).map((parts) =>
                    parts?.map((part) => [shown(part.text), part.hit]),
                  ),
                ])
              }
              await onBoth(find)
              await onBoth((db) =>
                db.unitOfWork(async (unit) => {
                  if (given.length > 1) await unit.repositories.rows.set(0, given[1]!)
                  const all = await find(unit)
                  return [all, await unit.repositories.rows.count({ where: { NOT: { $search } } })]
                }),
              )
            }
          },
        ),
        { numRuns: 12 },
      )
    })
  }

  test('is served by its index, whose size the figures tell', async () => {
    const address = engine.newAddress()
    await using db = await library('unicode61').open(address)
    const { rows } = db.repositories
    const row = (n: number) => ({ title: `word${n} ${n % 2 ? 'odd' : 'even'}`, by: { name: null } })
    await rows.insertMany(Array.from({ length: 3_000 }, (_, n) => [n, row(n)] as const))
    await db.as('postgres').drizzle.execute('analyze')
    for (const $search of ['word7', 'word12*', '"word7 odd" -even']) {
      const plan = (await rows.explain({ where: { $search } })).join('\n')
      expect(plan).toMatch(/Index Scan on kv_rows_search_\w+_entry/)
      expect(plan).not.toMatch(/Seq Scan on kv(_rows|$| )/m)
    }
    const { indexes } = await db.stats()
    const figures = indexes.find(({ name }) => name.startsWith('kv_rows_search_'))
    expect(figures).toMatchObject({ repository: 'rows', fields: ['title', 'by.name', 'tags'] })
    expect(figures!.bytes).toBeGreaterThan(100_000)
  })

  test('finds what a row has of very many and of very long words', async () => {
    await using db = await library('unicode61').open(engine.newAddress())
    const { rows } = db.repositories
    const many = Array.from({ length: 150_000 }, (_, n) => `word${n}`).join(' ')
    const long = ['x'.repeat(3_000), 'y'.repeat(70)]
    await rows.set('many', { title: many, by: { name: null } })
    await rows.set('long', { title: long.join(' '), by: { name: null } })
    const found = async ($search: string) => (await rows.findMany({ where: { $search } })).map(({ id }) => id)
    expect(await found('"word149998 word149999" word7')).toEqual(['many'])
    expect(await found('word150000')).toEqual([])
    expect(await found(long.join(' '))).toEqual(['long'])
    expect(await found(`${'y'.repeat(64)}*`)).toEqual(['long'])
    expect(await found('y'.repeat(69))).toEqual([])
    await rows.delete('many')
    expect(await found('word7')).toEqual([])
  })

  test('is followed by pages over HTTP', async () => {
    const address = engine.newAddress()
    await using db = await library('porter').open(address)
    const { rows } = db.repositories
    await rows.set(1, { title: 'Walking far', by: { name: null } })
    const live = serveLive(
      {
        found: liveQuery(z.object({ words: z.string() }), ({ words }) =>
          rows.watchMany({ where: { $search: words }, orderBy: { $rank: 'desc' } }),
        ),
      },
      { authorize: () => true },
    )
    const params = encodeURIComponent(JSON.stringify({ words: 'walks' }))
    const events = eventsOf(await live.fetch(asking(`found?params=${params}`)))
    const first = JSON.stringify(await events.next())
    expect(first).toContain('Walking far')
    // Of another process's connections.
    await using other = await library('porter').open(address)
    await other.repositories.rows.set(2, { title: 'She walked', by: { name: null } })
    expect(JSON.stringify(await events.next())).toContain('She walked')
    await events.cancel()
  })

  test('that has lost its triggers is found by verify, and built again by open', async () => {
    const address = engine.newAddress()
    const searched = library('porter')
    {
      await using db = await searched.open(address)
      await db.repositories.rows.set(1, { title: 'Running', by: { name: null } })
      expect(await Valkeyrie.verify(address)).toMatchObject({ sound: true })
      const plain = db.as('postgres').drizzle
      const s = new URL(address).searchParams.get('schema')!
      const { rows } = await plain.execute(`select name from ${s}.kv_search`)
      const { name } = rows[0] as { name: string }
      await plain.execute(`update ${s}."${name}" set words = ' other '`)
      const { findings } = await Valkeyrie.verify(address)
      expect(findings.map(({ message }) => message)).toEqual([
        expect.stringContaining("The search of 'rows' on title and by.name and tags has other words of"),
      ])
      await plain.execute(`drop function ${s}."${name}" cascade`)
      expect((await Valkeyrie.verify(address)).findings).toMatchObject([{ kind: 'index' }])
      await db.repositories.rows.set(2, { title: 'She runs', by: { name: null } })
    }
    await using db = await searched.open(address)
    expect(await db.repositories.rows.count({ where: { $search: 'run' } })).toBe(2)
    expect(await Valkeyrie.verify(address)).toMatchObject({ sound: true })
  })
})
