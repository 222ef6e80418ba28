import { CorruptValueError, defineValueType, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Cases } from '../suite.ts'

class Money {
  readonly cents: bigint
  readonly currency: string

  constructor(cents: bigint, currency: string) {
    this.cents = cents
    this.currency = currency
  }
}

class Box {
  content: unknown

  constructor(content: unknown) {
    this.content = content
  }
}

const money = defineValueType({
  name: 'Money',
  class: Money,
  encode: ({ cents, currency }) => ({ cents, currency }),
  decode: ({ cents, currency }) => new Money(cents, currency),
})
const box = defineValueType({
  name: 'Box',
  class: Box,
  encode: ({ content }: Box) => content,
  decode: (content: unknown) => new Box(content),
})
const bytes = defineValueType<Buffer, string>({
  name: 'Buffer',
  is: (value) => Buffer.isBuffer(value),
  encode: (buffer) => buffer.toString('hex'),
  decode: (hex) => Buffer.from(hex, 'hex'),
})
const valueTypes = [money, box, bytes]

export const valueTypeCases: Cases = {
  'instances of classes with a value type come back, wherever they are': async (place) => {
    await using db = await Valkeyrie.open(place.path(), { valueTypes })
    const one = new Money(5n, 'EUR')
    for (const value of [
      one,
      { list: [one, { in: new Map([['key', one]]) }], set: new Set([one]) },
      new Box(new Box({ at: new Date(0), one })),
      [new Box(1n), new Box(undefined), new Box(new Map([[one, 'x']])), new Box(null)],
      Buffer.from('bytes'),
      { raw: Buffer.from([0, 255]) },
      new Error('lost', { cause: one }),
    ]) {
      await db.set(['a'], value)
      expect((await db.get(['a'])).value).toStrictEqual(value)
      expect((await Array.fromAsync(db.list({ prefix: [] })))[0]?.value).toStrictEqual(value)
    }
    const holder: Record<string, unknown> = { one }
    holder['box'] = new Box({ holder })
    await db.set(['a'], holder)
    const { value } = (await db.get(['a'])) as { value: { box: { content: { holder: unknown } } } }
    expect(value.box.content.holder).toBe(value)
  },

  'what a value type encodes can be queried, and is seen by every read': async (place) => {
    const prices = defineSchema(['prices', '*'], z.object({ price: z.instanceof(Money), n: z.int() }), {
      valueTypes: [money],
    })
    await using db = await Valkeyrie.withSchemas([prices]).open(place.path())
    const { prices: repository } = db.repositories
    const changes = repository.changes().getReader()
    await repository.set('pen', { price: new Money(250n, 'EUR'), n: 1 })
    expect((await changes.read()).value).toMatchObject({ value: { price: new Money(250n, 'EUR') } })
    await changes.cancel()
    const watch = db.watch([['prices', 'pen']]).getReader()
    expect((await watch.read()).value?.[0]?.value?.price).toStrictEqual(new Money(250n, 'EUR'))
    await watch.cancel()
    const found = await repository.findMany({ where: { n: 1 } })
    expect(found[0]?.value.price).toBeInstanceOf(Money)
    await repository.update('pen', { price: new Money(300n, 'EUR') })
    expect((await repository.get('pen')).value?.price.cents).toBe(300n)
  },

  'a unit of work writes an instance that was changed in place, and none that was not': async (place) => {
    await using db = await Valkeyrie.open(place.path(), { valueTypes })
    await db.set(['box'], { box: new Box(1), price: new Money(1n, 'EUR') })
    const before = await db.get(['box'])
    await db.unitOfWork(async (unit) => {
      await unit.get(['box'])
    })
    expect(await db.get(['box'])).toStrictEqual(before)
    await db.unitOfWork(async (unit) => {
      const { value } = (await unit.get(['box'])) as { value: { box: Box } }
      value.box.content = { at: new Date(5) }
    })
    expect((await db.get(['box'])).value).toStrictEqual({
      box: new Box({ at: new Date(5) }),
      price: new Money(1n, 'EUR'),
    })
  },

  'a stored value whose type is missing is a CorruptValueError that names it': async (place) => {
    const path = place.path()
    if (path === undefined) return
    await using db = await Valkeyrie.open(path, { valueTypes })
    await db.set(['pen'], { price: new Money(1n, 'EUR') })
    await db.set(['other'], 1)
    await using without = await Valkeyrie.open(path)
    const error = await without.get(['pen']).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(CorruptValueError)
    expect(error).toMatchObject({ key: ['pen'], code: 'CORRUPT_VALUE' })
    expect(error.message).toContain("a value of type 'Money': add this value type to valueTypes of open")
    expect((await without.get(['other'])).value).toBe(1)
    await expect(without.set(['a'], new Money(1n, 'EUR'))).rejects.toThrow(/value is an instance of Money/)
  },

  'invalid value types, and those that clash, are refused': async (place) => {
    const same = { encode: (value: unknown) => value, decode: (data: unknown) => data }
    for (const bad of [
      {},
      null,
      { name: '', class: Money, ...same },
      { name: '\ud800', class: Money, ...same },
      { name: 'x'.repeat(101), class: Money, ...same },
      { name: 'Money', ...same },
      { name: 'Money', class: Money, is: () => true, ...same },
      { name: 'Money', class: 'Money', ...same },
      { name: 'Money', class: Date, ...same },
      { name: 'Money', class: Money, encode: same.encode },
      { name: 'Money', class: Money, ...same, decoder: 1 },
    ]) {
      expect(() => defineValueType(bad as never), JSON.stringify(bad)).toThrow(TypeError)
      await expect(Valkeyrie.open(place.path(), { valueTypes: [bad as never] })).rejects.toThrow(TypeError)
      expect(() => defineSchema(['a', '*'], z.any(), { valueTypes: [bad as never] })).toThrow(TypeError)
    }
    await expect(Valkeyrie.open(place.path(), { valueTypes: money as never })).rejects.toThrow(/an array/)
    for (const clash of [
      [money, { ...box, name: 'Money' }],
      [money, { ...money, name: 'Sum' }],
    ]) {
      await expect(Valkeyrie.open(place.path(), { valueTypes: clash })).rejects.toThrow(
        /Two value|the same class/,
      )
    }
    await using db = await Valkeyrie.open(place.path(), { valueTypes: [money, money] })
    expect(await db.get(['a'])).toMatchObject({ value: null })
  },

  'a value type that fails is an error with the place or the key, and writes nothing': async (place) => {
    let broken = false
    const fragile = defineValueType({
      name: 'Fragile',
      class: Box,
      encode: (value: Box) => {
        if (value.content === 'bad') throw new Error('no')
        return value.content
      },
      decode: (content) => {
        if (broken) throw new Error('no')
        return new Box(content)
      },
    })
    await using db = await Valkeyrie.open(place.path(), { valueTypes: [fragile] })
    await db.set(['a'], [new Box(1)])
    await expect(db.set(['a'], { b: new Box('bad') })).rejects.toThrow(/^value.b is a 'Fragile' that/)
    await expect(db.set(['a'], new Box(Promise.resolve(1)))).rejects.toThrow(/Promise: await it/)
    const self = new Box(null)
    self.content = [self]
    await expect(db.set(['a'], self)).rejects.toThrow(/contains itself/)
    broken = true
    await expect(db.get(['a'])).rejects.toThrow(CorruptValueError)
    broken = false
    expect((await db.get(['a'])).value).toStrictEqual([new Box(1)])
  },

  'undefined is a value, in every read': async (place) => {
    await using db = await Valkeyrie.withSchema(['maybe', '*'], z.string().optional()).open(place.path())
    const { maybe } = db.repositories
    const { versionstamp } = await db.set(['maybe', 'a'], undefined)
    const entry = { key: ['maybe', 'a'], value: undefined, versionstamp }
    expect(await db.get(['maybe', 'a'])).toStrictEqual(entry)
    expect(
      await db.getMany([
        ['maybe', 'a'],
        ['maybe', 'b'],
      ]),
    ).toMatchObject([entry, { value: null }])
    expect(await Array.fromAsync(db.list({ prefix: ['maybe'] }))).toStrictEqual([entry])
    expect(await maybe.exists('a')).toBe(true)
    expect(await maybe.findMany()).toMatchObject([entry])
    const reader = db.watch([['maybe', 'a']]).getReader()
    expect((await reader.read()).value).toStrictEqual([entry])
    await reader.cancel()
    await db.unitOfWork(async (unit) => {
      expect(await unit.get(['maybe', 'a'])).toMatchObject(entry)
      await unit.set(['maybe', 'c'], undefined)
      expect(await unit.repositories.maybe.exists('c')).toBe(true)
    })
    await db.atomic().set(['maybe', 'd'], undefined).commit()
    expect(await maybe.count()).toBe(3)
    await expect(maybe.insert('a', 'x')).rejects.toThrow()
  },

  'an API body with __proto__ is stored as a property, and changes no prototype at any step': async (
    place,
  ) => {
    const body = () =>
      JSON.parse('{"name":"x","__proto__":{"admin":true},"deep":[{"__proto__":{"admin":true}}]}')
    const safe = (value: unknown) => {
      expect(Object.hasOwn(value as object, '__proto__')).toBe(true)
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
      expect((value as { admin?: unknown }).admin).toBeUndefined()
      expect(({} as { admin?: unknown }).admin).toBeUndefined()
    }
    await using db = await Valkeyrie.withSchema(['any', '*'], z.any()).open(place.path())
    const { any } = db.repositories
    for (const value of [body(), Object.assign(body(), { at: new Date(0) })]) {
      await any.set('a', value)
      safe((await db.get(['any', 'a'])).value)
      await any.update('a', { name: 'y' })
      const { value: updated } = await any.get('a')
      safe(updated)
      expect(updated.name).toBe('y')
      await any.update('a', (old) => ({ ...old, name: 'z' }))
      await db.unitOfWork(async (unit) => {
        const entry = await unit.repositories.any.get('a')
        safe(entry.value)
        entry.value.name = 'in place'
      })
      const [found] = await any.findMany({ where: { name: 'in place' } })
      safe(found?.value)
      await any.updateMany({ where: {}, set: { name: 'many' } })
      safe((await any.get('a')).value)
    }
  },
}
