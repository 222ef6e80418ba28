import { id, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import type { KeyPart } from '../../src/contract/key.types.ts'

const orders = defineSchema(['orders', id.number()], z.object({ total: z.number() }))
const lines = defineSchema(['orders', id.number(), 'lines', id.string()], z.object({ sku: z.string() }), {
  name: 'lines',
})
const open = () =>
  Valkeyrie.withSchemas([orders, lines])
    .withSchema(['users', '*'], z.object({ name: z.string() }))
    .withSchema(['files', id.bytes()], z.string())
    .open()

type Db = Awaited<ReturnType<typeof open>>
const typed = (_: (db: Db) => unknown): void => {}

it('ids and keys are of the declared kinds', () => {
  typed(async ({ repositories: { orders, lines, users, files } }) => {
    const order = await orders.findFirst()
    expectTypeOf(order!.id).toEqualTypeOf<number>()
    expectTypeOf(order!.key).toEqualTypeOf<readonly ['orders', number]>()
    const [line] = await lines.findMany({ prefix: [7] })
    expectTypeOf(line!.id).toEqualTypeOf<readonly [number, string]>()
    const user = await users.findFirst()
    expectTypeOf(user!.id).toEqualTypeOf<KeyPart>()
    expectTypeOf(await files.get(new Uint8Array(1)))
      .toHaveProperty('id')
      .toEqualTypeOf<Uint8Array>()
    return [
      // @ts-expect-error -- the id is a number
      orders.get('7'),
      // @ts-expect-error -- the first id is a number
      lines.get(['7', 'a']),
      // @ts-expect-error -- the leading id is a number
      lines.findMany({ prefix: ['7'] }),
      // @ts-expect-error -- the id is a number
      orders.list({ start: 'a' }),
    ]
  })
})

it('a write by key takes ids of the declared kinds', () => {
  typed((db, part: KeyPart = 1, either: string | number = 1) => [
    db.set(['orders', 1], { total: 1 }),
    db.set(['orders', part], { total: 1 }),
    db.set(['orders', either, 'lines', 'a'], { sku: 'a' }),
    db.set(['users', 1n], { name: 'A' }),
    db.set(['files', new Uint8Array(1)], 'a'),
    db.atomic().set(['orders', 1], { total: 1 }),
    // @ts-expect-error -- the id is a number
    db.set(['orders', '7'], { total: 1 }),
    // @ts-expect-error -- the first id is a number
    db.atomic().set(['orders', 7n, 'lines', 'a'], { sku: 'a' }),
    // @ts-expect-error -- the second id is a string
    db.set(['orders', 7, 'lines', 1], { sku: 'a' }),
    // @ts-expect-error -- the id is bytes
    db.set(['files', 'a'], 'a'),
  ])
})

it('create gives a string', () => {
  typed(async ({ repositories: { orders, lines, users } }) => {
    const user = await users.create({ name: 'A' })
    expectTypeOf(user.id).toEqualTypeOf<string>()
    expectTypeOf(user.key).toEqualTypeOf<readonly ['users', string]>()
    const line = await lines.create({ sku: 'A' }, { prefix: [7] })
    expectTypeOf(line.id).toEqualTypeOf<readonly [number, string]>()
    expectTypeOf(line.key).toEqualTypeOf<readonly ['orders', number, 'lines', string]>()
    // @ts-expect-error -- the ids of orders are numbers
    return orders.create({ total: 1 })
  })
})

it('repositories are found by their plain patterns, and a pattern is declared once', () => {
  typed((db) => {
    expectTypeOf(db.repository(['orders', '*'])).toEqualTypeOf(db.repositories.orders)
    expectTypeOf(db.repository(orders)).toEqualTypeOf(db.repositories.orders)
    // @ts-expect-error -- 'orders' is declared with this pattern
    return () => Valkeyrie.withSchemas([orders]).withSchema(['orders', '*'], z.string(), { name: 'other' })
  })
})
