import { KvU64, parameter, QueryError, UniqueConstraintError, ValidationError, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, expectTypeOf } from 'vitest'
import { z } from 'zod'
import { stillClock } from '../../still-clock.ts'
import type { Cases } from '../suite.ts'

const author = defineSchema(
  ['authors', '*'],
  z.object({ name: z.string(), email: z.email(), born: z.int().optional() }),
  { name: 'authors', indexes: [{ on: 'email', unique: true }, { on: 'born' }] },
)

const book = defineSchema(
  ['authors', '*', 'books', '*'],
  z.object({
    title: z.string(),
    year: z.int(),
    price: z.number().nullable(),
    sold: z.boolean(),
    published: z.date(),
    tags: z.array(z.string()),
    publisher: z.object({ city: z.string() }).optional(),
    translatorId: z.string().optional(),
  }),
  { name: 'books', indexes: [{ on: 'year' }], references: { translatorId: author } },
)

const review = defineSchema(['authors', '*', 'books', '*', 'reviews', '*'], z.object({ stars: z.int() }), {
  name: 'reviews',
})

/** Whether a statement is one that reads values, and none that an engine adds of its own. */
const readsRows = (sql: string): boolean => sql.includes('kv.value')

async function libraryAt(path: string | undefined, statements: string[] = []) {
  const logger = { logQuery: (sql: string) => void statements.push(sql) }
  const db = await Valkeyrie.withSchemas([author, book, review]).open(path, { logger })
  const { authors, books, reviews } = db.repositories
  await authors.insertMany([
    ['austen', { name: 'Austen', email: 'austen@example.com', born: 1775 }],
    ['scott', { name: 'Scott', email: 'scott@example.com', born: 1771 }],
    ['anon', { name: 'Anonymous', email: 'anon@example.com' }],
  ])
  await books.insertMany([
    [['austen', 'emma'], aBook('Emma', 1815, { tags: ['novel', 'comedy'], price: 8, sold: true })],
    [['austen', 'persuasion'], aBook('Persuasion', 1817, { publisher: { city: 'London' } })],
    [['austen', 'sanditon'], aBook('Sanditon', 1817, { price: 5, translatorId: 'scott' })],
    [['scott', 'ivanhoe'], aBook('Ivanhoe', 1819, { price: 12, translatorId: 'nobody' })],
    [['anon', 'poems'], aBook('Poems', 1790, { tags: [] })],
  ])
  await reviews.insertMany([
    [['austen', 'emma', 1], { stars: 5 }],
    [['austen', 'emma', 2], { stars: 2 }],
    [['scott', 'ivanhoe', 1], { stars: 4 }],
  ])
  return db
}

type Book = z.infer<typeof book.schema>

const aBook = (title: string, year: number, rest: Partial<Book> = {}): Book => ({
  title,
  year,
  price: null,
  sold: false,
  published: new Date(Date.UTC(year, 0, 1)),
  tags: ['novel'],
  ...rest,
})

