import { KvU64, QueryError, ValidationError, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Cases } from '../suite.ts'

const user = z.object({
  name: z.string(),
  age: z.number(),
  big: z.bigint(),
  tags: z.array(z.string()),
  address: z.object({ city: z.string() }),
})
const chain = Valkeyrie.withSchema(['users', '*'], user)
  .withSchema(['users', '*', 'posts', '*'], z.object({ title: z.string() }), { name: 'posts' })
  .withSchema(['hits', '*'], z.instanceof(KvU64))

type Untyped = Record<string, (...args: unknown[]) => Promise<unknown>>

async function openUsers(path: string | undefined) {
  const db = await chain.open(path)
  return { db, users: db.repositories.users as unknown as Untyped }
}

const numberOperators = 'eq, ne, gt, gte, lt, lte, in, notIn, isNull, isNotNull'

export const refusedQueryCases: Cases = {
  'conditions under names that are not text are refused, not passed over': async ({ path }) => {
    const { db, users } = await openUsers(path())
    await users['set']!('a', { name: 'x', age: 1, big: 1n, tags: [], address: { city: '' } })
    const hidden = (value: object) => Object.defineProperty({}, 'age', { value, enumerable: false })
    const wheres: object[] = [
      { [Symbol('age')]: 2 },
      hidden({ eq: 2 }),
      { age: { [Symbol('eq')]: 2 } },
      { OR: [{ age: 2 }, hidden({ eq: 2 })] },
      { NOT: { [Symbol('age')]: 1 } },
    ]
    for (const where of wheres) {
      for (const call of ['findMany', 'findFirst', 'findPage', 'count', 'deleteMany'] as const)
        await expect(users[call]!({ where }), call).rejects.toThrow(QueryError)
      await expect(users['aggregate']!({ count: true, where })).rejects.toThrow(QueryError)
    }
    expect(await users['count']!({ where: {} })).toBe(1)
    await db.close()
  },

  'a misspelled name in a query gets an error with the likely name, and the existing ones': async ({
    path,
  }) => {
    const { db, users } = await openUsers(path())
    const there = 'There are name, age, big, tags, address'
    const refusals: [object, string][] = [
      [
        { where: { nmae: 'x' } },
        `There is no field "nmae" in the values of 'users': did you mean "name"? ${there}`,
      ],
      [{ where: { zip: 'x' } }, `in the values of 'users': t${there.slice(1)}`],
      [{ where: { address: { ctiy: 'x' } } }, `in 'address': did you mean "city"? Its fields are city; its`],
      [{ where: { age: { gtt: 1 } } }, `in 'age': did you mean "gte"? Its operators are ${numberOperators}`],
      [{ where: { age: { near: 1 } } }, `in 'age': its operators are ${numberOperators}`],
      [{ where: { or: [{ age: 1 }] } }, `There is no field "or" in the values of 'users': write OR`],
      [
        { orderBy: { aeg: 'asc' } },
        `There is no field "aeg" to order 'users' by: did you mean "age"? ${there}`,
      ],
      [{ columns: { nam: true } }, `in the values of 'users': did you mean "name"?`],
      [
        { distinct: true },
        "distinct takes the name of a field, such as 'address.city', or several: got a boolean",
      ],
      [{ distinct: ['address.ctiy'] }, 'for distinct: did you mean "city"? There are city'],
      [{ with: { post: true } }, 'nor one of its references: did you mean "posts"? There are posts'],
    ]
    await users['set']!('a', { name: 'x', age: 1, big: 1n, tags: [], address: { city: '' } })
    for (const [query, told] of refusals) {
      const refused = users['findMany']!(query)
      await expect(refused, told).rejects.toThrow(QueryError)
      await expect(refused).rejects.toThrow(told)
    }
    await expect(users['findMany']!({ wher: {} })).rejects.toThrow(
      "There is no option 'wher' of a query: did you mean 'where'? There are where, orderBy,",
    )
    await expect(users['aggregate']!({ sum: 'agee' })).rejects.toThrow('for sum: did you mean "age"?')
    await db.close()
  },

  'a reference to a definition that the database was opened without is refused where its rows are asked for':
    async ({ path }) => {
      const owners = defineSchema(['owners', '*'], z.object({ name: z.string() }))
      const cats = defineSchema(['cats', '*'], z.object({ by: z.string() }), { references: { by: owners } })
      await using db = await Valkeyrie.withSchemas([cats]).open(path())
      await db.repositories.cats.set('tom', { by: 'ann' })
      await expect(db.repositories.cats.findMany({ with: { by: true } })).rejects.toThrow(
        "with: { by } leads to 'owners', whose rows this database does not know",
      )
      expect(await db.repositories.cats.findMany({ where: { by: 'ann' } })).toHaveLength(1)
    },

  'an error of a query names the operator as written, and the field or the element': async ({ path }) => {
    const schema = user.extend({
      lines: z.array(z.object({ sku: z.string(), sizes: z.array(z.int()) })),
      sums: z.array(z.bigint()),
    })
    await using db = await Valkeyrie.withSchema(['users', '*'], schema).open(path())
    const users = db.repositories.users as unknown as Untyped
    const refusals: [object, string][] = [
      [{ age: { ne: 'x' } }, "ne on 'age' cannot compare a number with a text"],
      [{ name: { ne: ['x'] } }, "ne on 'name' takes one value: got an array; notIn takes several"],
      [{ age: { notIn: 1 } }, "notIn on 'age' takes an array: got a number"],
      [{ age: { notLike: 'x' } }, "notLike on 'age' cannot compare a number with a text"],
      [{ name: { notIlike: 1 } }, "notIlike on 'name' takes a pattern"],
      [{ name: { isNotNull: false } }, "isNotNull on 'name' takes true: got a boolean"],
      [{ $id: { notIn: ['*'] } }, "notIn on '$id' takes an id"],
      [{ $id: { notIn: { a: 1 } } }, "notIn on '$id' takes an id: got an object"],
      [{ name: { none: 'x' } }, "none is about the elements of an array, but 'name' is not an array"],
      [
        { tags: { arrayContains: 5 } },
        "arrayContains on the items of 'tags' cannot compare a text with a number",
      ],
      [{ tags: { arrayContains: ['x', 5n] } }, 'cannot compare a text with a bigint'],
      [{ tags: { arrayContains: [new Date(0)] } }, 'cannot compare a text with a Date'],
      [{ sums: { arrayContains: 5 } }, 'cannot compare a bigint with a number: a bigint is written as 1n'],
      [{ lines: { arrayContains: 'x' } }, "the items of 'lines' cannot compare an object with a text"],
      [{ tags: { some: 5 } }, "eq on an element of 'tags' cannot compare a text with a number"],
      [{ tags: { every: { ne: 5 } } }, "ne on an element of 'tags' cannot compare a text with a number"],
      [{ tags: { some: { zz: 1 } } }, `There is no field or operator "zz" in an element of 'tags'`],
      [{ lines: { none: 'x' } }, "on an element of 'lines' cannot compare an object with a text: put"],
      [{ lines: { none: 'x' } }, 'put conditions on its fields, { … }'],
      [{ lines: { some: { sku: 5 } } }, "eq on 'sku' in an element of 'lines' cannot compare a text"],
      [{ lines: { some: { sku: { zz: 1 } } } }, `operator "zz" in 'sku' in an element of 'lines'`],
      [{ lines: { some: { sku: undefined } } }, "'sku' in an element of 'lines' is undefined"],
      [{ lines: { some: { sizes: { some: 'x' } } } }, "eq on an element of 'sizes' in an element of 'lines'"],
    ]
    for (const [where, told] of refusals) {
      const refused = users['findMany']!({ where })
      await expect(refused, told).rejects.toThrow(QueryError)
      await expect(refused).rejects.toThrow(told)
    }
  },

  'a query written for another library gets an error that says what to write': async ({ path }) => {
    const { db, users } = await openUsers(path())
    const refusals: [object, string][] = [
      [{ where: { id: 'a' } }, `There is no field "id" in the values of 'users': the id of a row is $id`],
      [{ orderBy: { id: 'asc' } }, `There is no field "id" to order 'users' by: the id of a row is $id`],
      [{ where: { 'address.city': 'x' } }, 'write a field in a field nested, { address: { city: … } }'],
      [{ orderBy: { 'address.city': 'asc' } }, 'write a field in a field nested, { address: { city: … } }'],
      [{ where: { age: { $gt: 1 } } }, 'did you mean "gt"?'],
      [{ where: { age: { equals: 1 } } }, 'did you mean "eq"?'],
      [{ where: { tags: { has: 'x' } } }, 'did you mean "arrayContains"?'],
      [
        { where: { tags: 'x' } },
        "eq on 'tags' cannot compare an array with a text: find its items with arrayContains",
      ],
      [{ where: { tags: ['x'] } }, 'find its items with arrayContains, or with conditions in some'],
      [{ where: { tags: { contains: 'x' } } }, 'find its items with arrayContains'],
      [{ where: { address: 'Rome' } }, 'put conditions on its fields, { address: { … } }'],
      [{ where: { name: { arrayContains: 'x' } } }, 'to find a part of a text, use contains'],
      [{ where: { name: ['x', 'y'] } }, "eq on 'name' takes one value: got an array; in takes several"],
      [
        { where: { name: /x/ } },
        "takes no RegExp: use like with a pattern, such as { like: 'A%' }, or contains",
      ],
      [{ where: { name: { like: /x/ } } }, "like on 'name' takes a pattern, such as 'A%': got a RegExp"],
      [{ where: { age: Number.NaN } }, 'got NaN, which no stored number equals: check it first'],
      [{ where: { big: 1 } }, 'cannot compare a bigint with a number: a bigint is written as 1n'],
      [{ where: { $id: { like: 'a%' } } }, 'which is compared as a whole, with eq, ne,'],
      [{ orderBy: { name: 'ASC' } }, `orderBy takes 'asc' or 'desc' for "name": got "ASC"`],
      [{ take: 1 }, "did you mean 'limit'?"],
      [{ include: { posts: true } }, "did you mean 'with'?"],
    ]
    for (const [query, told] of refusals) await expect(users['findMany']!(query), told).rejects.toThrow(told)
    const counted = users['sum']!('a', 1n)
    await expect(counted).rejects.toThrow(ValidationError)
    await expect(counted).rejects.toThrow(
      "sum works on a KvU64, and the values of 'users' are not: change a number in a value with update",
    )
    expect(await users['count']!()).toBe(0)
    await db.close()
  },

  'no order and no extreme is of objects, arrays, Maps and Sets, and among other values they are skipped':
    async ({ path }) => {
      await using db = await Valkeyrie.withSchema(
        ['shapes', '*'],
        z.object({
          tags: z.array(z.int()),
          pair: z.tuple([z.int(), z.int()]).optional(),
          map: z.map(z.string(), z.int()).nullish(),
          set: z.set(z.int()).optional(),
          in: z.object({ n: z.int() }),
          kind: z.discriminatedUnion('type', [
            z.object({ type: z.literal('a') }),
            z.object({ type: z.literal('b') }),
          ]),
          either: z.union([z.string(), z.int(), z.array(z.int())]),
          any: z.any(),
        }),
      ).open(path())
      const { shapes } = db.repositories
      const kind = { type: 'a' } as const
      const value = { tags: [9], set: new Set([1]), map: new Map([['a', 1]]), in: { n: 9 }, kind }
      await shapes.insertMany([
        ['1', { ...value, either: 2, any: { z: 1 } }],
        ['2', { ...value, either: '[1', any: 'z' }],
        ['3', { ...value, either: [3], any: new Map([['z', 1]]) }],
        ['4', { ...value, tags: [10], either: [0], any: [1] }],
      ])
      const untyped = shapes as unknown as Untyped
      for (const field of ['tags', 'pair', 'map', 'set', 'in', 'kind']) {
        const refused = [
          untyped['findMany']!({ orderBy: { [field]: 'asc' } }),
          untyped['findPage']!({ orderBy: [{ [field]: 'asc' }], limit: 1 }),
          untyped['aggregate']!({ max: field }),
          untyped['aggregate']!({ min: ['either', field] }),
          untyped['aggregate']!({ count: true, groupBy: 'either', having: { max: { [field]: 1 } } }),
          untyped['aggregate']!({ count: true, groupBy: 'either', orderBy: { min: { [field]: 'asc' } } }),
          untyped['aggregate']!({ count: true, groupBy: field, orderBy: { group: { [field]: 'asc' } } }),
        ]
        for (const one of refused) {
          await expect(one, field).rejects.toThrow(QueryError)
          await expect(one, field).rejects.toThrow(
            `cannot order '${field}': objects, arrays, Maps and Sets have no order`,
          )
        }
      }
      expect(await shapes.aggregate({ min: ['either', 'any'], max: ['either', 'any'] })).toEqual({
        min: { either: 2, any: 'z' },
        max: { either: '[1', any: 'z' },
      })
      expect(await shapes.aggregate({ countDistinct: ['tags', 'map'], max: 'in.n' })).toEqual({
        countDistinct: { tags: 2, map: 1 },
        max: { 'in.n': 9 },
      })
    },

  'a query has at most 5,000 conditions, however they are nested': async ({ path }) => {
    const { db, users } = await openUsers(path())
    const many = (count: number) => ({ where: { OR: Array.from({ length: count }, (_, age) => ({ age })) } })
    await expect(users['count']!(many(5_001))).rejects.toThrow(
      'A query has at most 5000 conditions: this one has more',
    )
    const nested = {
      where: { OR: Array.from({ length: 2_600 }, () => ({ address: { city: { eq: 'x' } } })) },
    }
    expect(await users['count']!(nested)).toBe(0)
    await db.close()
  },

  'a value that is assigned to the entry of a missing row is refused with what to do instead': async ({
    path,
  }) => {
    const { db } = await openUsers(path())
    const assigned = (assign: (entry: { value: unknown }) => void, byKey: boolean) =>
      db.unitOfWork(async (unit) => {
        const entry = byKey ? await unit.get(['users', 'a']) : await unit.repositories.users.get('a')
        expect(structuredClone(entry)).toEqual({ ...entry })
        expect(JSON.parse(JSON.stringify(entry))).toMatchObject({ value: null, versionstamp: null })
        assign(entry as { value: unknown })
      })
    for (const byKey of [true, false]) {
      await expect(assigned((entry) => (entry.value = {}), byKey)).rejects.toThrow(
        'There is no row ["users", "a"] to change: write one, with set or insert',
      )
    }
    await db.close()
  },
}
