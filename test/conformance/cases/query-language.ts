import { defineValueType, parameter, QueryError, Valkeyrie, type Where } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect } from 'vitest'
import { z } from 'zod'
import { extent } from '../../extent.ts'
import type { Cases } from '../suite.ts'

const order = defineSchema(
  ['customers', '*', 'orders', '*'],
  z.object({
    note: z.string(),
    total: z.bigint(),
    at: z.date(),
    weight: z.number(),
    lines: z.array(z.object({ sku: z.string(), qty: z.int() })),
    tags: z.array(z.string()),
  }),
  { name: 'orders', indexes: [{ on: 'total' }, { on: 'note' }, { on: 'weight' }] },
)
const customer = defineSchema(['customers', '*'], z.object({ name: z.string() }))

type Order = z.infer<typeof order.schema>
const anOrder = (rest: Partial<Order>): Order => ({
  note: '',
  total: 0n,
  at: new Date(0),
  weight: 0,
  lines: [],
  tags: [],
  ...rest,
})

async function shopAt(path: string | undefined) {
  const db = await Valkeyrie.withSchemas([customer, order]).open(path)
  const { customers, orders } = db.repositories
  await customers.insertMany(['ann', 'anna', 'bob', 'Ann'].map((name) => [name, { name }]))
  const noon = new Date('2024-01-01T00:00:00Z')
  await orders.insertMany([
    [['ann', 1], anOrder({ note: '100% cotton', total: 9n, at: noon, lines: [{ sku: 'shirt', qty: 2 }] })],
    [['ann', 2], anOrder({ note: '100 sure', total: 10n, weight: -0, tags: ['Gift'] })],
    [['bob', 1], anOrder({ note: 'Cotton_wool', total: -(2n ** 70n), weight: 1, tags: ['gift', 'late'] })],
    [
      ['bob', 2],
      anOrder({
        note: 'x',
        total: 2n ** 70n,
        weight: 2,
        lines: [
          { sku: 'hat', qty: 1 },
          { sku: 'shirt', qty: 9 },
        ],
      }),
    ],
  ])
  return db
}

class Money {
  readonly cents: bigint

  constructor(cents: bigint) {
    this.cents = cents
  }
}

class Amount extends Money {}

const valueTypes = [
  defineValueType({
    name: 'Money',
    class: Money,
    encode: ({ cents }) => ({ cents }),
    decode: ({ cents }) => new Money(cents),
  }),
  defineValueType({
    name: 'Amount',
    class: Amount,
    encode: ({ cents }) => cents,
    decode: (cents) => new Amount(cents),
  }),
]
const shelf = defineSchema(
  ['shelf', '*'],
  z.object({
    price: z.instanceof(Money),
    amount: z.instanceof(Amount),
    prices: z.array(z.instanceof(Money)),
    amounts: z.array(z.instanceof(Amount)),
    "it's.odd": z.any(),
  }),
  { valueTypes },
)
const sets = defineSchema(
  ['sets', '*'],
  z.object({
    ids: z.set(z.bigint()),
    rows: z.array(z.set(z.bigint())),
    inner: z.object({ ids: z.set(z.bigint()) }),
    byName: z.record(z.string(), z.set(z.bigint())),
    parts: z.set(z.object({ n: z.bigint() })),
    any: z.any(),
  }),
)

/** What `where` and its opposites find among the rows '5', '10' and '100'. */
async function expectFound(
  repository: {
    count(query: never): Promise<number>
    findMany(query: never): Promise<readonly { readonly id: unknown }[]>
  },
  expected: readonly (readonly [where: object, ids: readonly string[]])[],
) {
  for (const [where, ids] of expected) {
    const query = { where } as never
    const found = await repository.findMany(query)
    expect([where, found.map(({ id }) => id).sort()]).toEqual([where, [...ids].sort()])
    expect(await repository.count({ where: { NOT: where } } as never)).toBe(3 - ids.length)
  }
}

const keysOf = (entries: readonly { readonly id: readonly unknown[] }[]) =>
  entries.map(({ id }) => id.join(' '))

