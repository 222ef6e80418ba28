import { QueryError, Valkeyrie } from 'valkeyrie'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const schema = z.object({
  name: z.string(),
  age: z.int(),
  big: z.bigint().optional(),
  tags: z.array(z.string()),
})

async function opened() {
  const db = await Valkeyrie.withSchema(['users', '*'], schema, { indexes: [{ on: 'age' }] })
    .withSchema(['notes', '*'], z.any())
    .open()
  await db.repositories.users.set('a', { name: 'A', age: 1, tags: [] })
  await db.repositories.notes.set('n', { 'odd name': 1 })
  return db
}

/** What an attacker's JSON may hold; `JSON.parse` makes `__proto__` an own name. */
const wheres: readonly string[] = [
  '{"__proto__":{"age":1}}',
  '{"constructor":{"prototype":{"age":1}}}',
  '{"toString":"x"}',
  '{"name\' OR 1=1 --":"x"}',
  '{"name":{"eq":null}}',
  '{"name":null}',
  '{"name":{}}',
  '{"name":{"$ne":"x"}}',
  '{"name":{"eq":{"sql":"1=1"}}}',
  '{"age":{"gte":"0"}}',
  '{"age":"1 OR 1=1"}',
  '{"age":{"__proto__":1}}',
  '{"age":{"constructor":1}}',
  '{"age":{"in":"1"}}',
  '{"age":{"in":[[1]]}}',
  '{"age":{"in":[null]}}',
  '{"name":{"isNull":"x"}}',
  '{"tags":["x"]}',
  '{"tags":{"arrayContains":[null]}}',
  '{"tags":{"arrayContains":[{"a":1}]}}',
  '{"AND":{"age":1}}',
  '{"OR":[1]}',
  '{"NOT":[]}',
  '{"OR":[{"AND":[{"nope":1}]}]}',
  '[]',
  '"1=1"',
  '1',
  '{"age.x":1}',
  '{"$.age":1}',
  '{"age\\"":1}',
  '{"":1}',
  `${'{"NOT":'.repeat(40)}{}${'}'.repeat(40)}`,
  `{"OR":[${'{"age":1},'.repeat(20_000)}{"age":1}]}`,
]

