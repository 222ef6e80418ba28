import { id, KvU64, QueryError, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Cases } from '../suite.ts'

const orders = defineSchema(['orders', id.number()], z.object({ total: z.number() }))
const lines = defineSchema(['orders', id.number(), 'lines', id.string()], z.object({ sku: z.string() }), {
  name: 'lines',
})
const visits = defineSchema(['visits', id.string()], z.instanceof(KvU64))
const schemas = Valkeyrie.withSchemas([orders, lines, visits])

export const typedIdCases: Cases = {
  'a typed wildcard is a wildcard of its pattern': async (place) => {
    await using db = await schemas.open(place.path())
    expect(orders.pattern).toStrictEqual(['orders', '*'])
    expect(orders.idKinds).toStrictEqual([null, 'number'])
    expect(defineSchema(['users', '*'], z.string()).idKinds).toStrictEqual([])
    expect(orders.name).toBe('orders')
    expect(db.repository(['orders', '*'])).toBe(db.repositories.orders)
    await db.repositories.orders.set(7, { total: 12 })
    const entry = await db.get(['orders', 7])
    expect(entry.value).toStrictEqual({ total: 12 })
    await db.repositories.lines.set([7, 'a'], { sku: 'A' })
    const [order] = await db.repositories.orders.findMany({ with: { lines: true } })
    expect(order).toMatchObject({ id: 7, lines: [{ id: [7, 'a'] }] })
  },

  'an id of another kind is refused by every call of a repository': async (place) => {
    await using db = await schemas.open(place.path())
    const { orders, lines, visits } = db.repositories
    const wrong = '7' as never
    const calls: (() => unknown)[] = [
      () => orders.key(wrong),
      () => orders.get(wrong),
      () => orders.getMany([1, wrong]),
      () => orders.exists(wrong),
      () => orders.set(wrong, { total: 1 }),
      () => orders.insert(wrong, { total: 1 }),
      () => orders.insertMany([[wrong, { total: 1 }]]),
      () => orders.update(wrong, { total: 1 }),
      () => orders.delete(wrong),
      () => orders.touch(wrong, { expireIn: 1_000 }),
      () => orders.watch(wrong),
      () => orders.watch([1, wrong]),
      () => orders.list({ start: wrong }),
      () => lines.list({ prefix: [wrong] }),
      () => lines.findMany({ prefix: [wrong] }),
      () => lines.count({ prefix: [wrong] }),
      () => lines.get([1, 2 as never]),
      () => visits.sum(1 as never, 1n),
      () => db.unitOfWork((unit) => unit.repositories.orders.get(wrong)),
    ]
    for (const call of calls) {
      await expect((async () => call())(), call.toString()).rejects.toThrow(/^The ids of \w+ are declared as/)
    }
    expect(await orders.count()).toBe(0)
  },

  'a condition on an id of another kind is refused': async (place) => {
    await using db = await schemas.open(place.path())
    const { orders, lines } = db.repositories
    for (const $id of [
      '7',
      { eq: 7n },
      { ne: '7' },
      { in: [7, '7'] },
      { NOT: { gt: '7' } },
      { startsWith: '7' },
    ]) {
      const found = orders.findMany({ where: { $id } as never })
      await expect(found).rejects.toThrow(/takes an id: The ids of orders are declared as number/)
      await expect(found).rejects.toThrow(QueryError)
    }
    await expect(lines.count({ where: { $id: { gte: ['7', 'a'] as never } } })).rejects.toThrow(QueryError)
    await orders.set(7, { total: 1 })
    expect(await orders.count({ where: { $id: { in: [7, 8] } } })).toBe(1)
  },

  'a write of a key of another kind is refused, and a read of one finds nothing': async (place) => {
    await using db = await schemas.open(place.path())
    const refusal = 'The ids of orders are declared as number, but "7" is not'
    await expect(db.set(['orders', '7'], { total: 1 } as never)).rejects.toThrow(refusal)
    await expect(
      (async () =>
        db
          .atomic()
          .set(['orders', '7'], { total: 1 } as never)
          .commit())(),
    ).rejects.toThrow(refusal)
    await expect((async () => db.atomic().sum(['visits', 1], 1n).commit())()).rejects.toThrow(TypeError)
    expect(await db.get(['orders', '7'])).toStrictEqual({
      key: ['orders', '7'],
      value: null,
      versionstamp: null,
    })
    expect(await db.delete(['orders', '7'])).toBeUndefined()
    await db.set(['orders', 7], { total: 1 })
  },

  'create makes an id if the last one may be a string': async (place) => {
    await using db = await schemas.open(place.path())
    const { orders, lines } = db.repositories
    const created = await lines.create({ sku: 'A' }, { prefix: [7] })
    expect(created.id[0]).toBe(7)
    expect(created.id[1].length).toBe(36)
    await expect(orders.create({ total: 1 } as never)).rejects.toThrow(
      'create makes an id that is a string, but those of orders end in a number: use insert',
    )
    await expect(lines.create({ sku: 'A' }, { prefix: ['7' as never] })).rejects.toThrow(TypeError)
  },

  'two definitions that differ in the kind of an id have the same pattern': async () => {
    const other = defineSchema(['orders', '*'], z.string(), { name: 'other' })
    expect(() => Valkeyrie.withSchemas([orders, other as never])).toThrow(/same pattern/)
    expect(() => defineSchema(['orders', { idKind: 'date' } as never], z.string())).toThrow(TypeError)
  },
}