export const queryLanguageCases: Cases = {
  'a date is compared with any ISO 8601 text that names an instant, and with no other text': async ({
    path,
  }) => {
    await using db = await shopAt(path())
    const { orders } = db.repositories
    const same = [
      '2024-01-01T00:00:00Z',
      '2024-01-01T00:00:00.000Z',
      '2024-01-01t00:00z',
      '2024-01-01T01:00:00+01:00',
      '2023-12-31T18:30:00.00-05:30',
      '2024-01-01T00:00:00,000000+00',
      '2023-12-31T24:00:00Z',
      '2024-01-01',
      '+002024-01-01T00:00:00Z',
      new Date('2024-01-01T00:00:00Z'),
    ]
    for (const at of same) {
      const wheres = [{ at }, { at: { gte: at } }, { at: { in: [at] } }, { at: { gt: new Date(0), lte: at } }]
      for (const where of wheres)
        expect(keysOf(await orders.findMany({ where })), String(at)).toEqual(['ann 1'])
      expect(await orders.count({ where: { at: { gt: at } } })).toBe(0)
      const having = { max: { at: { eq: at } } }
      expect(await orders.aggregate({ count: true, groupBy: 'note', having })).toHaveLength(1)
    }
    // An instant between two milliseconds is no stored date, and comes after the first one.
    const between = '2024-01-01T00:00:00.0004Z'
    expect(await orders.count({ where: { at: between } })).toBe(0)
    expect(await orders.count({ where: { at: { gte: between } } })).toBe(0)
    expect(await orders.count({ where: { at: { gt: new Date(0), lt: between } } })).toBe(1)

    const others = [
      'yesterday',
      '',
      '2024',
      '2024-01-01T00:00:00',
      '2024-02-30T00:00:00Z',
      '2024-13-01',
      '1704067200000',
      '2024-01-01 00:00:00Z',
      '2024-01-01T25:00:00Z',
      '2024-01-01T00:00:00+24:00',
      '-000000-01-01T00:00:00Z',
      'Mon, 01 Jan 2024 00:00:00 GMT',
    ]
    for (const at of others) {
      for (const where of [{ at }, { at: { lt: at } }, { at: { notIn: [at] } }])
        await expect(orders.findMany({ where }), at).rejects.toBeInstanceOf(QueryError)
      const having = { min: { at: { gt: at } } }
      await expect(orders.aggregate({ count: true, groupBy: 'note', having })).rejects.toBeInstanceOf(
        QueryError,
      )
    }
    const { cursor } = await orders.findPage({ orderBy: { at: 'asc' }, limit: 1 })
    const [terms, , key] = JSON.parse(Buffer.from(cursor!, 'base64url').toString())
    const forged = Buffer.from(JSON.stringify([terms, ['yesterday'], key])).toString('base64url')
    await expect(orders.findPage({ orderBy: { at: 'asc' }, after: forged })).rejects.toBeInstanceOf(
      QueryError,
    )
  },

  'pages of bigints continue after any that can be stored, and after no other digits': async ({ path }) => {
    const sums = defineSchema(['sums', '*'], z.object({ n: z.bigint() }))
    await using db = await Valkeyrie.withSchemas([sums]).open(path(), { onUnindexed: 'ignore' })
    const { sums: rows } = db.repositories
    const edges = [0n, 10n ** 18n, 2n ** 63n - 1n, 2n ** 63n, 10n ** 19n, 10n ** 20n, 10n ** 99_999n]
    const sorted = [...edges.toReversed().map((n) => -n - 1n), ...edges]
    await rows.insertMany(sorted.map((n, i) => [`${i}`, { n }]))
    const orderBy = { n: 'asc' } as const
    const found: number[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof rows.findPage>> = await rows.findPage({
        orderBy,
        limit: 1,
        ...(cursor !== null && { after: cursor }),
      })
      found.push(...page.entries.map(({ id }) => Number(id)))
      cursor = page.cursor
    } while (cursor !== null)
    expect(found).toEqual(sorted.map((_, i) => i))
    const { cursor: first } = await rows.findPage({ orderBy, limit: 1 })
    const [terms, , key] = JSON.parse(Buffer.from(first!, 'base64url').toString())
    for (const digits of ['007', '-0', '', '-', '1.5', '1e3', '9'.repeat(100_002)]) {
      const after = Buffer.from(JSON.stringify([terms, [digits], key])).toString('base64url')
      await expect(rows.findPage({ orderBy, after }), digits.slice(0, 9)).rejects.toBeInstanceOf(QueryError)
    }
  },

  'bigints of any size are ordered, ranged, summed and paged': async ({ path }) => {
    await using db = await shopAt(path())
    const { orders } = db.repositories
    const huge = 2n ** 70n
    const sorted = ['bob 1', 'ann 1', 'ann 2', 'bob 2']
    expect(keysOf(await orders.findMany({ orderBy: { total: 'asc' } }))).toEqual(sorted)
    expect(keysOf(await orders.findMany({ orderBy: { total: 'desc' } }))).toEqual(sorted.toReversed())
    const seen: string[] = []
    for (let after: string | null | undefined; after !== null; ) {
      const page: { entries: { id: readonly unknown[] }[]; cursor: string | null } = await orders.findPage({
        orderBy: { total: 'asc' },
        limit: 1,
        ...(after !== undefined && { after }),
      })
      seen.push(...keysOf(page.entries))
      after = page.cursor
    }
    expect(seen).toEqual(sorted)
    expect(await orders.count({ where: { total: { gt: 9n } } })).toBe(2)
    expect(await orders.count({ where: { total: { gte: 9n, lt: huge } } })).toBe(2)
    expect(await orders.count({ where: { total: { gt: huge } } })).toBe(0)
    expect(await orders.count({ where: { total: { lte: -huge } } })).toBe(1)
    expect(await orders.count({ where: { total: { in: [9n, huge, 5n] } } })).toBe(2)
    expect(await orders.aggregate({ sum: 'total', avg: 'total', min: 'total', max: 'total' })).toEqual({
      sum: { total: 19n },
      avg: { total: 4.75 },
      min: { total: -huge },
      max: { total: huge },
    })
    const having = { sum: { total: { gt: 9n } } }
    const orderBy = { sum: { total: 'desc' } } as const
    const groups = await orders.aggregate({ sum: 'total', groupBy: 'note', having, orderBy })
    expect(groups.map(({ sum }) => sum.total)).toEqual([huge, 10n])
    await expect(orders.findMany({ where: { total: { gt: 9 as never } } })).rejects.toBeInstanceOf(QueryError)
  },

  'a bigint in the data of a value type is compared as one': async ({ path }) => {
    await using db = await Valkeyrie.withSchemas([shelf]).open(path())
    const { shelf: rows } = db.repositories
    for (const n of [5n, 10n, 100n]) {
      const [one, amount] = [new Money(n), new Amount(n)]
      const odd = { 'a."b\\': one }
      await rows.set(String(n), { price: one, amount, prices: [one], amounts: [amount], "it's.odd": odd })
    }
    await expectFound(rows, [
      [{ price: { cents: 10n } }, ['10']],
      [{ price: { cents: { ne: 5n } } }, ['10', '100']],
      [{ price: { cents: { gt: 5n, lt: 100n } } }, ['10']],
      [{ price: { cents: { in: [5n, 7n] } } }, ['5']],
      [{ price: { cents: { notIn: [5n, 7n] } } }, ['10', '100']],
      [{ amount: 10n }, ['10']],
      [{ amount: { gte: 10n } }, ['10', '100']],
      [{ prices: { some: { cents: 5n } } }, ['5']],
      [{ prices: { none: { cents: 5n } } }, ['10', '100']],
      [{ amounts: { none: { eq: 5n } } }, ['10', '100']],
      [{ amounts: { every: { gt: 7n } } }, ['10', '100']],
      [{ "it's.odd": { 'a."b\\': { cents: { lte: 10n } } } }, ['5', '10']],
    ])
    await expect(rows.findMany({ orderBy: { price: { cents: 'asc' } } })).rejects.toThrow(QueryError)
    await rows.deleteMany({ where: { price: { cents: { ne: 5n } } } })
    expect((await rows.findMany()).map(({ id }) => id)).toEqual(['5'])
  },

  'figures of a field refuse a bigint among other values, whose digits would be taken for a text': async ({
    path,
  }) => {
    const made = z.object({ n: z.string().transform(BigInt), any: z.any() })
    await using db = await Valkeyrie.withSchema(['made', '*'], made).withSchemas([shelf]).open(path())
    const { made: rows, shelf: prices } = db.repositories
    for (const n of ['5', '10', '100']) {
      await rows.set(n, { n, any: BigInt(n) })
      const price = new Money(BigInt(n))
      await prices.set(n, { price, amount: new Amount(1n), prices: [], amounts: [], "it's.odd": null })
    }
    for (const name of ['sum', 'avg', 'min', 'max'] as const) {
      for (const field of ['n', 'any'] as const) {
        const query = { [name]: field } as never
        await expect(rows.aggregate(query), `${name} of ${field}`).rejects.toThrow(QueryError)
      }
      await expect(prices.aggregate({ [name]: 'price.cents' } as never)).rejects.toThrow(QueryError)
    }
    await rows.deleteMany({ where: {} })
    await rows.set('1', { n: '5', any: 2 })
    await rows.set('2', { n: '5', any: 10.5 })
    expect(await rows.aggregate({ sum: 'any', avg: 'any', min: 'any', max: 'any' })).toEqual({
      sum: { any: 12.5 },
      avg: { any: 6.25 },
      min: { any: 2 },
      max: { any: 10.5 },
    })
  },

  'an index on a field of several types finds a range of bigints': async ({ path }) => {
    const made = z.object({ n: z.string().transform(BigInt) })
    await using db = await Valkeyrie.withSchema(['made', '*'], made, { indexes: [{ on: 'n' }] }).open(path())
    const { made: rows } = db.repositories
    for (const n of ['5', '10', '100']) await rows.set(n, { n })
    await expectFound(rows, [
      [{ n: { gt: 7n } }, ['10', '100']],
      [{ n: { lte: 10n } }, ['10', '5']],
      [{ n: { in: [100n, 5n] } }, ['100', '5']],
      [{ n: 10n }, ['10']],
    ])
    await rows.deleteMany({ where: { n: { gt: 7n } } })
    expect((await rows.findMany()).map(({ id }) => id)).toEqual(['5'])
  },

  'a live query sees rows come by the data of a value type': async ({ path }) => {
    await using db = await Valkeyrie.withSchemas([shelf]).open(path())
    const { shelf: rows } = db.repositories
    const row = (n: bigint) => {
      const [one, amount] = [new Money(n), new Amount(n)]
      return { price: one, amount, prices: [one], amounts: [amount], "it's.odd": null }
    }
    const wheres = [{ price: { cents: { gt: 5n } } }, { amounts: { some: { gt: 5n } } }] as never[]
    const readers = wheres.map((where) => rows.watchMany({ where }).getReader())
    for (const reader of readers) expect((await reader.read()).value).toEqual([])
    await rows.set('5', row(5n))
    await rows.set('10', row(10n))
    for (const reader of readers) {
      const { value } = await reader.read()
      expect(value?.map(({ id }) => id)).toEqual(['10'])
      await reader.cancel()
    }
  },

  'the elements of a set of bigints are compared as bigints, wherever the set stands': async ({ path }) => {
    await using db = await Valkeyrie.withSchemas([sets]).open(path())
    const { sets: rows } = db.repositories
    for (const n of [5n, 10n, 100n]) {
      const ids = new Set([n])
      const any = new Map([['key', { list: [ids] }]])
      const value = { ids, rows: [ids], inner: { ids }, byName: { 'a.b': ids }, parts: new Set([{ n }]), any }
      await rows.set(String(n), value)
    }
    await expectFound(rows, [
      [{ ids: { some: 5n } }, ['5']],
      [{ ids: { none: 5n } }, ['10', '100']],
      [{ ids: { every: { gt: 7n } } }, ['10', '100']],
      [{ rows: { some: { some: 5n } } }, ['5']],
      [{ rows: { none: { some: { lte: 10n } } } }, ['100']],
      [{ inner: { ids: { some: { in: [5n, 10n] } } } }, ['5', '10']],
      [{ byName: { 'a.b': { none: 5n } } }, ['10', '100']],
      [{ parts: { some: { n: 5n } } }, ['5']],
      [{ parts: { none: { n: { gt: 7n } } } }, ['5']],
      [{ any: { some: { some: { list: { some: { none: 5n } } } } } }, ['10', '100']],
    ])
    expect(await rows.deleteMany({ where: { ids: { none: 5n } } })).toMatchObject({ count: 2 })
  },

  'among other values a bigint is found by bigints, and a text by texts, in arrays too': async ({ path }) => {
    await using db = await Valkeyrie.withSchema(['things', '*'], z.object({ v: z.any() })).open(path())
    const { things } = db.repositories
    await things.insertMany([
      ['bigint', { v: 5n }],
      ['text', { v: '5' }],
      ['bigints', { v: [5n, 6n] }],
      ['texts', { v: ['5', '6'] }],
      ['set', { v: new Set([5n, '6']) }],
      ['typed', { v: new BigInt64Array([5n]) }],
    ])
    const ids = async (v: unknown) => (await things.findMany({ where: { v } as never })).map(({ id }) => id)
    expect(await ids(5n)).toEqual(['bigint'])
    expect(await ids('5')).toEqual(['text'])
    expect(await ids({ in: ['5', 6n] })).toEqual(['text'])
    expect(await ids({ startsWith: '5' })).toEqual(['text'])
    expect(await ids({ gte: '5' })).toEqual(['text'])
    expect(await ids({ arrayContains: [5n] })).toEqual(['bigints', 'set', 'typed'])
    expect(await ids({ arrayContains: [5n, 6n] })).toEqual(['bigints'])
    expect(await ids({ arrayContains: ['6', 5n] })).toEqual(['set'])
    expect(await ids({ arrayContains: '5' })).toEqual(['texts'])
    expect(await ids({ some: { gte: 5n } })).toEqual(['bigints', 'set', 'typed'])
    expect(await ids({ name: { ne: '5' } })).toEqual([])
  },

  'an array is found by a boolean in it, as by any other item': async ({ path }) => {
    const schema = z.object({ flags: z.array(z.boolean()), set: z.set(z.boolean()), any: z.any() })
    await using db = await Valkeyrie.withSchema(['things', '*'], schema).open(path())
    const { things } = db.repositories
    await things.insertMany([
      ['both', { flags: [true, false], set: new Set([true, false]), any: [true, false] }],
      ['false', { flags: [false], set: new Set([false]), any: [false, 0] }],
      ['neither', { flags: [], set: new Set(), any: ['true', 1, 0] }],
      ['no array', { flags: [], set: new Set(), any: true }],
      ['true', { flags: [true], set: new Set([true]), any: [true, 'x'] }],
    ])
    const ids = async (where: Where<z.infer<typeof schema>>) =>
      (await things.findMany({ where })).map(({ id }) => id)
    expect(await ids({ flags: { arrayContains: true } })).toEqual(['both', 'true'])
    expect(await ids({ flags: { arrayContains: false } })).toEqual(['both', 'false'])
    expect(await ids({ NOT: { flags: { arrayContains: true } } })).toEqual(['false', 'neither', 'no array'])
    expect(await ids({ set: { arrayContains: true } })).toEqual(['both', 'true'])
    expect(await ids({ any: { arrayContains: true } })).toEqual(['both', 'true'])
    expect(await ids({ any: { arrayContains: false } })).toEqual(['both', 'false'])
    expect(await ids({ any: { arrayContains: [false, 0] } })).toEqual(['false'])
    const prepared = things.prepare({ where: { flags: { arrayContains: parameter('flag') } } })
    expect((await prepared.execute({ flag: true })).map(({ id }) => id)).toEqual(['both', 'true'])
    expect((await prepared.execute({ flag: [false] })).map(({ id }) => id)).toEqual(['both', 'false'])
  },

  'groups are in the order of their bigints, and among other values bigints have none': async ({ path }) => {
    const schema = z.object({ n: z.bigint(), any: z.any(), either: z.union([z.bigint(), z.string()]) })
    await using db = await Valkeyrie.withSchema(['things', '*'], schema).open(path())
    const { things } = db.repositories
    await things.insertMany([10n, 9n, -10n, -9n].map((n) => [String(n), { n, any: n, either: n }]))
    const groups = await things.aggregate({ count: true, groupBy: 'n' })
    expect(groups.map(({ group }) => group)).toEqual([{ n: -10n }, { n: -9n }, { n: 9n }, { n: 10n }])
    const reversed = await things.aggregate({
      count: true,
      groupBy: 'n',
      orderBy: { group: { n: 'desc' } },
      limit: 1,
    })
    expect(reversed).toEqual([{ group: { n: 10n }, count: 1 }])
    for (const name of ['any', 'either'] as const) {
      const ordered = things.aggregate({
        count: true,
        groupBy: name,
        orderBy: { group: { [name]: 'asc' } } as never,
      })
      await expect(ordered).rejects.toThrow(QueryError)
      await expect(ordered).rejects.toThrow(/bigints among other values have no order/)
    }
    const counted = await things.aggregate({ count: true, groupBy: 'either' })
    expect(counted).toHaveLength(4)
  },

  'an error and the data of a value type are found by their fields, in a live query too': async ({
    path,
  }) => {
    const schema = z.object({ of: z.any() })
    const chain = Valkeyrie.withSchema(['things', '*'], schema)
    await using db = await chain.open(path(), { valueTypes })
    const { things } = db.repositories
    const failed = new RangeError('too much', { cause: new Error('why') })
    for (const [where, of] of [
      [{ of: { message: 'too much', name: 'RangeError' } }, failed],
      [{ of: { cause: { message: 'why' } } }, failed],
      [{ of: { cents: { gt: 5n } } }, new Money(6n)],
    ] as const) {
      const live = things.watchMany({ where: where as never })[Symbol.asyncIterator]()
      expect((await live.next()).value).toEqual([])
      await things.set('a', { of })
      expect((await live.next()).value).toMatchObject([{ id: 'a' }])
      expect(await things.count({ where: where as never })).toBe(1)
      await live.return?.()
      await things.delete('a')
    }
  },

  'an object of a value that contains itself is found at its first place, in a live query too': async ({
    path,
  }) => {
    await using db = await Valkeyrie.withSchema(['things', '*'], z.object({ of: z.any() })).open(path())
    const { things } = db.repositories
    const inner: Record<string, unknown> = { n: 1 }
    inner['self'] = inner
    const places = { first: { of: { inner: { n: 1 } } }, again: { of: { again: { n: 1 } } } }
    const live = things
      .watchMany({ where: { OR: [places.first, places.again] } as never })
      [Symbol.asyncIterator]()
    expect((await live.next()).value).toEqual([])
    await things.set('again', { of: { again: inner } })
    expect((await live.next()).value).toMatchObject([{ id: 'again' }])
    await things.set('both', { of: { inner, again: inner } })
    expect((await live.next()).value).toMatchObject([{ id: 'again' }, { id: 'both' }])
    const ids = async (where: object) =>
      (await things.findMany({ where: where as never })).map(({ id }) => id)
    expect(await ids(places.first)).toEqual(['both'])
    expect(await ids(places.again)).toEqual(['again'])
    expect(await ids({ of: { inner: { self: { isNull: true } } } })).toEqual(['again', 'both'])
  },

  'a literal bigint is one': async ({ path }) => {
    const schema = z.object({ n: z.literal(5n), m: z.literal([6n, 'a']).optional() })
    await using db = await Valkeyrie.withSchema(['things', '*'], schema, { indexes: [{ on: 'n' }] }).open(
      path(),
    )
    const { things } = db.repositories
    await things.insertMany([
      ['a', { n: 5n, m: 6n }],
      ['b', { n: 5n, m: 'a' }],
    ])
    expect(await things.count({ where: { n: 5n } })).toBe(2)
    expect(await things.count({ where: { n: { gte: 5n } } })).toBe(2)
    expect(await things.count({ where: { m: 6n } })).toBe(1)
    expect(await things.count({ where: { m: 'a' } })).toBe(1)
    await expect(things.count({ where: { n: 5 as never } })).rejects.toBeInstanceOf(QueryError)
  },

  '0 and -0 are one number, even if stored as text': async ({ path }) => {
    const place = path()
    const schema = z.object({ n: z.number(), m: z.number() })
    await using db = await Valkeyrie.withSchema(['things', '*'], schema, { indexes: [{ on: 'n' }] })
      .withSchema(['loose', '*'], z.any())
      .open(place)
    const { things, loose } = db.repositories
    const rows = [
      ['a', { n: -0, m: -0 }],
      ['b', { n: 0, m: 0 }],
      ['c', { n: 1, m: 1 }],
    ] as const
    await things.insertMany(rows)
    await loose.insertMany(rows)
    expect(Object.is((await things.get('a')).value!.n, -0)).toBe(true)
    for (const repository of [things, loose] as unknown as (typeof things)[]) {
      for (const zero of [0, -0]) {
        for (const where of [
          { n: zero },
          { m: zero },
          { n: { in: [zero] } },
          { m: { lte: zero } },
          { n: { gte: zero, lt: 1 } },
        ]) {
          expect(await repository.count({ where })).toBe(2)
          expect(await repository.count({ where: { NOT: where } })).toBe(1)
        }
      }
      expect(await repository.aggregate({ count: true, groupBy: 'n' })).toEqual([
        { group: { n: 0 }, count: 2 },
        { group: { n: 1 }, count: 1 },
      ])
    }
  },

  'a -0 that an earlier release has stored as a text is found by 0': async ({ path }) => {
    const schema = z.object({ n: z.number(), m: z.number() })
    await using db = await Valkeyrie.withSchema(['things', '*'], schema, { indexes: [{ on: ['n', 'm'] }] })
      .withSchema(['loose', '*'], z.any())
      .open(path())
    const { things, loose } = db.repositories
    const rows = [
      ['a', { n: -0, m: -0 }],
      ['b', { n: 0, m: 0 }],
      ['c', { n: 1, m: 1 }],
    ] as const
    await things.insertMany(rows)
    await loose.insertMany([...rows, ['text', { n: '-0', m: '-0' }]])
    const json = '{"n":"-0","m":"-0"}'
    db.drizzle.$client.prepare(`UPDATE kv SET value = ? WHERE value = '{"n":-0,"m":-0}'`).run(json)
    for (const repository of [things, loose] as unknown as (typeof things)[]) {
      expect(Object.is((await repository.get('a')).value!.n, -0)).toBe(true)
      for (const where of [{ n: 0 }, { m: -0 }, { n: { in: [0] } }, { AND: [{ n: 0 }, { m: 0 }] }])
        expect(await repository.count({ where }), JSON.stringify(where)).toBe(2)
    }
  },

  'NaN and the infinities are numbers in figures': async ({ path }) => {
    await using db = await Valkeyrie.withSchema(['loose', '*'], z.any()).open(path())
    const { loose } = db.repositories
    await loose.insertMany(
      [Number.NaN, Number.POSITIVE_INFINITY, 1, 'NaN'].map((n, i) => [i, { n }] as const),
    )
    const groups = await loose.aggregate({ count: true, groupBy: 'n' })
    expect(new Set(groups.map(({ group }) => group.n))).toEqual(
      new Set([1, Number.POSITIVE_INFINITY, Number.NaN, 'NaN']),
    )
    await loose.delete(3)
    expect(await loose.aggregate({ max: 'n', min: 'n', sum: 'n', countDistinct: 'n' })).toEqual({
      max: { n: Number.POSITIVE_INFINITY },
      min: { n: 1 },
      sum: { n: Number.POSITIVE_INFINITY },
      countDistinct: { n: 3 },
    })
  },

  'a part of a text is literal, and a backslash escapes in a pattern': async ({ path }) => {
    await using db = await shopAt(path())
    const { orders } = db.repositories
    const found = async (note: object) =>
      keysOf(await orders.findMany({ where: { note }, orderBy: { $id: 'asc' } }))
    expect(await found({ contains: '100%' })).toEqual(['ann 1'])
    expect(await found({ startsWith: '100' })).toEqual(['ann 1', 'ann 2'])
    expect(await found({ startsWith: 'cotton' })).toEqual([])
    expect(await found({ istartsWith: 'cotton' })).toEqual(['bob 1'])
    expect(await found({ endsWith: 'cotton' })).toEqual(['ann 1'])
    expect(await found({ iendsWith: 'WOOL' })).toEqual(['bob 1'])
    expect(await found({ icontains: 'COTTON' })).toEqual(['ann 1', 'bob 1'])
    expect(await found({ NOT: { icontains: 'o' } })).toEqual(['ann 2', 'bob 2'])
    expect(await found({ like: '100\\%%' })).toEqual(['ann 1'])
    expect(await found({ ilike: 'cotton\\_%' })).toEqual(['bob 1'])
    expect(await found({ like: '100_%' })).toEqual(['ann 1', 'ann 2'])
    await expect(orders.findMany({ where: { note: { like: '100\\' } } })).rejects.toBeInstanceOf(QueryError)
    await expect(orders.deleteMany({ where: { note: { contains: '' } } })).rejects.toBeInstanceOf(QueryError)
  },

  'the elements of an array meet conditions of their own': async ({ path }) => {
    await using db = await shopAt(path())
    const { orders } = db.repositories
    const found = async (
      where: Parameters<typeof orders.findMany>[0] extends infer Q
        ? Q extends { where?: infer W }
          ? W
          : never
        : never,
    ) => keysOf(await orders.findMany({ where }))
    expect(await found({ lines: { some: { sku: 'shirt', qty: { gte: 5 } } } })).toEqual(['bob 2'])
    expect(await found({ lines: { some: { sku: 'hat', qty: { gte: 5 } } } })).toEqual([])
    expect(await found({ lines: { none: { sku: 'shirt' } } })).toEqual(['ann 2', 'bob 1'])
    expect(await found({ lines: { some: {}, every: { qty: { lt: 5 } } } })).toEqual(['ann 1'])
    expect(await found({ lines: { none: {} } })).toEqual(['ann 2', 'bob 1'])
    expect(await found({ tags: { some: { startsWith: 'g' } } })).toEqual(['bob 1'])
    expect(await found({ tags: { some: 'Gift' } })).toEqual(['ann 2'])
    expect(await found({ tags: { some: {}, every: { ilike: 'gift' } } })).toEqual(['ann 2'])
  },

  'rows are found by the text with which their id begins, NUL and all': async ({ path }) => {
    const ids = ['', '\0', '\0\0', '\0a', 'a', 'a\0', 'a\0b', 'ab', 'é\0', '\uffff', '💥']
    await using db = await Valkeyrie.withSchema(['words', '*'], z.int()).open(path())
    const { words } = db.repositories
    await words.insertMany(ids.map((id, n) => [id, n]))
    for (const text of ids) {
      const begin = (await words.findMany({ where: { $id: { startsWith: text } } })).map(({ id }) => id)
      expect(begin.sort(), JSON.stringify(text)).toEqual(ids.filter((id) => id.startsWith(text)).sort())
      const others = await words.count({ where: { NOT: { $id: { startsWith: text } } } })
      expect(begin.length + others, JSON.stringify(text)).toBe(ids.length)
    }
  },

  'rows are found, and ordered, by their ids': async ({ path }) => {
    await using db = await shopAt(path())
    const { customers, orders } = db.repositories
    const names = async (query: Parameters<typeof customers.findMany>[0]) =>
      (await customers.findMany(query)).map(({ id }) => id)
    expect(await names({ where: { $id: 'ann' } })).toEqual(['ann'])
    expect(await names({ where: { $id: { startsWith: 'ann' } } })).toEqual(['ann', 'anna'])
    expect(await names({ where: { $id: { in: ['bob', 'nobody'] } } })).toEqual(['bob'])
    expect(await names({ where: { $id: { gt: 'ann', lte: 'bob' } }, orderBy: { $id: 'desc' } })).toEqual([
      'bob',
      'anna',
    ])
    expect(await names({ where: { $id: { ne: 'ann' }, name: { istartsWith: 'ann' } } })).toEqual([
      'Ann',
      'anna',
    ])
    expect(await names({ where: { OR: [{ $id: 'Ann' }, { $id: { NOT: { lt: 'bob' } } }] } })).toEqual([
      'Ann',
      'bob',
    ])
    expect(keysOf(await orders.findMany({ where: { $id: ['bob', 2] } }))).toEqual(['bob 2'])
    expect(
      keysOf(
        await orders.findMany({
          where: {
            $id: {
              in: [
                ['ann', 2],
                ['bob', 1],
              ],
            },
          },
        }),
      ),
    ).toEqual(['ann 2', 'bob 1'])
    expect(keysOf(await orders.findMany({ where: { $id: { gt: ['ann', 1] } }, prefix: ['ann'] }))).toEqual([
      'ann 2',
    ])
    expect(await customers.deleteMany({ where: { $id: { in: ['Ann'] } } })).toMatchObject({ count: 1 })
    for (const $id of [['bob'], 'bob', { startsWith: 'b' }, undefined, null, {}] as never[])
      await expect(orders.findMany({ where: { $id } }), String($id)).rejects.toBeInstanceOf(QueryError)
  },

  'thousands of conditions in an OR, and of operands in a list, are one query': async ({ path }) => {
    await using db = await shopAt(path())
    const { customers } = db.repositories
    const many = Array.from({ length: extent('conditions', 1_200, 3_000) }, (_, i) => `nobody ${i}`)
    const OR = [...many, 'ann'].map((name) => ({ name }))
    expect(await customers.count({ where: { OR } })).toBe(1)
    expect(
      await customers.count({ where: { NOT: { AND: many.map((name) => ({ name: { ne: name } })) } } }),
    ).toBe(0)
    expect(
      await customers.count({ where: { name: { in: [...many, 'ann'] }, $id: { in: [...many, 'ann'] } } }),
    ).toBe(1)
    const most = Array.from({ length: 10_000 }, (_, i) => ({ name: `nobody ${i}` }))
    await expect(customers.count({ where: { OR: most } })).rejects.toBeInstanceOf(QueryError)
  },

  'of rows with equal fields, distinct returns the first': async ({ path }) => {
    const schema = z.object({ city: z.string().optional(), at: z.object({ year: z.int() }), n: z.int() })
    await using db = await Valkeyrie.withSchema(['visits', '*'], schema).open(path())
    const { visits } = db.repositories
    const rows = [
      ['Paris', 1],
      ['Rome', 2],
      ['Paris', 3],
      [undefined, 4],
      [undefined, 5],
    ] as const
    await visits.insertMany(rows.map(([city, n]) => [n, { ...(city && { city }), at: { year: n % 2 }, n }]))
    const ns = async (query: Parameters<typeof visits.findMany>[0]) =>
      (await visits.findMany(query)).map(({ value }) => value.n)
    expect(await ns({ distinct: 'city', orderBy: { n: 'asc' } })).toEqual([1, 2, 4])
    expect(await ns({ distinct: ['city'], orderBy: { n: 'desc' } })).toEqual([5, 3, 2])
    expect(await ns({ distinct: ['city', 'at.year'], orderBy: { n: 'asc' }, limit: 3, offset: 1 })).toEqual([
      2, 4, 5,
    ])
    expect(await ns({ distinct: 'city', where: { n: { gt: 1 } }, orderBy: { n: 'asc' } })).toEqual([2, 3, 4])
    const first = await visits.findPage({ distinct: 'city', orderBy: { n: 'asc' }, limit: 2 })
    const second = await visits.findPage({
      distinct: 'city',
      orderBy: { n: 'asc' },
      limit: 2,
      after: first.cursor,
    })
    expect([...first.entries, ...second.entries].map(({ value }) => value.n)).toEqual([1, 2, 4])
    expect(second.cursor).toBeNull()
    expect(await visits.aggregate({ countDistinct: ['city', 'at.year'] })).toEqual({
      countDistinct: { city: 2, 'at.year': 2 },
    })
  },

  'fields of any name can be queried': async ({ path }) => {
    const schema = z.object({
      'a.b': z.string(),
      AND: z.int(),
      $id: z.int(),
      '\\': z.int(),
      '': z.int(),
      ops: z.record(z.string(), z.int()),
      like: z.string(),
    })
    await using db = await Valkeyrie.withSchema(['odd', '*'], schema).open(path())
    const { odd } = db.repositories
    await odd.set('x', {
      'a.b': 'y',
      AND: 1,
      $id: 2,
      '\\': 3,
      '': 4,
      ops: { eq: 5, in: 6, like: 7 },
      like: 'z',
    })
    const count = (
      where: Parameters<typeof odd.count>[0] extends infer Q
        ? Q extends { where?: infer W }
          ? W
          : never
        : never,
    ) => odd.count({ where })
    expect(await count({ 'a.b': 'y', '\\AND': 1, '\\$id': 2, '\\\\': 3, '': 4, like: 'z' })).toBe(1)
    const unescaped = count({ AND: 1 } as never)
    await expect(unescaped).rejects.toThrow("AND joins conditions: write a field of this name as '\\\\AND'")
    expect(await count({ ops: { '\\eq': 5, '\\in': { in: [6] }, '\\like': { gt: 6 } } })).toBe(1)
    expect(await count({ ops: { '\\eq': 6 } })).toBe(0)
    expect(await odd.findMany({ orderBy: { '\\$id': 'asc', AND: 'desc', 'a.b': 'asc' } })).toHaveLength(1)
    expect(await odd.aggregate({ min: ['AND', 'a\\.b'], groupBy: '\\\\' })).toEqual([
      { group: { '\\\\': 3 }, min: { AND: 1, 'a\\.b': 'y' } },
    ])
    expect(await odd.updateMany({ where: { $id: 'x' }, set: { 'a.b': 'w', AND: 9 } })).toMatchObject({
      count: 1,
    })
    expect((await odd.findFirst({ columns: { 'a.b': true, AND: true } }))!.value).toEqual({
      'a.b': 'w',
      AND: 9,
    })
    for (const on of ['a.b', 'a\\.b', '', 'a"b'] as never[])
      expect(() => defineSchema(['odd', '*'], schema, { indexes: [{ on }] }), String(on)).toThrow(TypeError)
  },
}