const named = (count: number, name: string, value: unknown) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}${i}`, value]))

const nested = (depth: number, name: string, value: unknown) => {
  let found = value
  for (let i = 0; i < depth; i++) found = { [name]: found }
  return found
}

describe("an attacker's JSON", () => {
  it.each(wheres.map((text) => [text.slice(0, 60), text]))('is refused as where: %s', async (_name, text) => {
    const db = await opened()
    const where = JSON.parse(text)
    await expect(db.repositories.users.findMany({ where })).rejects.toBeInstanceOf(QueryError)
    await expect(db.repositories.users.count({ where })).rejects.toBeInstanceOf(QueryError)
    await expect(db.repositories.users.deleteMany({ where })).rejects.toBeInstanceOf(QueryError)
    expect(await db.repositories.users.count()).toBe(1)
    await db.close()
  })

  it('is bound as operand', async () => {
    const db = await opened()
    const { users } = db.repositories
    const before = (await users.toSQL({ where: { name: 'x' } })).sql
    for (const name of ["' OR 1=1 --", '"; DROP TABLE kv; --', '\0', '$', '?', '%', '*', '\u2028']) {
      expect(await users.findMany({ where: { name } })).toEqual([])
      expect(await users.findMany({ where: { name: { in: [name] } } })).toEqual([])
      expect((await users.toSQL({ where: { name } })).sql).toBe(before)
    }
    await db.close()
  })

  it('names a field, whatever it contains, if no schema knows the fields', async () => {
    const db = await opened()
    const { notes } = db.repositories
    expect(await notes.count({ where: { 'odd name': 1 } })).toBe(1)
    const names = [
      "a'b",
      'a"b',
      'a.b',
      'a[0]',
      'a\\b',
      'a`b',
      'a\0b',
      '',
      "'); DROP TABLE kv --",
      '$.a',
      '*',
      '\u2028',
    ]
    for (const name of [...names, 'AND', 'OR', 'NOT', '$id', '\\']) {
      await notes.set('odd', { [name]: 7, inner: { [name]: 8 } })
      const key = `\\${name}`
      for (const where of [{ [key]: 7 }, { inner: { [key]: { gt: 7 } } }] as object[])
        expect(await notes.count({ where: where as never }), JSON.stringify(where)).toBe(1)
      const path = name.replace(/[\\.]/g, '\\$&')
      const orderBy = { [key]: 'desc' } as never
      expect((await notes.findMany({ orderBy, distinct: path }))[0]!.id, name).toBe('odd')
      const figures = await notes.aggregate({ max: path, countDistinct: `inner.${path}` })
      expect(figures).toEqual({ max: { [path]: 7 }, countDistinct: { [`inner.${path}`]: 1 } })
    }
    const where = JSON.parse('{"__proto__":1}')
    await expect(notes.findMany({ where })).rejects.toBeInstanceOf(QueryError)
    await db.close()
  })

  it.each<[string, object]>([
    ['a direction', { orderBy: { age: 'asc; DROP TABLE kv' } }],
    ['no field to order by', { orderBy: { nope: 'asc' } }],
    ['a range of a bigint that is a number', { where: { big: { gt: 1 } } }],
    ['no id', { where: { $id: ['a', 'b'] } }],
    ['an id of an object', { where: { $id: { eq: { sql: '1=1' } } } }],
    ['an id that is the wildcard', { where: { $id: '*' } }],
    ['an operator that no id has', { where: { $id: { like: '%' } } }],
    ['an id that is NaN', { where: { $id: { in: [Number.NaN] } } }],
    ['a direction of the id', { orderBy: { $id: 'asc; DROP TABLE kv' } }],
    ['a pattern that ends with a backslash', { where: { name: { like: 'A\\' } } }],
    ['a part of a text that is a number', { where: { name: { contains: 1 } } }],
    ['a part of a text with a lone surrogate', { where: { name: { startsWith: '\ud800' } } }],
    ['elements of no array', { where: { name: { some: 'A' } } }],
    ['no condition on every element', { where: { tags: { every: {} } } }],
    ['an unknown field of an element', { where: { tags: { some: { "x' OR 1=1 --": 1 } } } }],
    ['no field to be different in', { distinct: "age') FROM kv --" }],
    ['an object to be different in', { distinct: { age: true } }],
    ['no fields to be different in', { distinct: [] }],
    ['an escape of nothing in a path', { distinct: 'age\\' }],
    ['a text as order', { orderBy: 'age' }],
    ['no cursor', { after: 'x' }],
    ['an empty cursor', { after: '' }],
    ['a cursor without a key', { after: Buffer.from('["asc",[],"x"]').toString('base64url') }],
    ['a cursor of another order', { after: Buffer.from('["age asc,asc",[1],"AA=="]').toString('base64url') }],
    ['no column', { columns: { nope: true } }],
    ['a number as column', { columns: { name: 1 } }],
    ['no relation', { with: { nope: true } }],
    ['the prototype as relation', { with: { constructor: true } }],
    ['a direction that is undefined', { orderBy: { age: undefined } }],
    ['a direction that is a function', { orderBy: { age: () => 'asc' } }],
  ])('is refused as %s', async (_name, query) => {
    const db = await opened()
    // The order of a valid query is cached, and must not be used for an invalid one.
    await db.repositories.users.findMany({ orderBy: {} })
    await expect(db.repositories.users.findMany(query as never)).rejects.toBeInstanceOf(QueryError)
    await db.close()
  })

  it.each<[string, (part: string) => object]>([
    ['names that are long', (part) => ({ findMany: { where: { [part.repeat(100_000)]: 1 } } })],
    ['an order of many fields', (part) => ({ findMany: { orderBy: named(3_000, part, 'asc') } })],
    ['an order of a deep field', (part) => ({ findMany: { orderBy: nested(3_000, part, 'asc') } })],
    [
      'an order of a field with a long name',
      (part) => ({ findMany: { orderBy: { [part.repeat(100_000)]: 'asc' } } }),
    ],
    ['sums of many fields', (part) => ({ aggregate: { sum: Object.keys(named(3_000, part, 1)) } })],
    [
      'groups by many fields',
      (part) => ({ aggregate: { count: true, groupBy: Object.keys(named(3_000, part, 1)) } }),
    ],
    [
      'groups by a deep field',
      (part) => ({ aggregate: { count: true, groupBy: Array(3_000).fill(part).join('.') } }),
    ],
  ])('is refused if no schema knows the fields: %s', async (_name, make) => {
    const db = await opened()
    const { notes } = db.repositories
    const { findMany, aggregate } = make('a') as { findMany: object; aggregate: { count: true } }
    const call = findMany ? notes.findMany(findMany as never) : notes.aggregate(aggregate)
    await expect(call).rejects.toBeInstanceOf(QueryError)
    await db.close()
  })

  it('is refused as limit, and as the cursor of a page in another order', async () => {
    const db = await opened()
    const { users } = db.repositories
    await expect(users.findMany({ limit: -1 })).rejects.toBeInstanceOf(RangeError)
    await expect(users.findMany({ limit: '1; --' } as never)).rejects.toBeInstanceOf(RangeError)
    await users.set('b', { name: 'B', age: 2, tags: [] })
    const { cursor } = await users.findPage({ orderBy: { age: 'asc' }, limit: 1 })
    expect(cursor).not.toBeNull()
    await expect(users.findMany({ orderBy: { name: 'asc' }, after: cursor })).rejects.toThrow(/another order/)
    await db.close()
  })
})
