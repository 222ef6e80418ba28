import { QueryError, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Cases } from '../suite.ts'

async function opened(path: string | undefined) {
  const item = z.object({ n: z.int(), text: z.string(), tags: z.array(z.string()) })
  const db = await Valkeyrie.withSchema(['shelves', '*', 'items', '*'], item, { name: 'items' }).open(path)
  await db.repositories.items.insertMany([
    [['a', 1], { n: 1, text: 'one', tags: ['x'] }],
    [['a', 2], { n: 2, text: 'two', tags: [] }],
    [['b', 1], { n: 3, text: 'three', tags: [] }],
  ])
  return db
}

/** What is true of every row, or says nothing of any. */
const empty: readonly unknown[] = [
  { AND: [] },
  { AND: [{}] },
  { OR: [] },
  { OR: [{}] },
  { OR: [{ n: 1 }, {}] },
  { OR: [{ n: 1 }, { AND: [] }] },
  { NOT: { OR: [] } },
  { NOT: { n: { in: [] } } },
  { NOT: {} },
  { AND: [{ AND: [{ AND: [] }] }, {}] },
  { n: { notIn: [] } },
  { n: { AND: [] } },
  { n: { OR: [{ notIn: [] }, { eq: 1 }] } },
  { tags: { arrayContains: [] } },
  { tags: { none: { in: [] } } },
  { tags: { every: { notIn: [] } } },
  { text: { contains: '' } },
  { text: { istartsWith: '' } },
  { text: { like: '%' } },
  { text: { ilike: '%%' } },
  { NOT: { text: { notLike: '%' } } },
  { $id: { notIn: [] } },
  { NOT: { $id: { in: [] } } },
  { [Symbol('n')]: 1 },
]

/** A filter that its caller forgot to fill. */
const undefinedParts: readonly unknown[] = [
  undefined,
  null,
  { n: undefined },
  { n: {} },
  { n: { eq: undefined } },
  { n: { in: undefined } },
  { n: { in: [undefined] } },
  { n: 1, text: undefined },
  { AND: undefined },
  { AND: [undefined] },
  { OR: [{ n: undefined }] },
  { NOT: undefined },
]

export const emptinessCases: Cases = {
  'a where without a condition removes and changes nothing': async ({ path }) => {
    await using db = await opened(path())
    const { items } = db.repositories
    for (const where of [...empty, ...undefinedParts] as never[]) {
      const name = JSON.stringify(where)
      await expect(items.deleteMany({ where }), name).rejects.toBeInstanceOf(QueryError)
      await expect(items.updateMany({ where, set: { n: 9 } }), name).rejects.toBeInstanceOf(QueryError)
      await expect(items.deleteMany({ where, prefix: ['a'] }), name).rejects.toBeInstanceOf(QueryError)
      const inUnit = db.unitOfWork((unit) => unit.repositories.items.deleteMany({ where }))
      await expect(inUnit, name).rejects.toBeInstanceOf(QueryError)
    }
    expect(await items.count({ where: { n: { lte: 3 } } })).toBe(3)
  },

  'a search for nothing, and an id that begins with nothing, are no conditions': async ({ path }) => {
    await using db = await Valkeyrie.withSchema(['notes', '*'], z.object({ text: z.string() }), {
      search: ['text'],
    }).open(path())
    const { notes } = db.repositories
    await notes.insertMany(['ant', 'bee', '\u0002'].map((id) => [id, { text: id }] as const))
    for (const where of [
      { $id: { startsWith: '' } },
      { NOT: { $search: '' } },
      { NOT: { $search: ' "" !! -bee' } },
      { OR: [{ $id: 'ant' }, { NOT: { $search: '' } }] },
    ] as const) {
      const name = JSON.stringify(where)
      await expect(notes.deleteMany({ where }), name).rejects.toBeInstanceOf(QueryError)
    }
    expect(await notes.deleteMany({ where: { $search: '' } })).toMatchObject({ count: 0 })
    expect(await notes.deleteMany({ where: { $id: { startsWith: '\u0002' } } })).toMatchObject({ count: 1 })
    expect(await notes.deleteMany({ where: { NOT: { $search: 'bee' } } })).toMatchObject({ count: 1 })
    expect(await notes.count()).toBe(1)
  },

  'a missing where, or an empty prefix, removes nothing': async ({ path }) => {
    await using db = await opened(path())
    const { items } = db.repositories
    const refused = [{}, { prefix: [] }, { prefix: undefined }, { where: {}, prefix: undefined }] as never[]
    for (const query of refused)
      await expect(items.deleteMany(query), JSON.stringify(query)).rejects.toBeInstanceOf(QueryError)
    expect(await items.count()).toBe(3)
  },

  'an empty where, or a prefix alone, means all rows': async ({ path }) => {
    await using db = await opened(path())
    const { items } = db.repositories
    expect(await items.updateMany({ prefix: ['a'], set: { n: 7 } })).toMatchObject({ count: 2 })
    for (const prefix of [null, '', 0, Number.NaN, false]) {
      const query = { where: {}, prefix } as never
      await expect(items.deleteMany(query), String(prefix)).rejects.toThrow('prefix must be an array')
    }
    for (const expireIn of [null, 0, -1, Number.NaN, '5']) {
      const query = { where: { n: 99 }, set: { n: 98 }, expireIn } as never
      await expect(items.updateMany(query), String(expireIn)).rejects.toThrow('expireIn must be')
      await expect(items.claimMany({ ...(query as object), limit: 1 } as never)).rejects.toThrow(
        'expireIn must be',
      )
    }
    expect(await items.deleteMany({ prefix: ['a'] })).toMatchObject({ count: 2 })
    expect(await items.updateMany({ where: {}, set: { n: 8 } })).toMatchObject({ count: 1 })
    expect(await items.deleteMany({ where: {} })).toMatchObject({ count: 1 })
    expect(await items.count()).toBe(0)
  },

  'a condition that no row meets removes none, and one beside an empty one counts': async ({ path }) => {
    await using db = await opened(path())
    const { items } = db.repositories
    expect(await items.deleteMany({ where: { n: { in: [] } } })).toMatchObject({ count: 0 })
    expect(await items.deleteMany({ where: { n: 1, text: { notIn: [] } } })).toMatchObject({ count: 1 })
    expect(await items.deleteMany({ where: { AND: [{ n: 2 }, {}] } })).toMatchObject({ count: 1 })
    expect(await items.count()).toBe(1)
  },
}
