import { type OrderBy, parameter, Valkeyrie, type Where } from 'valkeyrie'
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'

const open = () =>
  Valkeyrie.withSchema(
    ['users', '*'],
    z.object({
      name: z.string(),
      age: z.int(),
      at: z.date(),
      ok: z.boolean(),
      big: z.bigint(),
      tags: z.array(z.string()),
      address: z.object({ city: z.string() }).optional(),
    }),
  )
    .withSchema(['users', '*', 'posts', '*'], z.object({ title: z.string() }), { name: 'posts' })
    .open()

type Db = Awaited<ReturnType<typeof open>>
const typed = (_: (db: Db) => unknown): void => {}

describe('a query', () => {
  it('takes the fields, operators and operands of the output', () => {
    typed(({ repositories: { users } }) => [
      users.findMany({ where: { age: { gte: 18, lt: 65 }, name: 'A', address: { city: { like: 'P%' } } } }),
      users.findMany({ where: { OR: [{ age: 1 }, { at: { gt: new Date() } }], NOT: { ok: true } } }),
      users.findMany({ where: { tags: { arrayContains: ['a'] }, big: 1n, address: { isNull: true } } }),
      users.findMany({ orderBy: { age: 'desc', address: { city: 'asc' } }, limit: 1, after: null }),
    ])
  })

  it('takes ids, parts of texts, elements, bigints, and fields of any name', () => {
    typed(({ repositories: { users, posts } }, field: 'age' | 'name' = 'age', any: string = 'age') => [
      users.findMany({ where: { $id: 'alice', name: { startsWith: 'A', icontains: 'li' } } }),
      users.findMany({
        where: { $id: { in: ['a', 'b'], NOT: { startsWith: 'a' } } },
        orderBy: { $id: 'desc' },
      }),
      posts.findMany({ where: { OR: [{ $id: ['alice', 1] }, { $id: { gt: ['alice', 2] } }] } }),
      users.findMany({ where: { tags: { some: { startsWith: 'a' }, none: 'b' }, big: { gt: 1n } } }),
      users.findMany({ where: { at: { gte: '2024-01-01T00:00:00Z' } }, orderBy: [{ big: 'asc' }] }),
      users.findMany({ orderBy: { [field]: 'asc' }, distinct: ['name', 'address.city'] }),
      users.findMany({ orderBy: { [any]: 'desc' }, distinct: 'age' }),
      users.findMany({ where: { [any]: 'x' } }),
      users.aggregate({ countDistinct: ['name'], sum: 'big', min: 'big', max: ['big', 'at'] }),
    ])
  })

  it('names a field that means something else in its place with a backslash', () => {
    const odd = Valkeyrie.withSchema(
      ['odd', '*'],
      z.object({
        AND: z.int(),
        $id: z.int(),
        'a.b': z.string(),
        counts: z.object({ in: z.int(), n: z.int() }),
      }),
    )
    type Odd = Awaited<ReturnType<typeof odd.open>>['repositories']['odd']
    const check = (_: (odd: Odd) => unknown): void => {}
    check((odd) => [
      odd.findMany({ where: { '\\AND': 1, '\\$id': { gt: 1 }, 'a.b': 'x', counts: { '\\in': 1, n: 2 } } }),
      odd.findMany({ orderBy: { AND: 'asc', '\\$id': 'desc', counts: { in: 'asc' } }, distinct: 'a\\.b' }),
      odd.aggregate({ min: 'a\\.b', groupBy: ['AND', 'counts.in'] }),
      // @ts-expect-error -- AND takes conditions
      odd.findMany({ where: { AND: 1 } }),
      // @ts-expect-error -- in takes a list
      odd.findMany({ where: { counts: { in: 1 } } }),
      // @ts-expect-error -- no such field
      odd.findMany({ where: { '\\a': 1 } }),
      // @ts-expect-error -- a dot leads into an object
      odd.findMany({ distinct: 'a.b' }),
    ])
  })

  it('refuses ids, elements and parts of texts that do not exist', () => {
    typed(({ repositories: { users, posts } }) => [
      // @ts-expect-error -- an id of one part
      users.findMany({ where: { $id: ['a', 'b'] } }),
      // @ts-expect-error -- an id of two parts
      posts.findMany({ where: { $id: 'a' } }),
      // @ts-expect-error -- the leading ids are the prefix
      posts.findMany({ where: { $id: { startsWith: 'a' } } }),
      // @ts-expect-error -- an id has no patterns
      users.findMany({ where: { $id: { like: 'a%' } } }),
      // @ts-expect-error -- an element is a text
      users.findMany({ where: { tags: { some: 1 } } }),
      // @ts-expect-error -- an element is a text
      users.findMany({ where: { tags: { every: { gt: 1 } } } }),
      // @ts-expect-error -- no array
      users.findMany({ where: { name: { some: 'a' } } }),
      // @ts-expect-error -- a number has no parts
      users.findMany({ where: { age: { contains: '1' } } }),
      // @ts-expect-error -- no such field
      users.findMany({ distinct: ['nam'] }),
      // @ts-expect-error -- no direction
      users.findMany({ orderBy: { $id: 'up' } }),
    ])
  })

  it('refuses what is not a field, operator or operand', () => {
    typed(({ repositories: { users } }) => [
      // @ts-expect-error -- no such field
      users.findMany({ where: { nam: 'A' } }),
      // @ts-expect-error -- no such field of the address
      users.findMany({ where: { address: { town: 'A' } } }),
      // @ts-expect-error -- a number is not compared with a text
      users.findMany({ where: { age: '1' } }),
      // @ts-expect-error -- no such operator
      users.findMany({ where: { age: { above: 1 } } }),
      // @ts-expect-error -- a bigint is not compared with a number
      users.findMany({ where: { big: { gt: 1 } } }),
      // @ts-expect-error -- null is asked for by isNull
      users.findMany({ where: { name: null } }),
      // @ts-expect-error -- no such option
      users.findMany({ wher: { name: 'A' } }),
      // @ts-expect-error -- no such relation
      users.findMany({ with: { comments: true } }),
    ])
  })

  it('takes AND, OR and NOT over the fields in a field', () => {
    typed(({ repositories: { users } }) => [
      users.findMany({ where: { address: { OR: [{ city: 'A' }, { city: { like: 'B%' } }] } } }),
      users.findMany({ where: { address: { NOT: { city: 'A' } } } }),
      users.findMany({ where: { address: { AND: [{ isNotNull: true }, { NOT: { city: 'A' } }] } } }),
      // @ts-expect-error -- no such field of the address
      users.findMany({ where: { address: { NOT: { town: 'A' } } } }),
      // @ts-expect-error -- no such field of the address
      users.findMany({ where: { address: { OR: [{ city: 'A' }, { town: 'B' }] } } }),
    ])
  })

  it('refuses what is wrong beside what is right, in the queries that it nests too', () => {
    typed(({ repositories: { users, posts } }) => [
      // @ts-expect-error -- no such field
      users.findMany({ where: { age: 1, nam: 'A' } }),
      // @ts-expect-error -- no such field to order by
      users.findMany({ orderBy: { age: 'asc', nam: 'asc' } }),
      // @ts-expect-error -- no such field of the address
      users.findMany({ orderBy: [{ age: 'asc' }, { address: { city: 'asc', town: 'asc' } }] }),
      // @ts-expect-error -- no such field to choose
      users.findMany({ columns: { name: true, nam: true } }),
      // @ts-expect-error -- no such option
      users.findMany({ with: { posts: { limit: 1, wher: {} } } }),
      // @ts-expect-error -- a cursor is of a query of its own
      users.findMany({ with: { posts: { limit: 1, after: 'x' } } }),
      // @ts-expect-error -- no such field of a post
      users.findMany({ with: { posts: { where: { title: 'A', titel: 'A' } } } }),
      // @ts-expect-error -- no such field of a post to order by
      users.findMany({ with: { posts: { orderBy: { title: 'asc', titel: 'asc' } } } }),
      // @ts-expect-error -- no such field of a post to choose
      users.findMany({ with: { posts: { columns: { title: true, titel: true } } } }),
      // @ts-expect-error -- nothing is nested under posts
      users.findMany({ with: { posts: { with: { comments: true } } } }),
      // @ts-expect-error -- the author of the post is missing
      posts.create({ title: 'A' }),
      // @ts-expect-error -- the author of the post is missing
      posts.create({ title: 'A' }, { expireIn: 1 }),
    ])
  })

  it('takes any name in a field that its schema does not describe', () => {
    const open = () =>
      Valkeyrie.withSchema(['notes', '*'], z.object({ any: z.any(), list: z.array(z.unknown()) })).open()
    const typedNotes = (_: (db: Awaited<ReturnType<typeof open>>) => unknown): void => {}
    typedNotes(({ repositories: { notes } }) => [
      notes.count({ where: { any: { x: 1 } } }),
      notes.deleteMany({ where: { NOT: { any: { x: 1 } } } }),
      notes.count({ where: { any: { x: { y: { gt: 1 } }, isNotNull: true }, list: { some: { n: 1 } } } }),
      notes.findMany({ where: { any: { x: { y: 1 } } } }),
      notes.findMany({ where: { any: { OR: [{ x: 1 }, { eq: 'a' }], arrayContains: true } } }),
      // @ts-expect-error -- isNull takes true
      notes.findMany({ where: { any: { isNull: false } } }),
      // @ts-expect-error -- like takes a text
      notes.findMany({ where: { any: { like: 1 } } }),
    ])
  })

  it('takes queries in variables', () => {
    type User = Awaited<ReturnType<Db['repositories']['users']['findMany']>>[number]['value']
    typed(
      (
        { repositories: { users } },
        where: Where<User> = { age: 1 },
        orderBy: OrderBy<User> = { age: 'asc' },
      ) => [
        users.findMany({ where, orderBy }),
        users.findMany({ where: { AND: [where, { name: 'A' }] }, orderBy: [orderBy, { name: 'desc' }] }),
        users.findMany({ with: { posts: Math.random() < 0.5 } }),
      ],
    )
  })

  it('takes booleans in lists', () => {
    typed(({ repositories: { users } }) => [
      users.findMany({ where: { ok: { in: [true] } } }),
      // @ts-expect-error -- a number is in no list of booleans
      users.findMany({ where: { age: { in: [true] } } }),
    ])
  })

  it('gives the chosen fields and the loaded rows', () => {
    typed(async ({ repositories: { users } }) => {
      const [entry] = await users.findMany({ columns: { name: true }, with: { posts: { limit: 1 } } })
      expectTypeOf(entry!.value).toEqualTypeOf<{ name: string }>()
      expectTypeOf(entry!.posts[0]!.value).toEqualTypeOf<{ title: string }>()
      const [none] = await users.findMany({ columns: {}, with: { posts: { columns: {} } } })
      expectTypeOf(none!.value).toEqualTypeOf<Pick<{ name: string }, never>>()
      expectTypeOf(none!.posts[0]!.value).toEqualTypeOf<Pick<{ name: string }, never>>()
      const all = await users.findMany()
      expectTypeOf(all[0]!.value.age).toEqualTypeOf<number>()
    })
  })

  it('gives what a query that is only known at run time may give', () => {
    typed(async ({ repositories: { users } }, flag: boolean = Math.random() < 0.5) => {
      const [entry] = await users.findMany({ with: { posts: flag } })
      expectTypeOf(entry!.posts).extract<undefined>().toEqualTypeOf<undefined>()
      expectTypeOf(entry!.posts![0]!.value).toEqualTypeOf<{ title: string }>()
      const [some] = await users.findMany({ with: { posts: flag && ({ columns: {} } as const) } })
      expectTypeOf(some!.posts![0]!.value).toEqualTypeOf<Pick<{ title: string }, never>>()

      const [chosen] = await users.findMany({ columns: flag ? { name: true } : undefined })
      expectTypeOf(chosen!.value.name).toEqualTypeOf<string>()
      // @ts-expect-error -- perhaps it was not chosen
      chosen!.value.age
      const either = flag ? ({ name: true } as const) : ({ age: true } as const)
      const [one] = await users.findMany({ columns: either })
      expectTypeOf(one!.value).toEqualTypeOf<{ name: string } | { age: number }>()
      const groups = await users.aggregate({ count: true, groupBy: flag ? 'ok' : undefined })
      expectTypeOf<Exclude<typeof groups, readonly unknown[]>['count']>().toEqualTypeOf<number>()
    })
  })

  it('takes undefined for an option that is left out', () => {
    typed(({ repositories: { users } }, least?: number, signal?: AbortSignal) => {
      const query = {
        where: least === undefined ? undefined : { age: { gte: least } },
        orderBy: least === undefined ? undefined : ({ age: 'asc' } as const),
        limit: least,
        offset: least,
        prefix: undefined,
        columns: undefined,
        distinct: undefined,
        highlight: undefined,
      }
      return [
        users.findMany({ ...query, with: { posts: { limit: least, where: undefined } } }),
        users.watchMany(query),
        users.count({ where: query.where, prefix: undefined }),
        users.aggregate({ sum: 'age', avg: undefined, where: query.where, groupBy: 'ok', limit: least }),
        users.list({ start: undefined, end: undefined }),
        users.insertMany([], { signal, onProgress: undefined }),
        // @ts-expect-error -- a forgotten operand
        users.findMany({ where: { age: { gte: least } } }),
        // @ts-expect-error -- a forgotten condition
        users.deleteMany({ where: query.where }),
      ]
    })
  })

  it('has parameters when it is prepared', () => {
    typed(({ repositories: { users } }) => {
      const prepared = users.prepare({ where: { age: { gte: parameter('least') } } })
      expectTypeOf(prepared.execute).parameter(0).toHaveProperty('least')
      // @ts-expect-error -- the parameter is missing
      return prepared.execute({})
    })
    typed(({ repositories: { posts } }) => {
      const prepared = posts.prepare({ prefix: [parameter('author')], limit: parameter('most') })
      expectTypeOf(prepared.first).parameter(0).toHaveProperty('author')
      return prepared.page({ author: 'alice', most: 3 })
    })
    typed(({ repositories: { users } }) => [
      users.prepare({ where: { age: { in: [1, 2] } }, orderBy: [{ age: 'asc' }] }).execute(),
      users.prepare({ where: { OR: [{ age: 1 }, { name: parameter('name') }] } }).first({ name: 'A' }),
      // @ts-expect-error -- no such parameter
      users.prepare({ where: { name: parameter('name') } }).first({ name: 'A', age: 1 }),
    ])
  })

  it('gives typed figures', () => {
    typed(async ({ repositories: { users } }) => {
      const figures = await users.aggregate({ count: true, sum: 'age', max: 'at' })
      expectTypeOf(figures.count).toEqualTypeOf<number>()
      expectTypeOf(figures.sum.age).toEqualTypeOf<number | null>()
      expectTypeOf(figures.max.at).toEqualTypeOf<Date | null>()
      const bigints = await users.aggregate({ sum: 'big', avg: 'big', min: 'big', countDistinct: 'name' })
      expectTypeOf(bigints.sum.big).toEqualTypeOf<bigint | null>()
      expectTypeOf(bigints.avg.big).toEqualTypeOf<number | null>()
      expectTypeOf(bigints.min.big).toEqualTypeOf<bigint | null>()
      expectTypeOf(bigints.countDistinct.name).toEqualTypeOf<number>()
      const groups = await users.aggregate({ count: true, groupBy: 'ok' })
      expectTypeOf(groups[0]!.group.ok).toEqualTypeOf<boolean>()
      const cities = await users.aggregate({
        avg: ['age'],
        groupBy: ['address.city', 'big'],
        having: { OR: [{ count: 1 }, { NOT: { avg: { age: { gt: 3 } } } }] },
        orderBy: { avg: { age: 'desc' }, group: { 'address.city': 'asc' } },
        limit: 2,
      })
      expectTypeOf(cities[0]!.group).toEqualTypeOf<{
        readonly 'address.city': string | null
        readonly big: bigint
      }>()
    })
  })

  it('refuses figures that do not exist', () => {
    typed(({ repositories: { users } }) => [
      // @ts-expect-error -- users are not searched
      users.aggregate({ count: true, where: { $search: 'A' } }),
      // @ts-expect-error -- no figure is asked for
      users.aggregate({}),
      // @ts-expect-error -- no such option
      users.aggregate({ count: true, summ: 'age' }),
      // @ts-expect-error -- a text is not added
      users.aggregate({ sum: 'name' }),
      // @ts-expect-error -- no such field
      users.aggregate({ count: true, where: { age: 1, nam: 'A' } }),
      // @ts-expect-error -- there are no groups to choose from
      users.aggregate({ count: true, having: { count: 1 } }),
      // @ts-expect-error -- there are no groups to limit
      users.aggregate({ count: true, limit: 1 }),
      // @ts-expect-error -- no such figure
      users.aggregate({ count: true, groupBy: 'ok', having: { count: 1, median: 1 } }),
      // @ts-expect-error -- no such field
      users.aggregate({ count: true, groupBy: 'ok', having: { OR: [{ sum: { nam: 1 } }] } }),
      // @ts-expect-error -- no such figure to order by
      users.aggregate({ count: true, groupBy: 'ok', orderBy: { count: 'asc', median: 'asc' } }),
      // @ts-expect-error -- no such field to order by
      users.aggregate({ count: true, groupBy: 'ok', orderBy: { group: { nam: 'asc' } } }),
      // @ts-expect-error -- not a field of the groups
      users.aggregate({ count: true, groupBy: ['ok'], orderBy: { group: { name: 'asc' } } }),
    ])
  })

  it('compares figures with what they are', () => {
    typed(({ repositories: { users } }) => [
      users.aggregate({
        count: true,
        groupBy: ['name', 'address.city'],
        having: {
          count: { gte: 2 },
          countDistinct: { name: 1 },
          sum: { age: { gt: 1 }, big: 1n },
          avg: { big: { lt: 0.5 } },
          min: { name: { gt: 'a' }, at: '2024-01-01', ok: 1 },
          max: { at: { lt: new Date() }, big: { gt: 1n } },
        },
        orderBy: { group: { 'address.city': 'asc' } },
      }),
      // @ts-expect-error -- a count is a number
      users.aggregate({ count: true, groupBy: 'ok', having: { count: { gt: '1' } } }),
      // @ts-expect-error -- a count is a number
      users.aggregate({ count: true, groupBy: 'ok', having: { countDistinct: { big: 1n } } }),
      // @ts-expect-error -- the sum of bigints is a bigint
      users.aggregate({ count: true, groupBy: 'ok', having: { sum: { big: 1 } } }),
      // @ts-expect-error -- the sum of numbers is a number
      users.aggregate({ count: true, groupBy: 'ok', having: { sum: { age: { gt: 1n } } } }),
      // @ts-expect-error -- an average is a number
      users.aggregate({ count: true, groupBy: 'ok', having: { avg: { age: { gt: new Date() } } } }),
      // @ts-expect-error -- the least text is a text
      users.aggregate({ count: true, groupBy: 'ok', having: { NOT: { min: { name: { gt: 1 } } } } }),
      // @ts-expect-error -- the greatest date is no number
      users.aggregate({ count: true, groupBy: 'ok', having: { OR: [{ max: { at: 1 } }] } }),
    ])
  })
})

