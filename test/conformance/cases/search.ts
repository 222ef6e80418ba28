import { parameter, QueryError, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import { stillClock } from '../../still-clock.ts'
import type { Cases, Place } from '../suite.ts'
import { next } from '../watching.ts'

const article = z.object({
  title: z.string(),
  body: z.string().optional(),
  tags: z.array(z.string()).optional(),
  by: z.object({ name: z.string() }).optional(),
  year: z.int(),
})
const library = Valkeyrie.withSchema(['topics', '*'], z.object({ name: z.string() }), { name: 'topics' })
  .withSchema(['topics', '*', 'articles', '*'], article, {
    name: 'articles',
    search: { on: ['title', 'body', 'tags', 'by.name'], weights: { title: 3 } },
    indexes: [{ on: 'year' }],
  })
  .withSchema(['notes', '*'], z.object({ text: z.string() }), { name: 'notes' })

async function openLibrary({ path }: Place) {
  const db = await library.open(path())
  const { articles } = db.repositories
  await articles.insertMany([
    [['tea', 'a'], { title: 'Green tea', body: 'How to brew it.', tags: ['drink'], year: 2001 }],
    [['tea', 'b'], { title: 'Black tea', body: 'Green leaves, left to wither. Tea, tea.', year: 2002 }],
    [
      ['tea', 'c'],
      { title: 'Mate', tags: ['green drink', 'tea-like'], by: { name: 'José Núñez' }, year: 2003 },
    ],
    [['ink', 'd'], { title: 'Ink', body: 'Oak galls.', year: 2004 }],
  ])
  return { db, articles }
}

const ids = (rows: readonly { readonly id: readonly unknown[] }[]) => rows.map(({ id }) => id.at(-1)).join('')

export const searchCases: Cases = {
  'a search finds words of every field that it names, in whichever case and with whichever accents': async (
    place,
  ) => {
    const { db, articles } = await openLibrary(place)
    await using _ = db
    const found = async ($search: string) =>
      ids(await articles.findMany({ where: { $search }, orderBy: { $id: 'asc' } }))
    expect(await found('tea')).toBe('abc')
    expect(await found('TEA green')).toBe('abc')
    expect(await found('nunez')).toBe('c')
    expect(await found('NÚÑEZ josé')).toBe('c')
    expect(await found('"green tea"')).toBe('a')
    expect(await found('"tea green"')).toBe('')
    expect(await found('tea-like')).toBe('c')
    expect(await found('gre*')).toBe('abc')
    expect(await found('gre')).toBe('')
    expect(await found('"green dr*"')).toBe('c')
    expect(await found('"green dr"*')).toBe('c')
    expect(await found('tea -brew')).toBe('bc')
    expect(await found('tea -"green tea"')).toBe('bc')
    expect(await found('tea -wit* -mate')).toBe('a')
    expect(await found('tea 😀 !!')).toBe('abc')
    for (const nothing of ['', '   ', '!!', '😀', '-tea', '*', '""', '"'])
      expect(await found(nothing)).toBe('')
  },

  'any search text is words': async (place) => {
    const { db, articles } = await openLibrary(place)
    await using _ = db
    const found = async ($search: string) =>
      ids(await articles.findMany({ where: { $search }, orderBy: { $id: 'asc' } }))
    await articles.set(['ink', 'd'], { title: 'AND OR NOT NEAR title', year: 1 })
    for (const words of [
      'AND',
      'OR not',
      'title : NEAR',
      '(or',
      'near)',
      '^and',
      '{title}',
      'and + or',
      'title:not',
    ]) {
      expect(await found(words)).toBe(words === 'title:not' ? '' : 'd')
    }
    for (const words of [
      "'",
      "';--",
      '"";',
      'a"b"c',
      '-"',
      '-',
      '--',
      '\\',
      '\0',
      'tea\0green',
      '"tea" "',
      '\ud800',
      'NEAR(tea, 2)',
      'ro:wid',
      '*tea',
      '~',
      `"${'"'.repeat(50)}`,
    ]) {
      await found(words)
    }
    expect(await found('tea\0green')).toBe('abc')
    const many = (count: number) => Array.from({ length: count }, (_, i) => `w${i}`).join(' ')
    expect(await found(many(100))).toBe('')
    await expect(found(many(101))).rejects.toThrow(QueryError)
    await expect(found('x'.repeat(10_001))).rejects.toThrow(
      '$search takes at most 10000 characters: got 10001',
    )
  },

  'rows are ordered and paged by their rank, which depends only on the row and the words': async (place) => {
    const { db, articles } = await openLibrary(place)
    await using _ = db
    const where = { $search: 'tea' }
    const best = await articles.findMany({ where })
    expect(ids(best)).toBe('bac')
    expect(ids(await articles.findMany({ where, orderBy: { $rank: 'asc' } }))).toBe('cab')
    expect(
      ids(
        await articles.findMany({
          where,
          orderBy: [{ $rank: 'desc' }, { year: 'asc' }],
          offset: 1,
          limit: 1,
        }),
      ),
    ).toBe('a')
    expect((await articles.findFirst({ where }))?.id).toEqual(['tea', 'b'])
    // Equal in rank: by key.
    for (const name of ['x', 'z', 'y']) await articles.set(['same', name], { title: 'One tea', year: 1 })
    const all = ids(await articles.findMany({ where }))
    let paged = ''
    for (let after: string | null = null; ; ) {
      const page: { entries: readonly { id: readonly unknown[] }[]; cursor: string | null } =
        await articles.findPage({ where, after, limit: 2 })
      const { entries, cursor } = page
      paged += ids(entries)
      // Others write meanwhile, and every row keeps its rank.
      await articles.set(['more', paged.length], { title: `tea ${'word '.repeat(50)}`, year: 1 })
      await articles.delete(['more', paged.length])
      if (cursor === null) break
      after = cursor
    }
    expect(paged).toBe(all)
    const { cursor } = await articles.findPage({ where, limit: 1 })
    await expect(articles.findPage({ where, after: cursor, orderBy: { year: 'asc' } })).rejects.toThrow(
      'another order',
    )
  },

  'a search stands beside other conditions, in AND, OR and NOT': async (place) => {
    const { db, articles } = await openLibrary(place)
    await using _ = db
    const found = async (where: Parameters<typeof articles.findMany>[0]) =>
      ids(await articles.findMany(where))
    const $search = 'tea'
    expect(await found({ where: { $search, year: { gt: 2001 } }, orderBy: { year: 'desc' } })).toBe('cb')
    expect(await found({ where: { AND: [{ $search }, { $search: 'green' }, { year: 2002 }] } })).toBe('b')
    expect(
      await found({ where: { OR: [{ $search: 'brew' }, { year: 2004 }] }, orderBy: { $id: 'desc' } }),
    ).toBe('ad')
    expect(await found({ where: { NOT: { $search } } })).toBe('d')
    expect(await found({ where: { $search, NOT: { $search: 'black' } }, orderBy: { $rank: 'asc' } })).toBe(
      'ca',
    )
    expect(await found({ where: { $search }, prefix: ['tea'], distinct: 'tags', limit: 2 })).toBe('ba')
    expect(await articles.count({ where: { $search, year: 2003 } })).toBe(1)
    expect(await articles.aggregate({ where: { $search }, count: true, max: 'year' })).toEqual({
      count: 3,
      max: { year: 2003 },
    })
    const prepared = articles.prepare({ where: { $search: parameter('words') }, limit: 2 })
    expect(ids(await prepared.execute({ words: 'tea' }))).toBe('ba')
    expect(ids(await prepared.execute({ words: 'galls' }))).toBe('d')
    await expect(prepared.execute({ words: 5 })).rejects.toThrow('$search takes a text')
    const { topics } = db.repositories
    await topics.set('tea', { name: 'Tea' })
    const with_ = await topics.findMany({
      with: { articles: { where: { $search }, orderBy: { $rank: 'desc' }, limit: 2 } },
    })
    expect(ids(with_[0]!.articles)).toBe('ba')
    const all = await topics.findMany({ with: { articles: { where: { $search: 'green' } } } })
    expect(ids(all[0]!.articles)).toBe('abc')
  },

  'highlight shows where the words are, in parts that need no escapes': async (place) => {
    const { db, articles } = await openLibrary(place)
    await using _ = db
    const where = { $search: 'tea "left to"' }
    const [whole] = await articles.findMany({ where, highlight: true })
    expect(whole?.highlights).toEqual({
      title: [
        { text: 'Black ', hit: false },
        { text: 'tea', hit: true },
      ],
      body: [
        { text: 'Green leaves, ', hit: false },
        { text: 'left to', hit: true },
        { text: ' wither. ', hit: false },
        { text: 'Tea', hit: true },
        { text: ', ', hit: false },
        { text: 'tea', hit: true },
        { text: '.', hit: false },
      ],
      tags: null,
      'by.name': null,
    })
    const part = await articles.findFirst({
      where,
      highlight: { body: 2 },
      columns: { year: true },
      orderBy: { year: 'asc' },
    })
    expect(part).toMatchObject({
      value: { year: 2002 },
      highlights: {
        body: [
          { text: '…', hit: false },
          { text: 'Tea', hit: true },
          { text: ', ', hit: false },
          { text: 'tea', hit: true },
          { text: '.', hit: false },
        ],
      },
    })
    expect(Object.keys(part!.highlights)).toEqual(['body'])
    await articles.set(['ink', 'e'], {
      title: '<b>tea</b> \u0001\u0002\0 "tea"',
      tags: ['tea', 'x'],
      year: 1,
    })
    const [odd] = (
      await articles.findPage({ where: { $search: 'tea', year: 1 }, highlight: { title: true, tags: true } })
    ).entries
    expect(odd?.highlights.title?.map(({ text }) => text).join('')).toBe('<b>tea</b>     "tea"')
    expect(odd?.highlights.title?.filter(({ hit }) => hit)).toHaveLength(2)
    expect(odd?.highlights.tags).toEqual([
      { text: 'tea', hit: true },
      { text: '\nx', hit: false },
    ])
  },

  'highlight shows texts as they are, halves of surrogate pairs too': async (place) => {
    const { db, articles } = await openLibrary(place)
    await using _ = db
    const title = '\ud83d oolong\udc00 \ufffd 🍵 한'
    await articles.set(['tea', 'e'], { title, tags: ['\ud83d', '\udc00'], year: 1 })
    const highlight = { title: true, tags: 1 } as const
    const query = { where: { $search: 'oolong' }, highlight }
    const expected = {
      title: [
        { text: '\ud83d ', hit: false },
        { text: 'oolong', hit: true },
        { text: '\udc00 \ufffd 🍵 한', hit: false },
      ],
      tags: [{ text: '\ud83d\n\udc00', hit: false }],
    }
    expect((await articles.findMany(query)).map(({ highlights }) => highlights)).toEqual([expected])
    expect((await articles.findFirst(query))?.highlights).toEqual(expected)
    await db.unitOfWork(async (unit) => {
      await unit.repositories.articles.set(['tea', 'f'], { title, tags: ['\ud83d', '\udc00'], year: 1 })
      const rows = await unit.repositories.articles.findMany(query)
      expect(rows.map(({ highlights }) => highlights)).toEqual([expected, expected])
    })
  },

  'a row is found by its present text, however it was written': async (place) => {
    const { db, articles } = await openLibrary(place)
    await using _ = db
    const found = async ($search: string) =>
      ids(await articles.findMany({ where: { $search }, orderBy: { $id: 'asc' } }))
    await db.set(['topics', 'ink', 'articles', 'e'], { title: 'Fountain pen', year: 1 })
    expect(await found('fountain')).toBe('e')
    await articles.update(['ink', 'e'], { title: 'Quill' })
    expect([await found('fountain'), await found('quill')]).toEqual(['', 'e'])
    await articles.update(['ink', 'e'], { year: 2 })
    expect(await found('quill')).toBe('e')
    await db
      .atomic()
      .delete(['topics', 'ink', 'articles', 'd'])
      .set(['topics', 'ink', 'articles', 'f'], { title: 'Galls', year: 1 })
      .commit()
    expect(await found('galls')).toBe('f')
    expect(
      (await articles.updateMany({ where: { $search: 'tea -mate' }, set: { body: 'changed' } })).count,
    ).toBe(2)
    expect([await found('changed'), await found('wither')]).toEqual(['ab', ''])
    const claimed = await articles.claimMany({
      where: { $search: 'changed' },
      limit: 1,
      set: { body: 'taken' },
    })
    expect(ids(claimed.entries)).toBe('a')
    expect((await articles.deleteMany({ where: { $search: 'taken' } })).count).toBe(1)
    expect(await found('tea')).toBe('bc')
    await expect(articles.insert(['tea', 'b'], { title: 'other', year: 1 })).rejects.toThrow()
    expect(await found('other')).toBe('')
    await db.clear()
    expect(await found('tea')).toBe('')
    await articles.set(['tea', 'z'], { title: 'tea', year: 1 })
    expect(await found('tea')).toBe('z')
  },

  'a row that has expired is not found, nor one that was swept': async (place) => {
    const clock = stillClock()
    const { db, articles } = await openLibrary(place)
    await using _ = db
    await articles.touch(['tea', 'a'], { expireIn: 1_000 })
    const where = { $search: 'tea' }
    expect(await articles.count({ where })).toBe(3)
    clock.advance(1_000)
    expect(ids(await articles.findMany({ where }))).toBe('bc')
    await db.cleanup()
    expect(await articles.count({ where })).toBe(2)
  },

  'a unit of work finds by its own writes, with the same rank, and is validated': async (place) => {
    const { db, articles } = await openLibrary(place)
    await using _ = db
    const where = { $search: 'tea' }
    await db.unitOfWork(async ({ repositories: { articles } }) => {
      await articles.set(['ink', 'e'], { title: 'tea tea tea', year: 1 })
      await articles.delete(['tea', 'b'])
      const mate = await articles.get(['tea', 'c'])
      mate.value!.tags = ['none']
      const rows = await articles.findMany({ where, highlight: { title: true } })
      expect(ids(rows)).toBe('ea')
      expect(rows[0]?.highlights.title?.filter(({ hit }) => hit)).toHaveLength(3)
      expect(await articles.count({ where })).toBe(2)
      await articles.set(['ink', 'e'], { title: 'nothing', year: 1 })
      expect(ids(await articles.findMany({ where, orderBy: { year: 'asc' } }))).toBe('a')
    })
    expect(ids(await articles.findMany({ where }))).toBe('a')
    let runs = 0
    await db.unitOfWork(async (unit) => {
      runs += 1
      const count = await unit.repositories.articles.count({ where })
      if (runs === 1) await articles.set(['ink', 'g'], { title: 'more tea', year: 1 })
      await unit.set(['counted'], count)
    })
    expect([runs, (await db.get(['counted'])).value]).toEqual([2, 2])
    await db.snapshot(async (view) => {
      expect(await view.repositories.articles.count({ where })).toBe(2)
      await articles.set(['ink', 'h'], { title: 'yet more tea', year: 1 })
      await articles.delete(['tea', 'a'])
      expect(ids(await view.repositories.articles.findMany({ where }))).toBe('ga')
    })
  },

  'a live query follows a search, and its highlights': async (place) => {
    const { db, articles } = await openLibrary(place)
    await using _ = db
    const reader = articles
      .watchMany({ where: { $search: 'tea' }, limit: 2, highlight: { title: true } })
      .getReader()
    expect(ids(await next(reader))).toBe('ba')
    await articles.set(['ink', 'd'], { title: 'tea tea tea', year: 1 })
    const now = await next(reader)
    expect(ids(now)).toBe('db')
    expect(now[0]?.highlights.title?.filter(({ hit }) => hit)).toHaveLength(3)
    await articles.delete(['tea', 'b'])
    expect(ids(await next(reader))).toBe('da')
    await reader.cancel()
  },

  'explain shows that a search is served by its index': async (place) => {
    const { db, articles } = await openLibrary(place)
    await using _ = db
    const plan = await articles.explain({ where: { $search: 'tea' } })
    expect(plan.join('\n')).toMatch(/VIRTUAL TABLE INDEX 0:M|kv_articles_search_/)
    expect(plan.join('\n')).not.toMatch(/SCAN kv$/m)
    const other = await articles.explain({
      where: { $search: 'tea', year: { gt: 1 } },
      orderBy: { year: 'asc' },
    })
    expect(other.join('\n')).toMatch(
      /SEARCH kv USING INDEX \S+ \((collection=\? AND )?key=\?|kv_articles_search_/,
    )
  },

  'an impossible search is refused': async (place) => {
    const { db, articles } = await openLibrary(place)
    await using _ = db
    const { notes } = db.repositories
    const untyped = (query: object) => articles.findMany(query as never)
    await expect(notes.findMany({ where: { $search: 'x' } } as never)).rejects.toThrow(
      "'notes' cannot be searched: declare",
    )
    for (const $search of [5, null, ['a'], { eq: 'a' }, new Date(0), true]) {
      await expect(untyped({ where: { $search } })).rejects.toThrow(QueryError)
    }
    await expect(untyped({ where: { $search: undefined } })).rejects.toThrow("'$search' is undefined")
    await expect(untyped({ where: { by: { $search: 'x' } } })).rejects.toThrow(
      'no field or operator "$search"',
    )
    for (const where of [
      undefined,
      { year: 1 },
      { OR: [{ $search: 'a' }] },
      { NOT: { $search: 'a' } },
      { AND: [{ $search: 'a' }, { $search: 'b' }] },
    ]) {
      await expect(untyped({ where, orderBy: { $rank: 'desc' } })).rejects.toThrow(
        'orderBy $rank needs one $search',
      )
      await expect(untyped({ where, highlight: true })).rejects.toThrow('highlight needs one $search')
    }
    const where = { $search: 'tea' }
    await expect(untyped({ where, orderBy: { $rank: 'up' } })).rejects.toThrow(
      "takes 'asc' or 'desc' for '$rank'",
    )
    for (const highlight of [
      { year: true },
      { title: 0 },
      { title: 65 },
      { title: 1.5 },
      { title: 'all' },
      'title',
      null,
      ['title'],
    ]) {
      await expect(untyped({ where, highlight })).rejects.toThrow(QueryError)
    }
    await expect(
      db.repositories.topics.findMany({ with: { articles: { where, highlight: true } } } as never),
    ).rejects.toThrow('highlight')
  },
}
