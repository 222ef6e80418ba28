import { type Key, KvU64, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'

const schema = z.object({
  n: z.int(),
  big: z.bigint().optional(),
  maybe: z.number().nullish(),
  text: z.string(),
  either: z.union([z.number(), z.object({ increment: z.number() })]),
  any: z.any(),
})
const shape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('circle'), size: z.number(), radius: z.number() }),
  z.object({ kind: z.literal('text'), size: z.string(), lines: z.bigint() }),
])
const db = await Valkeyrie.withSchema(['items', '*'], schema, { name: 'items' })
  .withSchema(['shapes', '*'], shape)
  .open()
const { items, shapes } = db.repositories

/** Checked by the compiler alone. */
const never = () => false as boolean

it('increments are offered for numbers and bigints, each with its own kind', async () => {
  if (never()) {
    await items.update('a', { n: { increment: 1 }, big: { decrement: 1n }, maybe: { increment: 2 } })
    await items.update('a', { either: { increment: 1 } })
    // @ts-expect-error a bigint is not added to a number
    await items.update('a', { n: { increment: 1n } })
    // @ts-expect-error a number is not added to a bigint
    await items.update('a', { big: { increment: 1 } })
    // @ts-expect-error a text has no increment
    await items.update('a', { text: { increment: 1 } })
    // @ts-expect-error what may be an object takes no decrement
    await items.update('a', { either: { decrement: 1 } })
    // @ts-expect-error one of them
    await items.update('a', { n: { increment: 1, decrement: 1 } })
  }
})

it('increments are offered for a field that only some options of a union have', async () => {
  if (never()) {
    await shapes.updateMany({ where: { kind: 'circle' }, set: { radius: { increment: 1 } } })
    await shapes.update('a', { lines: { decrement: 1n } })
    // @ts-expect-error a bigint is not added to a number
    await shapes.update('a', { radius: { increment: 1n } })
    // @ts-expect-error what is a text in another option has no increment
    await shapes.update('a', { size: { increment: 1 } })
  }
})

it('only the fields of an object are patched', async () => {
  const open = () =>
    Valkeyrie.withSchema(['lists', '*'], z.array(z.object({ n: z.int() })))
      .withSchema(['dates', '*'], z.date())
      .withSchema(['maps', '*'], z.map(z.string(), z.int()))
      .withSchema(['records', '*'], z.record(z.string(), z.int()))
      .withSchema(['any', '*'], z.any())
      .open()
  if (never()) {
    const { lists, dates, maps, records, any } = (await open()).repositories
    await lists.update('a', (list) => [...list, { n: 1 }])
    await records.update('a', { x: 1, y: { increment: 1 } })
    await any.update('a', { x: 1 })
    // @ts-expect-error an array is no patch
    await lists.update('a', [{ n: 1 }])
    // @ts-expect-error an array has no fields
    await lists.update('a', { 0: { n: 1 } })
    // @ts-expect-error a date has no fields
    await dates.update('a', {})
    // @ts-expect-error a Map has no fields
    await maps.updateMany({ where: {}, set: {} })
  }
})

it('the touched rows are returned if the call asks for them', async () => {
  if (!never()) return
  const query = { where: { n: 1 }, set: { n: 2 } }
  const plain = await items.updateMany(query)
  expectTypeOf(plain).not.toHaveProperty('entries')
  const returned = await items.updateMany({ ...query, returning: true })
  expectTypeOf(returned.entries[0]!.value.n).toEqualTypeOf<number>()
  const removed = await items.deleteMany({ where: { n: 1 }, returning: true })
  expectTypeOf(removed.entries[0]!.expiresAt).toEqualTypeOf<number | null>()
  const claimed = await items.claimMany({ ...query, limit: 1 })
  expectTypeOf(claimed.entries[0]!.value.text).toEqualTypeOf<string>()
  if (never()) {
    // @ts-expect-error a claim has a limit
    await items.claimMany(query)
    // @ts-expect-error an order is of a field
    await items.claimMany({ ...query, limit: 1, orderBy: { none: 'asc' } })
    // @ts-expect-error both parts are needed
    await items.upsert('a', { update: {} })
    // @ts-expect-error a versionstamp is text
    await items.update('a', {}, { ifVersion: null })
  }
})

it('a value can be assigned to an existing entry, and not to a missing one', async () => {
  const entry = await items.get('a')
  if (never() && entry.value !== null) entry.value = { ...entry.value, n: 1 }
  // @ts-expect-error it may be missing
  if (never()) entry.value = null
  expectTypeOf(entry.expiresAt).toEqualTypeOf<number | null>()
})

it('sum, max and min take keys that may have a KvU64', async () => {
  const counted = await Valkeyrie.withSchema(['hits', '*'], z.instanceof(KvU64))
    .withSchema(['texts', '*'], z.string())
    .withSchema(['either', '*'], z.union([z.string(), z.instanceof(KvU64)]))
    .withSchema(['any', '*'], z.any())
    .open()
  if (never()) {
    const [key, some, one] = [['a'], ['a', 'b'], ['hits', 'a']] as unknown as [
      Key,
      readonly [string, string],
      readonly ['hits' | 'texts', string],
    ]
    counted.atomic().sum(['hits', 'a'], 1n).max(['either', 'a'], 1n).min(['any', 'a'], 1n).sum(['none'], 1n)
    counted.atomic().sum(key, 1n).max(some, 1n).min(one, 1n)
    const { hits, texts, either, any } = counted.repositories
    await hits.sum('a', 1n)
    await either.max('a', new KvU64(1n))
    await any.min('a', 1n)
    // @ts-expect-error -- texts are not added
    await texts.sum('a', 1n)
    // @ts-expect-error -- texts are not added
    counted.atomic().sum(['texts', 'a'], 1n)
    // @ts-expect-error -- nor compared
    counted.atomic().max(['texts', 'a'], 1n)
    // @ts-expect-error -- nor compared
    counted.atomic().min(['texts', 'a'], 1n)
  }
})

it('a pattern has a part', () => {
  if (never()) {
    defineSchema([] as string[], z.string(), { name: 'some' })
    // @ts-expect-error -- no part
    defineSchema([], z.string(), { name: 'none' })
    // @ts-expect-error -- no part
    Valkeyrie.withSchema([], z.string(), { name: 'none' })
  }
})