export const queryCases: Cases = {
  'where finds by every operator, in nested, optional, null, boolean, date and array fields': async (
    place,
  ) => {
    await using db = await libraryAt(place.path())
    const { books } = db.repositories
    type Where = NonNullable<NonNullable<Parameters<typeof books.count>[0]>['where']>
    const found: [Where, string[]][] = [
      [{ year: 1817 }, ['persuasion', 'sanditon']],
      [{ year: { ne: 1817 } }, ['emma', 'ivanhoe', 'poems']],
      [{ year: { gt: 1815, lte: 1817 } }, ['persuasion', 'sanditon']],
      [{ year: { in: [1790, 1819] } }, ['ivanhoe', 'poems']],
      [{ year: { notIn: [1790, 1819, 1817] } }, ['emma']],
      [{ title: { like: 'P%' } }, ['persuasion', 'poems']],
      [{ title: { ilike: 'p%s' } }, ['poems']],
      [{ title: { notLike: '%a%' } }, ['poems']],
      [{ price: { isNull: true } }, ['persuasion', 'poems']],
      [{ price: { isNotNull: true } }, ['emma', 'ivanhoe', 'sanditon']],
      [{ price: { lt: 10 } }, ['emma', 'sanditon']],
      [{ sold: true }, ['emma']],
      [{ sold: false, year: 1819 }, ['ivanhoe']],
      [{ sold: { in: [true] } }, ['emma']],
      [{ sold: { notIn: [true] } }, ['ivanhoe', 'persuasion', 'poems', 'sanditon']],
      [{ sold: { in: [true, false] } }, ['emma', 'ivanhoe', 'persuasion', 'poems', 'sanditon']],
      [{ published: { gte: new Date(Date.UTC(1817, 0, 1)) } }, ['ivanhoe', 'persuasion', 'sanditon']],
      [{ publisher: { city: 'London' } }, ['persuasion']],
      [{ tags: { arrayContains: ['comedy', 'novel'] } }, ['emma']],
      [{ OR: [{ year: 1790 }, { sold: true }] }, ['emma', 'poems']],
      [
        { AND: [{ year: { gte: 1815 } }, { NOT: { price: { isNull: true } } }] },
        ['emma', 'ivanhoe', 'sanditon'],
      ],
      [{}, ['emma', 'ivanhoe', 'persuasion', 'poems', 'sanditon']],
    ]
    for (const [where, titles] of found) {
      const entries = await books.findMany({ where })
      expect(entries.map(({ id }) => id[1]).toSorted(), JSON.stringify(where)).toEqual(titles)
      expect(await books.count({ where }), JSON.stringify(where)).toBe(titles.length)
    }
  },

  'rows come whole, with id, key and versionstamp, in the order and the part asked for': async (place) => {
    await using db = await libraryAt(place.path())
    const { books } = db.repositories
    const [dearest] = await books.findMany({ orderBy: { price: 'desc' }, limit: 1 })
    expect(dearest).toEqual(await books.get(['scott', 'ivanhoe']))
    const ids = async (query: Parameters<typeof books.findMany>[0]) =>
      (await books.findMany(query)).map(({ id }) => id[1])
    expect(await ids({ orderBy: [{ year: 'asc' }, { title: 'desc' }] })).toEqual([
      'poems',
      'emma',
      'sanditon',
      'persuasion',
      'ivanhoe',
    ])
    expect(await ids({ orderBy: { title: 'asc' }, offset: 1, limit: 2 })).toEqual(['ivanhoe', 'persuasion'])
    expect(await ids({ prefix: ['austen'], orderBy: { title: 'asc' } })).toEqual([
      'emma',
      'persuasion',
      'sanditon',
    ])
    expect(await books.findMany({ where: { year: 1790 }, columns: { title: true } })).toMatchObject([
      { value: { title: 'Poems' } },
    ])
    expect(await books.findFirst({ where: { year: 1 } })).toBeNull()
  },

  'columns gives the fields that are true, all but those that are false, or none for {}': async (place) => {
    await using db = await libraryAt(place.path())
    const { authors, books } = db.repositories
    const query = { where: { year: 1790 } } as const
    const [whole] = await books.findMany(query)
    const { title, ...rest } = whole!.value
    expect((await books.findMany({ ...query, columns: { title: true } }))[0]!.value).toEqual({ title })
    expect((await books.findFirst({ ...query, columns: { title: false } }))!.value).toEqual(rest)
    expect(await books.findMany({ ...query, columns: {} })).toEqual([{ ...whole, value: {} }])
    const loaded = await authors.findMany({ columns: {}, with: { books: { columns: {}, limit: 1 } } })
    expect(loaded.map(({ value, books }) => [value, books.map((it) => it.value)])).toContainEqual([{}, [{}]])
    const reader = books.watchMany({ ...query, columns: {} }).getReader()
    expect((await reader.read()).value).toEqual([{ ...whole, value: {} }])
    await reader.cancel()
  },

  'columns leaves values that are no objects of fields whole': async (place) => {
    await using db = await Valkeyrie.withSchema(['lists', '*'], z.array(z.int()))
      .withSchema(['dates', '*'], z.date())
      .withSchema(['hits', '*'], z.union([z.instanceof(KvU64), z.object({ from: z.string() })]))
      .open(place.path())
    const { lists, dates, hits } = db.repositories
    await lists.set('a', [1])
    await dates.set('a', new Date(0))
    await hits.insertMany([
      ['a', new KvU64(1n)],
      ['b', { from: 'x' }],
    ])
    expect((await lists.findFirst({ columns: {} }))!.value).toEqual([1])
    expect((await dates.findFirst({ columns: {} }))!.value).toEqual(new Date(0))
    const from = await hits.findMany({ columns: { from: false } })
    expect(from.map(({ value }) => value)).toEqual([new KvU64(1n), {}])
  },

  'pages hold every row once, whatever is written in between': async (place) => {
    await using db = await libraryAt(place.path())
    const { books } = db.repositories
    const seen: unknown[] = []
    const pageAfter = (after: string | null) =>
      books.findPage({ orderBy: { year: 'desc' }, limit: 2, ...(after && { after }) })
    let after: string | null = null
    do {
      const page = await pageAfter(after)
      seen.push(...page.entries.map(({ id }) => id[1]))
      after = page.cursor
      await books.delete(['scott', 'ivanhoe'])
      await books.set(['anon', `new ${seen.length}`], aBook('New', 1900))
    } while (after !== null)
    expect(seen).toEqual(['ivanhoe', 'sanditon', 'persuasion', 'emma', 'poems'])
    await expect(books.findPage({ orderBy: { title: 'asc' }, after: 'x' })).rejects.toThrow()
  },

  'pages hold every row once, whatever halves of surrogate pairs its texts have': async (place) => {
    const schema = z.object({
      indexed: z.string(),
      unique: z.string(),
      plain: z.string(),
      either: z.union([z.string(), z.number()]),
    })
    const cuts = defineSchema(['cuts', '*'], schema, {
      name: 'cuts',
      indexes: [{ on: 'indexed' }, { on: 'unique', unique: true }],
    })
    await using db = await Valkeyrie.withSchemas([cuts]).open(place.path())
    const texts = [
      'cut \ud83d',
      'cut \ude00',
      '\ud83d',
      '\ude00\ud83d',
      '\ufffd',
      '😀',
      '\ud7ff',
      '\0\ud83d',
      '',
    ]
    const rows = texts.flatMap((text, i) =>
      [0, 1, 2].map((n) => {
        const either = i === n ? n : text
        return [`${i}${n}`, { indexed: text, unique: `${text}${n}`, plain: text, either }] as const
      }),
    )
    await db.repositories.cuts.insertMany(rows)
    const orders = (['asc', 'desc'] as const).flatMap((to) => [
      { indexed: to },
      { unique: to },
      { plain: to },
      { either: to },
      [{ indexed: to }, { plain: 'desc' }, { either: 'asc' }],
    ])
    const asked = orders.flatMap((orderBy) => [{ orderBy }, { orderBy, distinct: 'plain' }])
    await db.snapshot(async (snapshot) => {
      for (const reader of [db.repositories.cuts, snapshot.repositories.cuts]) {
        const untyped = reader as unknown as {
          findMany(query: object): Promise<{ id: string }[]>
          findPage(query: object): Promise<{ entries: { id: string }[]; cursor: string | null }>
        }
        for (const query of asked) {
          const all = (await untyped.findMany(query)).map(({ id }) => id)
          const seen: string[] = []
          for (let after: string | null | undefined; after !== null && seen.length <= all.length; ) {
            const page = await untyped.findPage({ ...query, limit: 2, after })
            seen.push(...page.entries.map(({ id }) => id))
            after = page.cursor
          }
          expect(seen, JSON.stringify(query)).toEqual(all)
        }
      }
    })
  },

  'aggregates give figures, of all rows or of groups': async (place) => {
    await using db = await libraryAt(place.path())
    const { books } = db.repositories
    expect(
      await books.aggregate({
        count: true,
        sum: 'price',
        avg: 'price',
        min: ['year', 'price'],
        max: 'title',
      }),
    ).toEqual({
      count: 5,
      sum: { price: 25 },
      avg: { price: 25 / 3 },
      min: { year: 1790, price: 5 },
      max: { title: 'Sanditon' },
    })
    expect(
      await books.aggregate({
        where: { year: { gt: 1800 } },
        count: true,
        groupBy: 'year',
        having: { count: { gte: 1 } },
        orderBy: { count: 'desc' },
        limit: 1,
      }),
    ).toEqual([{ group: { year: 1817 }, count: 2 }])
  },

  'groups are formed by values of any kind, and return them': async (place) => {
    const schema = z.object({
      big: z.bigint().optional(),
      at: z.date().nullable(),
      ok: z.boolean(),
      either: z.union([z.date(), z.string()]).optional(),
      n: z.number(),
    })
    await using db = await Valkeyrie.withSchema(['things', '*', '*'], schema, { name: 'things' }).open(
      place.path(),
    )
    const { things } = db.repositories
    await things.insertMany([
      [[5n, 1], { big: 10n ** 20n, at: new Date(0), ok: true, either: new Date(0), n: -0 }],
      [[5n, 2], { big: 10n ** 20n, at: null, ok: true, either: 'zebra', n: -1 }],
      [[6n, 1], { at: new Date(1), ok: false, n: 2 }],
    ])
    const byBig = await things.aggregate({ count: true, groupBy: ['big', 'ok'], orderBy: { count: 'desc' } })
    expect(byBig).toEqual([
      { group: { big: 10n ** 20n, ok: true }, count: 2 },
      { group: { big: null, ok: false }, count: 1 },
    ])
    const byDate = await things.aggregate({ count: true, groupBy: 'at' })
    expect(byDate.map(({ group }) => group.at)).toEqual([null, new Date(0), new Date(1)])
    expect(await things.aggregate({ max: ['either', 'n'], min: ['either', 'n'] })).toEqual({
      max: { either: 'zebra', n: 2 },
      min: { either: new Date(0), n: -1 },
    })
    expect(await things.aggregate({ max: 'n', where: { n: { lt: 0 } } })).toEqual({ max: { n: -1 } })
    expect(await things.aggregate({ count: true, sum: 'n', max: 'n', prefix: [5n] })).toEqual({
      count: 2,
      sum: { n: -1 },
      max: { n: 0 },
    })
    expect(await things.aggregate({ count: true, groupBy: [] })).toEqual([{ group: {}, count: 3 }])
    for (const of of [{ having: { count: 1 } }, { orderBy: { count: 'asc' } }, { limit: 1 }] as const) {
      await expect(things.aggregate({ count: true, ...of } as never)).rejects.toThrow(/groupBy/)
    }
  },

  'figures have the texts of rows, whatever halves of surrogate pairs are in them': async (place) => {
    const schema = z.object({ s: z.string(), indexed: z.string(), either: z.union([z.string(), z.date()]) })
    const cuts = defineSchema(['cuts', '*'], schema, { name: 'cuts', indexes: [{ on: 'indexed' }] })
    await using db = await Valkeyrie.withSchemas([cuts]).open(place.path())
    const texts = [
      '',
      '\0\ud83d',
      'cut \ud83d',
      'cut \ude00',
      '\ud7ff',
      '\ude00\ud83d',
      '\ufeff',
      '\ufffd',
      '😀',
    ]
    const rows = texts.map((text, i) => [i, { s: text, indexed: text, either: text }] as const)
    await db.repositories.cuts.insertMany([
      ...rows,
      [99, { s: '\ude00', indexed: '\ude00', either: new Date(0) }],
    ])
    const all = [...texts.slice(0, 5), '\ude00', ...texts.slice(5)]
    const beyond = { NOT: { s: { in: ['😀', '\ufffd', '\ufeff'] } } }
    await db.snapshot(async (snapshot) => {
      for (const { cuts } of [db.repositories, snapshot.repositories]) {
        for (const field of ['s', 'indexed'] as const) {
          const groups = await cuts.aggregate({ count: true, max: field, groupBy: field })
          expect(groups).toEqual(
            all.map((text) => ({ group: { [field]: text }, count: 1, max: { [field]: text } })),
          )
          const most = await cuts.aggregate({ where: beyond, max: [field, 'either'], countDistinct: field })
          const last = '\ude00\ud83d'
          expect(most).toEqual({ max: { [field]: last, either: last }, countDistinct: { [field]: 7 } })
          const having = { max: { [field]: { gt: 'cut ', lt: 'd' } } } as object
          const some = await cuts.aggregate({
            min: field,
            groupBy: field,
            having,
            orderBy: { group: { [field]: 'desc' } } as object,
          })
          expect(some.map(({ min }) => min[field])).toEqual(['cut \ude00', 'cut \ud83d'])
        }
        const either = await cuts.aggregate({
          count: true,
          groupBy: 'either',
          orderBy: { group: { either: 'desc' } },
          limit: 4,
        })
        expect(either.map(({ group }) => group.either)).toEqual(['😀', '\ufffd', '\ufeff', '\ude00\ud83d'])
      }
    })
    const unit = await db.unitOfWork(async ({ repositories: { cuts } }) => {
      await cuts.set(100, { s: 'cut \ud83d', indexed: '', either: '' })
      return cuts.aggregate({ count: true, groupBy: 's', having: { count: { gt: 1 } } })
    })
    expect(unit).toEqual([{ group: { s: 'cut \ud83d' }, count: 2 }])
  },

  'groups whose values are equal to an engine come in one order': async (place) => {
    const part = z.union([z.number(), z.boolean(), z.string(), z.date(), z.bigint(), z.object({})])
    await using db = await Valkeyrie.withSchema(['things', '*'], z.object({ a: part, b: part }), {
      name: 'things',
    }).open(place.path())
    const { things } = db.repositories
    const at = new Date(0)
    const parts = ['5', 5n, {}, '{}', at, at.toISOString(), true, 1, false, 0]
    const ordered = [0, false, 1, true, at.toISOString(), at, '5', 5n, '{}', {}]
    await things.insertMany(parts.flatMap((a, i) => parts.map((b, j) => [i * 10 + j, { a, b }] as const)))
    const groupBy = ['a', 'b'] as const
    const groups = await things.aggregate({ count: true, groupBy })
    expect(groups.map(({ group }) => group)).toEqual(ordered.flatMap((a) => ordered.map((b) => ({ a, b }))))
    const first = await things.aggregate({ count: true, groupBy: 'b', limit: 1 })
    expect(first).toEqual([{ group: { b: 0 }, count: 10 }])
  },

  'groups of Maps and Sets are those of their entries': async (place) => {
    const value = z.object({
      map: z.map(z.string(), z.int()),
      set: z.set(z.date()).optional(),
      any: z.unknown(),
    })
    await using db = await Valkeyrie.withSchema(['things', '*'], value, { name: 'things' }).open(place.path())
    const { things } = db.repositories
    const map = new Map([['a', 1]])
    await things.insert('a', { map, set: new Set([new Date(0)]), any: map })
    await things.insert('b', { map, set: new Set([new Date(0)]), any: [...map] })
    await things.insert('c', { map: new Map(), any: '[["a",1]]' })
    const groups = async (groupBy: 'map' | 'set' | 'any') =>
      (await things.aggregate({ count: true, groupBy, orderBy: { count: 'desc' } })).map((it) => [
        it.group[groupBy],
        it.count,
      ])
    expect(await groups('map')).toEqual([
      [[['a', 1]], 2],
      [[], 1],
    ])
    expect(await groups('set')).toEqual([
      [[new Date(0).toISOString()], 2],
      [null, 1],
    ])
    expect(await groups('any')).toEqual([
      [[['a', 1]], 2],
      ['[["a",1]]', 1],
    ])
    const { countDistinct } = await things.aggregate({ countDistinct: ['map', 'set', 'any'] })
    expect(countDistinct).toEqual({ map: 2, set: 1, any: 2 })
    for (const { group } of await things.aggregate({ count: true, groupBy: ['map', 'set'] }))
      expectTypeOf(group).toEqualTypeOf<{
        readonly map: [unknown, unknown][]
        readonly set: unknown[] | null
      }>()
  },

  'sums and averages of numbers that are not finite, or too large, are the same everywhere': async (
    place,
  ) => {
    const number = z.custom<number>((value) => typeof value === 'number')
    await using db = await Valkeyrie.withSchema(['ns', '*'], z.object({ n: number, m: z.number() })).open(
      place.path(),
    )
    const { ns } = db.repositories
    const figuresOf = async (...numbers: readonly number[]) => {
      await ns.deleteMany({ where: {} })
      await ns.insertMany(numbers.map((n, i) => [i, { n, m: Number.isFinite(n) ? n : 0 }] as const))
      const { sum, avg } = await ns.aggregate({ sum: ['n', 'm'], avg: ['n', 'm'] })
      if (numbers.every(Number.isFinite)) expect([sum.m, avg.m]).toEqual([sum.n, avg.n])
      return [sum.n, avg.n]
    }
    const { POSITIVE_INFINITY: most, NEGATIVE_INFINITY: least, MAX_VALUE, NaN: none } = Number
    expect(await figuresOf(1, 2, none)).toEqual([3, 1.5])
    expect(await figuresOf(none)).toEqual([null, null])
    expect(await figuresOf(most, 1)).toEqual([most, most])
    expect(await figuresOf(least, 1, none)).toEqual([least, least])
    expect(await figuresOf(most, least, 1)).toEqual([null, null])
    expect(await figuresOf(1e308, 1e308)).toEqual([most, most])
    expect(await figuresOf(-1e308, -1e308)).toEqual([least, least])
    expect(await figuresOf(MAX_VALUE)).toEqual([MAX_VALUE, MAX_VALUE])
    await figuresOf(1e308, 1e308)
    const having = { sum: { n: { gt: MAX_VALUE } }, avg: { n: { gt: 1e308 } } }
    expect(await ns.aggregate({ count: true, groupBy: [], having })).toHaveLength(1)
    await figuresOf(most, least)
    for (const over of [{ gt: 0 }, { lte: 0 }])
      expect(await ns.aggregate({ sum: 'n', groupBy: [], having: { sum: { n: over } } })).toEqual([])
  },

  'fields of intersections, and of unions in them, are those of any member': async (place) => {
    const schema = z.intersection(
      z.union([z.object({ n: z.number() }), z.object({ s: z.string() })]),
      z.union([z.object({ v: z.number() }), z.object({ v: z.string() })]),
    )
    const open = z.intersection(z.record(z.string(), z.number()), z.object({ a: z.number() }))
    await using db = await Valkeyrie.withSchema(['things', '*'], schema)
      .withSchema(['open', '*'], open)
      .open(place.path())
    const things = db.repositories.things as unknown as {
      insertMany(rows: [string, object][]): Promise<unknown>
      count(query: object): Promise<number>
      findPage(query: object): Promise<{ entries: { id: string }[]; cursor: string | null }>
    }
    await things.insertMany([
      ['a', { n: 1, v: 5 }],
      ['b', { s: 'x', v: 'five' }],
      ['c', { n: 2, v: 6 }],
    ])
    expect(await things.count({ where: { v: 5 } })).toBe(1)
    expect(await things.count({ where: { v: 'five' } })).toBe(1)
    expect(await things.count({ where: { n: { isNull: true } } })).toBe(1)
    const seen: string[] = []
    for (let after: string | null | undefined; after !== null; ) {
      const page = await things.findPage({ orderBy: { n: 'desc' }, limit: 1, after })
      seen.push(...page.entries.map(({ id }) => id))
      after = page.cursor
    }
    expect(seen).toEqual(['c', 'a', 'b'])
    await db.repositories.open.set('a', { a: 1, b: 2 })
    expect(await db.repositories.open.count({ where: { b: 2 } as never })).toBe(1)
  },

  'updateMany and deleteMany change all rows in one commit, or none': async (place) => {
    await using db = await libraryAt(place.path())
    const { authors, books } = db.repositories
    const updated = await books.updateMany({ where: { year: 1817 }, set: { sold: true } })
    expect(updated).toMatchObject({ ok: true, count: 2 })
    const rows = await books.findMany({ where: { year: 1817 } })
    expect(rows.map(({ versionstamp }) => versionstamp)).toEqual([updated.versionstamp, updated.versionstamp])
    expect(rows.every(({ value }) => value.sold)).toBe(true)

    await expect(
      books.updateMany({ where: {}, set: (it) => ({ ...it, year: it.year + 0.5 }) }),
    ).rejects.toThrow(ValidationError)
    await expect(authors.updateMany({ where: {}, set: { email: 'one@example.com' } })).rejects.toThrow(
      UniqueConstraintError,
    )
    expect(await authors.count({ where: { email: 'one@example.com' } })).toBe(0)

    expect(await books.deleteMany({ where: { year: { lt: 1800 } } })).toMatchObject({ count: 1 })
    expect(await books.deleteMany({ where: { year: 1 } })).toEqual({ ok: true, count: 0, versionstamp: null })
    expect(await books.count()).toBe(4)
  },

  'updateMany keeps the expiry of each row, or gives all a new one': async (place) => {
    await using db = await libraryAt(place.path())
    const { authors, books } = db.repositories
    const expiries = () => db.drizzle.select({ at: db.tables.kv.expiresAt }).from(db.tables.kv)
    await authors.touch('anon', { expireIn: 60_000 })
    await authors.updateMany({ where: {}, set: { born: 1800 } })
    expect((await expiries()).filter(({ at }) => at !== null)).toHaveLength(1)
    await books.updateMany({ where: { year: 1817 }, set: { sold: true }, expireIn: 60_000 })
    expect((await expiries()).filter(({ at }) => at !== null)).toHaveLength(3)
    for (const expireIn of [0, -1, Number.NaN])
      await expect(books.updateMany({ where: {}, set: {}, expireIn })).rejects.toThrow(RangeError)
  },

  'no update of updateMany is lost to another one': async (place) => {
    await using db = await libraryAt(place.path())
    const { books } = db.repositories
    const raise = () => books.updateMany({ where: {}, set: (it) => ({ ...it, year: it.year + 1 }) })
    await Promise.all(Array.from({ length: 8 }, raise))
    expect((await books.get(['austen', 'emma'])).value?.year).toBe(1823)
  },

  'with loads nested rows to any depth, one statement for each level': async (place) => {
    const statements: string[] = []
    await using db = await libraryAt(place.path(), statements)
    statements.length = 0
    const authors = await db.repositories.authors.findMany({
      orderBy: { name: 'asc' },
      with: {
        books: {
          where: { year: { gt: 1800 } },
          orderBy: { year: 'desc' },
          limit: 2,
          columns: { title: true },
          with: { reviews: { orderBy: { stars: 'desc' } } },
        },
      },
    })
    expect(statements.filter(readsRows)).toHaveLength(3)
    const tree = authors.map(({ value, books }) => [
      value.name,
      books.map((it) => [it.value, it.reviews.map(({ value: { stars } }) => stars)]),
    ])
    expect(tree).toEqual([
      ['Anonymous', []],
      [
        'Austen',
        [
          [{ title: 'Sanditon' }, []],
          [{ title: 'Persuasion' }, []],
        ],
      ],
      ['Scott', [[{ title: 'Ivanhoe' }, [4]]]],
    ])
  },

  'with loads the row that a field refers to': async (place) => {
    const statements: string[] = []
    await using db = await libraryAt(place.path(), statements)
    statements.length = 0
    const books = await db.repositories.books.findMany({
      where: { year: { gte: 1815 } },
      orderBy: { title: 'asc' },
      with: { translatorId: true },
    })
    expect(statements.filter(readsRows)).toHaveLength(2)
    expect(books.map((it) => [it.value.title, it.translatorId?.value.name ?? null])).toEqual([
      ['Emma', null],
      ['Ivanhoe', null],
      ['Persuasion', null],
      ['Sanditon', 'Scott'],
    ])
  },

  'a field with an impossible id refers to no row': async (place) => {
    await using db = await libraryAt(place.path())
    const { books } = db.repositories
    for (const translatorId of ['*', 'x'.repeat(5_000), '\ud800']) {
      await books.update(['anon', 'poems'], { translatorId })
      const found = await books.findMany({ prefix: ['anon'], with: { translatorId: true } })
      expect(found.map((it) => it.translatorId)).toEqual([null])
    }
  },

  'a prepared query takes its operands by name': async (place) => {
    await using db = await libraryAt(place.path())
    const { books } = db.repositories
    const since = books.prepare({
      where: { year: { gte: parameter('year') }, tags: { arrayContains: parameter('tags') } },
      orderBy: { year: 'asc' },
    })
    expect((await since.execute({ year: 1816, tags: ['novel'] })).map(({ value }) => value.year)).toEqual([
      1817, 1817, 1819,
    ])
    expect((await since.first({ year: 1800, tags: ['comedy'] }))?.value.title).toBe('Emma')
    await expect(since.execute({ year: 1816 } as never)).rejects.toThrow(QueryError)
    await expect(since.execute({ year: 1816, tags: [], other: 1 } as never)).rejects.toThrow(QueryError)
    await expect(since.execute({ year: { gt: 1 }, tags: [] } as never)).rejects.toThrow(QueryError)
    await expect(since.execute(null as never)).rejects.toThrow(TypeError)
  },

  'a prepared query takes prefix, limit, offset and cursor by name, also for what it loads': async (
    place,
  ) => {
    await using db = await libraryAt(place.path())
    const { books } = db.repositories
    const prepared = books.prepare({
      prefix: [parameter('author')],
      where: { year: { gte: parameter('year') }, price: { isNull: true } },
      orderBy: { year: 'desc' },
      limit: parameter('limit'),
      offset: parameter('offset'),
      after: parameter('after'),
      with: { reviews: { where: { stars: { gte: parameter('stars') } } } },
    })
    const all = { author: 'austen', year: 1800, limit: 9, offset: 0, after: null, stars: 3 }
    const ids = async (values: Partial<typeof all> | { after: string | null }) =>
      (await prepared.execute({ ...all, ...values })).map(({ id }) => id[1])
    expect(await ids({})).toEqual(['persuasion'])
    expect(await ids({ offset: 1 })).toEqual([])
    expect(await ids({ author: 'anon', year: 1790 })).toEqual(['poems'])
    expect(await ids({ author: 'anon', year: 1791 })).toEqual([])
    await expect(ids({ limit: -1 })).rejects.toThrow(RangeError)
    await expect(ids({ author: '*' })).rejects.toThrow(TypeError)
    await expect(ids({ after: 'x' })).rejects.toThrow(QueryError)

    const pages = books.prepare({
      orderBy: { year: 'asc' },
      limit: 2,
      after: parameter('after'),
      with: { reviews: { where: { stars: { gte: parameter('stars') } } } },
    })
    const seen: unknown[] = []
    let after: string | null = null
    do {
      const values = { after, stars: 3 }
      const page: Awaited<ReturnType<typeof pages.page>> = await pages.page(values)
      expect(await pages.execute(values)).toEqual(page.entries)
      seen.push(...page.entries.map(({ id, reviews }) => [id[1], reviews.length]))
      after = page.cursor
    } while (after !== null)
    expect(seen).toEqual([
      ['poems', 0],
      ['emma', 1],
      ['persuasion', 0],
      ['sanditon', 0],
      ['ivanhoe', 1],
    ])
  },

  'a prepared query stays as it was when it was prepared': async (place) => {
    await using db = await libraryAt(place.path())
    const query = { where: { year: { in: [1815] } }, limit: 5 }
    const prepared = db.repositories.books.prepare(query)
    query.where.year.in.push(1819)
    query.limit = 0
    expect(await prepared.execute()).toHaveLength(1)
    query.where = {} as never
    expect(await prepared.execute()).toHaveLength(1)
  },

  'a query does not find expired rows': async (place) => {
    const clock = stillClock()
    await using db = await libraryAt(place.path())
    const { books } = db.repositories
    await books.set(['anon', 'gone'], aBook('Gone', 1790), { expireIn: 5_000 })
    expect(await books.count({ where: { year: 1790 } })).toBe(2)
    clock.advance(5_000)
    expect(await books.count({ where: { year: 1790 } })).toBe(1)
    expect(await books.findMany({ where: { year: 1790 } })).toHaveLength(1)
    expect(await books.aggregate({ count: true, where: { year: 1790 } })).toEqual({ count: 1 })
  },

  'a unit of work queries what it has written, and runs again when a query would find others': async (
    place,
  ) => {
    await using db = await libraryAt(place.path())
    let runs = 0
    await db.unitOfWork(async ({ repositories: { books } }) => {
      runs += 1
      await books.set(['anon', 'own'], aBook('Own', 1817))
      expect(await books.count({ where: { year: 1817 } })).toBe(runs === 1 ? 3 : 4)
      const [first] = await books.findMany({ where: { year: 1817 }, orderBy: { title: 'asc' }, limit: 1 })
      expect(first?.value.title).toBe('Own')
      if (runs === 1) await db.repositories.books.set(['scott', 'phantom'], aBook('Rob Roy', 1817))
    })
    expect(runs).toBe(2)
  },

  'an average of whole numbers is the number that JavaScript divides': async (place) => {
    const schema = z.object({ n: z.int(), big: z.bigint() })
    await using db = await Valkeyrie.withSchema(['rows', '*'], schema).open(place.path())
    const { rows } = db.repositories
    const numbers = [1, 1, 1, 1, 1, 1, 1, 2, 2]
    await rows.insertMany(numbers.map((n, i) => [i, { n, big: BigInt(n) }]))
    const { avg } = await rows.aggregate({ avg: ['n', 'big'] })
    expect(avg).toEqual({ n: 11 / 9, big: 11 / 9 })
    const having = await rows.aggregate({ avg: 'n', groupBy: 'n', having: { avg: { n: { gt: 1 } } } })
    expect(having).toEqual([{ group: { n: 2 }, avg: { n: 2 } }])
    expect(await rows.aggregate({ avg: ['n', 'big'], where: { n: 5 } })).toEqual({
      avg: { n: null, big: null },
    })
  },

  'a unit of work that has deleted a row queries the others by ids and fields': async (place) => {
    const schema = z.object({ n: z.int(), text: z.string() })
    await using db = await Valkeyrie.withSchema(['rows', '*'], schema, { search: ['text'] })
      .withSchema(['rows', '*', 'parts', '*'], schema, { name: 'parts' })
      .open(place.path())
    const value = { n: 1, text: 'plain words' }
    for (const id of ['a', 'b', 'c']) await db.repositories.rows.set(id, value)
    await db.repositories.parts.set(['c', 'x'], value)
    const queries = [
      { OR: [{ $id: 'c', n: 1 }, { $id: 'b' }] },
      {
        OR: [
          { $id: { in: ['a', 'c'] }, n: { gte: 1 } },
          { $id: { startsWith: 'b' }, text: { contains: 'w' } },
        ],
      },
      {
        OR: [
          { $id: { gte: 'c' }, n: 1 },
          { $id: { lt: 'b' }, n: 1 },
        ],
      },
    ]
    for (const where of queries) {
      const idsOf = async ({ rows }: typeof db.repositories) =>
        (await rows.findMany({ where })).map(({ id }) => id)
      const before = await idsOf(db.repositories)
      const undone = new Error('nothing is committed')
      const unit = db.unitOfWork(async ({ repositories }) => {
        await repositories.rows.delete('c')
        await repositories.rows.delete('missing')
        await repositories.parts.delete(['c', 'x'])
        const left = before.filter((id) => id !== 'c')
        expect(await idsOf(repositories as typeof db.repositories)).toEqual(left)
        expect(await repositories.rows.count({ where })).toBe(left.length)
        expect(await repositories.rows.aggregate({ where, sum: 'n' })).toEqual({ sum: { n: left.length } })
        throw undone
      })
      await expect(unit).rejects.toBe(undone)
    }
  },

  'what is not a field, operator or operand is a QueryError': async (place) => {
    await using db = await libraryAt(place.path())
    const { books } = db.repositories
    const wrong: unknown[] = [
      { pages: 3 },
      { year: { above: 3 } },
      { year: 'old' },
      { year: { in: 3 } },
      { 'year"': 3 },
      JSON.parse('{"__proto__":{"year":1}}'),
      { publisher: { 'city; drop table kv': 'x' } },
    ]
    for (const where of wrong) {
      await expect(books.findMany({ where } as never), JSON.stringify(where)).rejects.toThrow(QueryError)
    }
    expect(await books.count()).toBe(5)
  },

  'onUnindexed reports a query that reads a whole collection': async (place) => {
    const schema = z.object({ a: z.int(), b: z.int() })
    await using db = await Valkeyrie.withSchema(['things', '*'], schema, { indexes: [{ on: 'a' }] }).open(
      place.path(),
      { onUnindexed: 'error' },
    )
    const { things } = db.repositories
    await things.set('x', { a: 1, b: 2 })
    expect(await things.findMany({ where: { a: 1 } })).toHaveLength(1)
    await expect(things.findMany({ where: { b: 2 } })).rejects.toThrow(QueryError)
  },

  'plain Drizzle joins over the same connection': async (place) => {
    await using db = await libraryAt(place.path())
    const { kv } = db.tables
    expect(await db.drizzle.select({ collection: kv.collection }).from(kv)).toHaveLength(11)
  },

  'a counter has no fields, and is found in its collection': async (place) => {
    await using db = await Valkeyrie.withSchema(['visits', '*'], z.instanceof(KvU64)).open(place.path())
    const { visits } = db.repositories
    await visits.sum('a', 2n)
    expect(await visits.findMany()).toMatchObject([{ id: 'a', value: new KvU64(2n) }])
  },
  'a reference that holds something that no id can be leads to nothing': async (place) => {
    const things = defineSchema(['things', '*'], z.object({}), { name: 'things' })
    const kids = defineSchema(['kids', '*'], z.object({ ref: z.any() }), {
      name: 'kids',
      references: { ref: things },
    })
    await using db = await Valkeyrie.withSchemas([things, kids]).open(place.path())
    await db.repositories.things.set('a', {})
    const refs = ['a', {}, [1], ['a'], new Date(0), new Map(), Number.NaN, '*', 'x'.repeat(5_000)]
    for (const [n, ref] of refs.entries()) await db.repositories.kids.set(n, { ref })
    const found = await db.repositories.kids.findMany({ with: { ref: true } })
    expect(found.map(({ ref }) => ref?.id ?? null)).toEqual(['a', ...Array(refs.length - 1).fill(null)])
  },

  'a prepared query refuses a limit that is missing, and then takes one': async (place) => {
    await using db = await libraryAt(place.path())
    const { books } = db.repositories
    for (const query of [{ limit: parameter('n') }, { limit: 3, offset: parameter('n') }]) {
      const prepared = books.prepare(query)
      await expect(prepared.execute({ n: undefined } as never)).rejects.toThrow(RangeError)
      expect(await prepared.execute({ n: 1 })).not.toEqual([])
    }
  },
}
