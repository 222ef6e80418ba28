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

  /** A change of a repository, with a value that it stores; `renames` are of its fields. */
  type Change = readonly [
    before: StandardSchemaV1,
    value: unknown,
    after: StandardSchemaV1,
    ...renames: readonly string[],
  ]

  /** One migration of all these changes, each of a repository of its own. */
  function upgradeAll(changes: readonly Change[]) {
    const rows = changes.map(([, value], n) => [[`r${n}`, 'ann'], value] as const)
    const renames = changes.flatMap(([, , , ...names], n) => names.map((name) => `r${n}.${name}`))
    return upgrade(
      changes.map(([before], n) => defineSchema([`r${n}`, '*'], before)),
      rows,
      changes.map(([, , after], n) => defineSchema([`r${n}`, '*'], after)),
      ...renames,
    )
  }

  /** What becomes of the values, which no program has to convert and the schemas accept. */
  async function valuesAfter(...changes: readonly Change[]): Promise<unknown[]> {
    const { generated, migrate, values, check } = await upgradeAll(changes)
    expect(generated?.steps ?? []).toEqual([])
    if (generated !== null) await migrate()
    expect((await check()).refused).toEqual([])
    const stored = await values()
    return changes.map((_, n) => stored[JSON.stringify([`r${n}`, 'ann'])])
  }

  async function expectSteps(...changes: readonly Change[]): Promise<void> {
    const { generated } = await upgradeAll(changes)
    const steps = changes.map((_, n) => `${generated!.tag}.r${n}.ts`)
    expect(generated!.steps.toSorted()).toEqual(steps.toSorted())
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

  it('a change of type that JSON alone does not show asks for a program', async () => {
    const date = new Date(0)
    await expectSteps(
      [o({ a: z.date() }), { a: date }, o({ a: z.string() })],
      [o({ a: z.iso.datetime() }), { a: date.toISOString() }, o({ a: z.date() })],
      [type({ a: 'bigint' }), { a: 5n }, type({ a: 'number.integer' })],
      // A field that objects were free to have.
      [
        z.looseObject({ a: z.string() }),
        { a: '', b: 5 },
        z.looseObject({ a: z.string(), b: z.string().optional() }),
      ],
      // The rest of an object.
      [o({ a: z.string() }).catchall(z.number()), { a: '', b: 5 }, o({ a: z.string() }).catchall(z.string())],
    )
  })

  describe('a schema that accepts all that the old one did leaves values alone', () => {
    it('such as a further member of a union, or a further field of the values of a record', async () => {
      const a = o({ type: z.literal('a'), at: z.date() })
      const b = o({ type: z.literal(['b', 'c']) })
      const d = o({ type: z.literal('d'), n: z.number() })
      const changes: Change[] = [
        [
          z.discriminatedUnion('type', [a, b]),
          { type: 'a', at: new Date(1) },
          z.discriminatedUnion('type', [a, b, d]),
        ],
        [
          o({ r: z.record(z.string(), o({ n: z.number() })) }),
          { r: { x: { n: 1 } } },
          o({ r: z.record(z.string(), o({ n: z.number(), m: z.string().optional() })) }),
        ],
        [o({ n: z.number() }), { n: 1 }, o({ n: z.number(), m: z.date().optional() }).readonly()],
      ]
      expect(await valuesAfter(...changes)).toEqual(changes.map(([, value]) => value))
    })

    it('but not of a union whose members a value may be two of', async () => {
      const either = (...members: [z.ZodType, z.ZodType, ...z.ZodType[]]) => z.xor(members)
      const one = o({ n: z.number() })
      const other = o({ s: z.string() })
      const third = o({ n: z.number(), s: z.string().optional() })
      await expectSteps([either(one, other), { n: 1 }, either(one, other, third)])
    })
  })

  describe('defaults', () => {
    const added = (b: z.ZodType): Change => [o({ a: z.string() }), { a: 'A' }, o({ a: z.string(), b })]

    it('are filled in, whatever JSON they are', async () => {
      const amiss = '\0"\'--> statement-breakpoint\n?1 :x $y'
      const defaults: (readonly [z.ZodType, unknown])[] = [
        // With all that SQL and Drizzle could take amiss.
        [z.string().default(amiss), amiss],
        [z.number().default(-1.5e300), -1.5e300],
        [z.boolean().default(true), true],
        [z.string().nullable().default(null), null],
        [z.array(z.number()).default([1, 2]), [1, 2]],
        [o({ k: z.array(z.string()) }).default({ k: ['\u2028'] }), { k: ['\u2028'] }],
        [z.union([z.string(), z.number()]).default(7), 7],
      ]
      expect(await valuesAfter(...defaults.map(([b]) => added(b)))).toEqual(
        defaults.map(([, b]) => ({ a: 'A', b })),
      )
    })

    it('that JSON does not have are for a program', async () => {
      const dated = o({ t: z.literal('x'), at: z.date() })
      await expectSteps(
        added(z.number().default(Number.NaN)),
        added(z.date().default(new Date(0))),
        added(z.bigint().default(5n)),
        added(
          z.discriminatedUnion('t', [dated, o({ t: z.literal('y') })]).default({ t: 'x', at: new Date(0) }),
        ),
      )
    })

    it('a field that is undefined is given its default, and what else was typed stays so', async () => {
      const before = o({ a: z.string(), b: z.string().optional(), c: z.date().optional() })
      const after = o({ a: z.string(), b: z.string().default('B'), c: z.date().optional() })
      const [dated, other] = await valuesAfter(
        [before, { a: 'A', b: undefined, c: new Date(7) }, after],
        [before, { a: 'A', b: undefined }, after],
      )
      expect(dated).toStrictEqual({ a: 'A', b: 'B', c: new Date(7) })
      expect(other).toStrictEqual({ a: 'A', b: 'B' })
    })

    it('a value that contains itself still does', async () => {
      const own: Record<string, unknown> = { n: 1 }
      own['self'] = own
      const schema = o({ n: z.number(), self: z.any() })
      const [after] = await valuesAfter([schema, own, schema.extend({ b: z.string().default('B') })])
      expect((after as typeof own)['self']).toBe(after)
      expect(after).toMatchObject({ b: 'B' })
    })

    it('are those of ArkType too', async () => {
      const after = type({ a: 'string', b: "string = 'B'" })
      expect(await valuesAfter([type({ a: 'string' }), { a: 'A' }, after])).toEqual([{ a: 'A', b: 'B' }])
    })
  })

  describe('renames', () => {
    it('of several fields at once: that change places, in a ring, in the place of one that goes', async () => {
      const renamed: (readonly [string, string, string[], Record<string, string>])[] = [
        ['ab', 'ab', ['a=b', 'b=a'], { a: 'B', b: 'A' }],
        ['abc', 'abc', ['a=b', 'b=c', 'c=a'], { a: 'C', b: 'A', c: 'B' }],
        ['ab', 'bc', ['a=b', 'b=c'], { b: 'A', c: 'B' }],
        ['abc', 'bc', ['a=b'], { b: 'A', c: 'C' }],
      ]
      const of = (names: string) => o(Object.fromEntries([...names].map((name) => [name, z.string()])))
      const changes = renamed.map(([before, after, renames]): Change => {
        const stored = Object.fromEntries([...before].map((name) => [name, name.toUpperCase()]))
        return [of(before), stored, of(after), ...renames]
      })
      expect(await valuesAfter(...changes)).toEqual(renamed.map(([, , , expected]) => expected))
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

    const of = (name: string) => o({ [name]: z.date(), keep: z.date() })
    const rowOf = (name: string) => ({ [name]: new Date(1), keep: new Date(2) })
    const renamed = ([from, to]: readonly [string, string]): Change => [
      of(from),
      rowOf(from),
      of(to),
      `${from}=${to}`,
    ]
    /** Names that no path in the SQL of SQLite can have. */
    const unnameable = [
      ['a\\b', 'x'],
      ['x', 'a\\b'],
      ['x', 'a"b'],
    ] as const

    it('of any name to any other', async () => {
      const names = [
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
        ...(engine.name === 'sqlite' ? [] : unnameable),
      ] as const
      expect(await valuesAfter(...names.map(renamed))).toEqual(names.map(([, to]) => rowOf(to)))
    })

    it('are for a program where no path in SQL can name them, or no file', async () => {
      const inFiles = ['a\nb', 'a\0b', '\ud800'].map((to) => ['x', to] as const)
      const names = [...(engine.name === 'sqlite' ? unnameable : []), ...inFiles]
      await expectSteps(...names.map(renamed))
    })

    it('of a value of an enumeration: to one that was there, of two to one, in one that may be null', async () => {
      const of = (...values: [string, ...string[]]) => o({ r: z.enum(values) })
      const nullable = (...values: [string, ...string[]]) => o({ r: z.enum(values).nullable() })
      const after = await valuesAfter(
        [of('a', 'b', 'c'), { r: 'c' }, of('a', 'b'), 'r:c=b'],
        [of('a', 'b', 'c'), { r: 'c' }, of('a', 'd'), 'r:b=d', 'r:c=d'],
        [of('a:b', 'x=y'), { r: 'x=y' }, of('a:b', 'z'), 'r:x=y=z'],
        [nullable('a'), { r: 'a' }, nullable('b'), 'r:a=b'],
        [nullable('a'), { r: null }, nullable('b'), 'r:a=b'],
      )
      expect(after).toEqual(['b', 'd', 'z', 'b', null].map((r) => ({ r })))
    })
  })
})