describe('what is stored in another form', () => {
  class Money {
    cents = 1
    plus(other: Money): Money {
      return other
    }
  }
  const openForms = () =>
    Valkeyrie.withSchema(
      ['forms', '*'],
      z.object({
        link: z.instanceof(URL).optional(),
        pattern: z.instanceof(RegExp),
        price: z.instanceof(Money),
        inner: z.object({
          at: z.date(),
          big: z.bigint(),
          tags: z.array(z.string()),
          price: z.instanceof(Money),
        }),
        dates: z.array(z.date()).optional(),
      }),
    ).open()
  const typedForms = (_: (db: Awaited<ReturnType<typeof openForms>>) => unknown): void => {}

  it('is compared in that form', () => {
    typedForms(({ repositories: { forms } }) => [
      forms.count({ where: { link: 'https://example.com/', pattern: { startsWith: '/a' } } }),
      forms.count({ where: { link: { like: 'https://%', notIn: ['https://example.com/'] } } }),
      forms.count({ where: { price: 5 } }),
      forms.count({ where: { price: { gte: 5, lt: 9 } } }),
      forms.count({ where: { price: { cents: 5 } } }),
      forms.findMany({ where: { inner: { price: 5 } } }),
      // @ts-expect-error -- it is a text
      forms.count({ where: { link: 1 } }),
      // @ts-expect-error -- it is a text
      forms.count({ where: { link: new URL('https://example.com') } }),
      // @ts-expect-error -- no such field
      forms.count({ where: { price: { cent: 5 } } }),
      // @ts-expect-error -- an object is not compared
      forms.count({ where: { inner: 5 } }),
    ])
  })

  it('is in figures and groups in that form', () => {
    typedForms(async ({ repositories: { forms } }) => {
      const { max } = await forms.aggregate({ max: ['link', 'pattern', 'price', 'inner.at', 'inner.big'] })
      expectTypeOf(max.link).toEqualTypeOf<string | null>()
      expectTypeOf(max.pattern).toEqualTypeOf<string | null>()
      expectTypeOf(max.price).toEqualTypeOf<unknown>()
      expectTypeOf(max['inner.at']).toEqualTypeOf<Date | null>()
      expectTypeOf(max['inner.big']).toEqualTypeOf<bigint | null>()
      const [one] = await forms.aggregate({
        count: true,
        groupBy: ['link', 'price', 'inner', 'dates', 'inner.at', 'inner.tags'],
      })
      expectTypeOf(one!.group.link).toEqualTypeOf<string | null>()
      expectTypeOf(one!.group.price).toEqualTypeOf<unknown>()
      expectTypeOf(one!.group.inner).toEqualTypeOf<{
        at: string
        big: string
        tags: string[]
        price: unknown
      }>()
      expectTypeOf(one!.group.dates).toEqualTypeOf<string[] | null>()
      expectTypeOf(one!.group['inner.at']).toEqualTypeOf<Date>()
      expectTypeOf(one!.group['inner.tags']).toEqualTypeOf<string[]>()
    })
  })
})

