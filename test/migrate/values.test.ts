import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type } from 'arktype'
import { defineSchema } from 'valkeyrie/schema'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { describeEnginesInTurn } from '../engines.ts'
import { upgradeOn } from './upgrade.ts'

describeEnginesInTurn('what becomes of values', 0, (engine) => {
  const upgrade = upgradeOn(engine)

  const users = (schema: StandardSchemaV1) => defineSchema(['users', '*'], schema)
  const key = ['users', 'ann'] as const
  const spelled = JSON.stringify(key)
  const { object: o } = z

  /** What becomes of one value, and whether the schemas accept it. */
  async function valueAfter(
    before: StandardSchemaV1,
    value: unknown,
    after: StandardSchemaV1,
    ...renames: string[]
  ) {
    const { generated, migrate, values, check } = await upgrade(
      [users(before)],
      [[key, value]],
      [users(after)],
      ...renames,
    )
    if (generated !== null && generated.steps.length > 0) return 'a step'
    if (generated !== null) await migrate()
    const { refused } = await check()
    return refused.length > 0 ? 'refused' : (await values())[spelled]
  }

  it('a value that stands for something else as a whole stays that', async () => {
    const before = o({ message: z.string() })
    const after = o({ message: z.string(), level: z.int().default(3) })
    const { migrate, values } = await upgrade(
      [users(before)],
      [[key, new Error('no', { cause: new Date(0) })]],
      [users(after)],
    )
    await migrate()
    const { [spelled]: migrated } = await values()
    expect(migrated).toBeInstanceOf(Error)
    expect(migrated).toMatchObject({ message: 'no', cause: new Date(0), level: 3 })
  })

  describe('a change of type that JSON alone does not show asks for a program', () => {
    const date = new Date(0)
    it.each<[string, StandardSchemaV1, unknown, StandardSchemaV1]>([
      ['a Date to a text', o({ a: z.date() }), { a: date }, o({ a: z.string() })],
      ['a text to a Date', o({ a: z.iso.datetime() }), { a: date.toISOString() }, o({ a: z.date() })],
      ['a bigint to an integer', type({ a: 'bigint' }), { a: 5n }, type({ a: 'number.integer' })],
      [
        'a field that objects were free to have',
        z.looseObject({ a: z.string() }),
        { a: '', b: 5 },
        z.looseObject({ a: z.string(), b: z.string().optional() }),
      ],
      [
        'the rest of an object',
        o({ a: z.string() }).catchall(z.number()),
        { a: '', b: 5 },
        o({ a: z.string() }).catchall(z.string()),
      ],
    ])('%s', async (_, before, value, after) => {
      expect(await valueAfter(before, value, after)).toBe('a step')
    })
  })

  describe('a schema that accepts all that the old one did leaves values alone', () => {
    const a = o({ type: z.literal('a'), at: z.date() })
    const b = o({ type: z.literal(['b', 'c']) })
    const d = o({ type: z.literal('d'), n: z.number() })
    const value = { type: 'a', at: new Date(1) }
    it.each<[string, StandardSchemaV1, unknown, StandardSchemaV1]>([
      [
        'a further member of a union',
        z.discriminatedUnion('type', [a, b]),
        value,
        z.discriminatedUnion('type', [a, b, d]),
      ],
      [
        'values of a record that may have more fields',
        o({ r: z.record(z.string(), o({ n: z.number() })) }),
        { r: { x: { n: 1 } } },
        o({ r: z.record(z.string(), o({ n: z.number(), m: z.string().optional() })) }),
      ],
      [
        'an object that is frozen',
        o({ n: z.number() }),
        { n: 1 },
        o({ n: z.number(), m: z.date().optional() }).readonly(),
      ],
    ])('%s', async (_, before, stored, after) => {
      expect(await valueAfter(before, stored, after)).toEqual(stored)
    })

    it('but not of a union whose members a value may be two of', async () => {
      const either = (...members: [z.ZodType, z.ZodType, ...z.ZodType[]]) => z.xor(members)
      const one = o({ n: z.number() })
      const other = o({ s: z.string() })
      const third = o({ n: z.number(), s: z.string().optional() })
      expect(await valueAfter(either(one, other), { n: 1 }, either(one, other, third))).toBe('a step')
    })
  })

  describe('defaults', () => {
    it.each<[string, StandardSchemaV1, unknown]>([
      [
        'text, with all that SQL and Drizzle could take amiss',
        z.string().default('\0"\'--> statement-breakpoint\n?1 :x $y'),
        '\0"\'--> statement-breakpoint\n?1 :x $y',
      ],
      ['a number', z.number().default(-1.5e300), -1.5e300],
      ['a boolean', z.boolean().default(true), true],
      ['null', z.string().nullable().default(null), null],
      ['an array', z.array(z.number()).default([1, 2]), [1, 2]],
      ['an object', o({ k: z.array(z.string()) }).default({ k: ['\u2028'] }), { k: ['\u2028'] }],
      ['a member of a union', z.union([z.string(), z.number()]).default(7), 7],
    ])('%s', async (_, b, value) => {
      const after = o({ a: z.string(), b: b as z.ZodType })
      expect(await valueAfter(o({ a: z.string() }), { a: 'A' }, after)).toEqual({ a: 'A', b: value })
    })

    it.each<[string, z.ZodType]>([
      ['a number that JSON does not have', z.number().default(Number.NaN)],
      ['a Date', z.date().default(new Date(0))],
      ['a bigint', z.bigint().default(5n)],
      [
        'a Date in a member of a union',
        z
          .discriminatedUnion('t', [o({ t: z.literal('x'), at: z.date() }), o({ t: z.literal('y') })])
          .default({ t: 'x', at: new Date(0) }),
      ],
    ])('%s is for a program', async (_, b) => {
      expect(await valueAfter(o({ a: z.string() }), { a: 'A' }, o({ a: z.string(), b }))).toBe('a step')
    })

    it('a field that is undefined is given its default, and what else was typed stays so', async () => {
      const before = o({ a: z.string(), b: z.string().optional(), c: z.date().optional() })
      const after = o({ a: z.string(), b: z.string().default('B'), c: z.date().optional() })
      const value = { a: 'A', b: undefined, c: new Date(7) }
      expect(await valueAfter(before, value, after)).toStrictEqual({ a: 'A', b: 'B', c: new Date(7) })
      expect(await valueAfter(before, { a: 'A', b: undefined }, after)).toStrictEqual({ a: 'A', b: 'B' })
    })

    it('a value that contains itself still does', async () => {
      const own: Record<string, unknown> = { n: 1 }
      own['self'] = own
      const schema = o({ n: z.number(), self: z.any() })
      const after = (await valueAfter(
        schema,
        own,
        schema.extend({ b: z.string().default('B') }),
      )) as typeof own
      expect(after['self']).toBe(after)
      expect(after['b']).toBe('B')
    })

    it('are those of ArkType too', async () => {
      expect(
        await valueAfter(type({ a: 'string' }), { a: 'A' }, type({ a: 'string', b: "string = 'B'" })),
      ).toEqual({ a: 'A', b: 'B' })
    })
  })

  describe('renames', () => {
    it.each<[string, string, string, string[], Record<string, string>]>([
      ['two fields that change places', 'ab', 'ab', ['a=b', 'b=a'], { a: 'B', b: 'A' }],
      ['three in a ring', 'abc', 'abc', ['a=b', 'b=c', 'c=a'], { a: 'C', b: 'A', c: 'B' }],
      ['one takes the place of another', 'ab', 'bc', ['a=b', 'b=c'], { b: 'A', c: 'B' }],
      ['one takes the place of one that goes', 'abc', 'bc', ['a=b'], { b: 'A', c: 'C' }],
    ])('%s', async (_, before, after, renames, expected) => {
      const of = (names: string) => o(Object.fromEntries([...names].map((name) => [name, z.string()])))
      const stored = Object.fromEntries([...before].map((name) => [name, name.toUpperCase()]))
      const given = renames.map((text) => `users.${text}`)
      expect(await valueAfter(of(before), stored, of(after), ...given)).toEqual(expected)
    })

    it('a row that has the new field already loses neither', async () => {
      const both = { a: 'A', b: new Date(0), at: new Date(1) }
      const { migrate, values } = await upgrade(
        [users(o({ a: z.string(), at: z.date() }))],
        [
          [key, both],
          [['users', 'bob'], { a: 'A', b: undefined, at: new Date(1) }],
        ],
        [users(o({ b: z.string(), at: z.date() }))],
        'users.a=b',
      )
      await migrate()
      expect(await values()).toEqual({ [spelled]: both, '["users","bob"]': { b: 'A', at: new Date(1) } })
    })

    it('may name the objects around a field, and the repository, as before or as now', async () => {
      const before = defineSchema(['users', '*'], o({ home: o({ town: z.string() }) }))
      const after = defineSchema(['users', '*'], o({ address: o({ city: z.string() }) }), { name: 'people' })
      for (const [repository, field, to] of [
        ['users', 'home', 'city'],
        ['people', 'address', 'address.city'],
        ['users', 'address', 'home.city'],
      ]) {
        const renames = ['users=people', 'users.home=address', `${repository}.${field}.town=${to}`]
        const { migrate, values } = await upgrade(
          [before],
          [[key, { home: { town: 'T' } }]],
          [after],
          ...renames,
        )
        await migrate()
        expect(await values()).toEqual({ [spelled]: { address: { city: 'T' } } })
      }
    })

    it.each([
      ["it's", 'x'],
      ['x', "it's"],
      ['a.b', 'c.d'],
      ['[0]', '$'],
      ['', 'x'],
      ['x', ''],
      ['--> statement-breakpoint', 'x'],
      ['x', '--> statement-breakpoint'],
      ['toString', 'valueOf'],
      ['\u2028', 'é😀'],
      ['?1', ':p'],
    ])('of %j to %j', async (from, to) => {
      const of = (name: string) => o({ [name]: z.date(), keep: z.date() })
      const after = await valueAfter(
        of(from),
        { [from]: new Date(1), keep: new Date(2) },
        of(to),
        `users.${from}=${to}`,
      )
      expect(after).toEqual({ [to]: new Date(1), keep: new Date(2) })
    })

    it.each([
      ['a\\b', 'x'],
      ['x', 'a\\b'],
      ['x', 'a"b'],
    ])('of %j to %j is for a program where no path in SQL can name it', async (from, to) => {
      const of = (name: string) => o({ [name]: z.date(), keep: z.date() })
      const value = { [from]: new Date(1), keep: new Date(2) }
      expect(await valueAfter(of(from), value, of(to), `users.${from}=${to}`)).toEqual(
        engine.name === 'sqlite' ? 'a step' : { [to]: new Date(1), keep: new Date(2) },
      )
    })

    it.each(['a\nb', 'a\0b', '\ud800'])(
      'of "x" to %j is for a program, since no file can hold it',
      async (to) => {
        const of = (name: string) => o({ [name]: z.string() })
        expect(await valueAfter(of('x'), { x: 'A' }, of(to), `users.x=${to}`)).toBe('a step')
      },
    )

    it('of a value of an enumeration: to one that was there, of two to one, in one that may be null', async () => {
      const of = (...values: [string, ...string[]]) => o({ r: z.enum(values) })
      expect(await valueAfter(of('a', 'b', 'c'), { r: 'c' }, of('a', 'b'), 'users.r:c=b')).toEqual({ r: 'b' })
      const two = ['users.r:b=d', 'users.r:c=d']
      expect(await valueAfter(of('a', 'b', 'c'), { r: 'c' }, of('a', 'd'), ...two)).toEqual({ r: 'd' })
      expect(await valueAfter(of('a:b', 'x=y'), { r: 'x=y' }, of('a:b', 'z'), 'users.r:x=y=z')).toEqual({
        r: 'z',
      })
      const nullable = (...values: [string, ...string[]]) => o({ r: z.enum(values).nullable() })
      expect(await valueAfter(nullable('a'), { r: 'a' }, nullable('b'), 'users.r:a=b')).toEqual({ r: 'b' })
      expect(await valueAfter(nullable('a'), { r: null }, nullable('b'), 'users.r:a=b')).toEqual({ r: null })
    })
  })
})