describe('an order', () => {
  const openShapes = () =>
    Valkeyrie.withSchema(
      ['shapes', '*'],
      z.object({
        tags: z.array(z.string()),
        pair: z.tuple([z.string(), z.number()]),
        map: z.map(z.string(), z.number()),
        set: z.set(z.string()).optional(),
        in: z.object({ n: z.int() }).nullable(),
        kind: z.discriminatedUnion('type', [
          z.object({ type: z.literal('a'), n: z.int() }),
          z.object({ type: z.literal('b') }),
        ]),
        either: z.union([z.int(), z.array(z.string())]),
        link: z.instanceof(URL),
        any: z.any(),
        unknown: z.unknown(),
        byName: z.record(z.string(), z.int()),
        big: z.bigint().nullish(),
        mixed: z.union([z.bigint(), z.number()]).optional(),
      }),
    ).open()
  type Shapes = Awaited<ReturnType<typeof openShapes>>
  const typedShapes = (_: (db: Shapes) => unknown): void => {}

  it('takes fields that have an order', () => {
    typedShapes(async ({ repositories: { shapes } }) => {
      const figures = await shapes.aggregate({
        max: ['either', 'link', 'any', 'in.n'],
        min: 'byName' as never,
      })
      expectTypeOf(figures.max.either).toEqualTypeOf<number | null>()
      expectTypeOf(figures.max['in.n']).toEqualTypeOf<number | null>()
      return [
        shapes.findMany({ orderBy: { in: { n: 'asc' }, kind: { type: 'asc', n: 'desc' }, either: 'asc' } }),
        shapes.findMany({ orderBy: [{ link: 'asc' }, { any: 'asc' }, { unknown: 'desc' }] }),
        shapes.findMany({ orderBy: { big: 'asc' } }),
        shapes.aggregate({ sum: 'big', max: 'big', countDistinct: 'mixed', groupBy: 'mixed' }),
        shapes.findMany({ orderBy: { any: { n: 'asc' }, byName: { a: 'asc' } } }),
        shapes.aggregate({
          max: 'either',
          groupBy: ['either', 'tags'],
          having: { max: { either: 1 }, sum: { either: { gt: 1 } } },
          orderBy: { max: { 'in.n': 'asc' }, group: { either: 'asc' }, countDistinct: { tags: 'asc' } },
        }),
      ]
    })
  })

  it('refuses objects, arrays, tuples, unions of objects, Maps, Sets and bigints among other values', () => {
    typedShapes(({ repositories: { shapes } }) => [
      // @ts-expect-error -- an array
      shapes.findMany({ orderBy: { tags: 'asc' } }),
      // @ts-expect-error -- a tuple
      shapes.findMany({ orderBy: { pair: 'asc' } }),
      // @ts-expect-error -- a Map
      shapes.findMany({ orderBy: { map: 'asc' } }),
      // @ts-expect-error -- a Set
      shapes.findMany({ orderBy: [{ set: 'asc' }] }),
      // @ts-expect-error -- an object
      shapes.findPage({ orderBy: { in: 'desc' } }),
      // @ts-expect-error -- one of several objects
      shapes.watchMany({ orderBy: { kind: 'asc' } }),
      // @ts-expect-error -- a record
      shapes.findMany({ orderBy: { byName: 'asc' } }),
      // @ts-expect-error -- bigints among numbers
      shapes.findMany({ orderBy: { mixed: 'asc' } }),
      // @ts-expect-error -- bigints among numbers
      shapes.aggregate({ min: 'mixed' }),
      // @ts-expect-error -- bigints among numbers
      shapes.aggregate({ sum: 'mixed' }),
      // @ts-expect-error -- an array
      shapes.aggregate({ max: 'tags' }),
      // @ts-expect-error -- an object
      shapes.aggregate({ min: ['either', 'in'] }),
      // @ts-expect-error -- a Map
      shapes.aggregate({ max: ['map'] }),
      // @ts-expect-error -- a Set
      shapes.aggregate({ max: ['set'] }),
      // @ts-expect-error -- an array
      shapes.aggregate({ count: true, groupBy: 'tags', orderBy: { group: { tags: 'asc' } } }),
      // @ts-expect-error -- a tuple
      shapes.aggregate({ count: true, groupBy: 'tags', orderBy: { min: { pair: 'asc' } } }),
      // @ts-expect-error -- an object
      shapes.aggregate({ count: true, groupBy: 'tags', having: { max: { in: 1 } } }),
      // @ts-expect-error -- neither numbers nor bigints
      shapes.aggregate({ count: true, groupBy: 'tags', having: { sum: { link: 1 } } }),
    ])
  })
})
