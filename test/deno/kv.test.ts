import { inspect } from 'node:util'
import {
  AtomicOperation,
  BadResource,
  Kv,
  type KvEntry,
  type KvEntryMaybe,
  type KvKey,
  KvListIterator,
  KvU64,
  openKv,
} from 'valkeyrie/deno'
import { isKvU64 } from 'valkeyrie/KvU64'
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, onTestFinished } from 'vitest'
import { newAddress } from '../engine-of-project.ts'
import { sharedAddresses } from '../shared-addresses.ts'
import { stillClock } from '../still-clock.ts'
import { waitFor } from '../waiting.ts'

// What Deno's own tests of Deno.Kv ask (denoland/deno, tests/unit/kv_test.ts, MIT), by behaviour.

const path = sharedAddresses()
const zero = '00000000000000000000'
let kv: Kv

beforeEach(async () => {
  kv = await openKv(newAddress() ?? ':memory:')
})
afterEach(() => kv[Symbol.dispose]())

const values: readonly (readonly [name: string, value: unknown])[] = [
  ['string', 'hello'],
  ['number', 42],
  ['bigint', 42n],
  ['boolean', true],
  ['null', null],
  ['undefined', undefined],
  ['Date', new Date(0)],
  ['Uint8Array', new Uint8Array([1, 2, 3])],
  ['ArrayBuffer', new ArrayBuffer(3)],
  ['array', [1, 2, 3]],
  ['object', { a: 1, b: 2 }],
  [
    'nested array',
    [
      [1, 2],
      [3, 4],
    ],
  ],
  ['nested object', { a: { b: 1 } }],
]

const otherValues: readonly (readonly [name: string, value: unknown])[] = [
  ['BigInt64Array', new BigInt64Array([-1n])],
  ['part of a Float32Array', new Float32Array([1.5, 2]).subarray(1)],
  ['DataView', new DataView(new ArrayBuffer(4))],
  ['Map and Set', new Map([[{ a: 1 }, new Set([1n])]])],
  ['RegExp', /x/giu],
  ['Error', new RangeError('x')],
  ['-0 and NaN', [-0, Number.NaN, Number.NEGATIVE_INFINITY]],
  ['undefined in an object', { a: undefined, b: [undefined] }],
  ['sparse array', Object.assign(new Array(3), { 2: 3 })],
  ['Boolean object', Object(true)],
  ['BigInt object', Object(5n)],
  ['invalid Date', new Date(Number.NaN)],
  ['array with a property', Object.assign([1], { x: 2 })],
  ['lone surrogate', 'a\ud800'],
  ['own __proto__', JSON.parse('{"__proto__":1}')],
  [
    'bytes within',
    {
      a: new Uint8Array(9).subarray(3, 4),
      b: [new Uint8Array([1])],
      c: new DataView(new ArrayBuffer(8), 2, 3),
    },
  ],
]

describe('values', () => {
  it.each([...values, ...otherValues])('%s', async (_, value) => {
    const { ok, versionstamp } = await kv.set(['a'], value)
    expect(ok).toBe(true)
    expect(await kv.get(['a'])).toStrictEqual({ key: ['a'], value, versionstamp })
    const [listed] = await Array.fromAsync(kv.list({ prefix: [] }))
    expect(listed).toStrictEqual({ key: ['a'], value, versionstamp })
  })

  it('an object that contains itself', async () => {
    const value: { a: unknown } = { a: undefined }
    value.a = value
    await kv.set(['a'], value)
    const found = (await kv.get<{ a: unknown }>(['a'])).value!
    expect(found.a).toBe(found)
    await kv.set(['a'], [Object(1), value])
    const [, wrapped] = (await kv.get<[unknown, { a: unknown }]>(['a'])).value!
    expect(wrapped.a).toBe(wrapped)
  })

  it('an instance of a class is the object of its fields', async () => {
    class Point {
      x = 1
      toJSON = undefined
    }
    await kv.set(['a'], new Point())
    expect((await kv.get(['a'])).value).toStrictEqual({ x: 1, toJSON: undefined })
  })

  it('an Error keeps its stack', async () => {
    const error = new RangeError('x')
    await kv.set(['a'], [error])
    expect((await kv.get<[Error]>(['a'])).value![0].stack).toBe(error.stack)
  })

  it('what is changed after the call is not stored', async () => {
    const [object, bytes, key] = [{ a: 1 }, new Uint8Array([1]), ['a', 'b']]
    const operation = kv.atomic().set(key, object).set(['bytes'], bytes)
    object.a = 2
    bytes[0] = 2
    await operation.commit()
    expect((await kv.get(['a', 'b'])).value).toEqual({ a: 1 })
    expect((await kv.get(['bytes'])).value).toEqual(new Uint8Array([1]))
  })

  it.each([
    ['function', () => {}],
    ['symbol', Symbol('x')],
    ['WeakMap', new WeakMap()],
    ['WeakSet', new WeakSet()],
    ['SharedArrayBuffer', new SharedArrayBuffer(3)],
    ['function in an object', { f: () => {} }],
  ])('no %s', async (_, value) => {
    await expect(kv.set(['a'], value)).rejects.toThrow(/could not be cloned\.$/)
    expect((await kv.get(['a'])).value).toBeNull()
  })
})

it('a Buffer is the Uint8Array of its bytes', async () => {
  const bytes = new Uint8Array([97, 98, 99])
  await kv.set(['a'], Buffer.from('abc'))
  expect((await kv.get(['a'])).value).toStrictEqual(bytes)
  await kv.set(['a'], [Object(1), Buffer.from('abc')])
  expect((await kv.get(['a'])).value).toStrictEqual([Object(1), bytes])
})

it('a module of WebAssembly is not stored', async () => {
  const { WebAssembly } = globalThis as never as {
    WebAssembly: { Module: new (bytes: Uint8Array) => object }
  }
  const module = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]))
  await expect(kv.set(['a'], module)).rejects.toThrow(Error)
  expect((await kv.get(['a'])).value).toBeNull()
})

describe('keys', () => {
  it.each<{ key: KvKey }>(
    [
      ['a'],
      ['a', 'b'],
      ['a', 'b', 'c'],
      [1],
      ['a', 1],
      ['a', 1, 'b'],
      [1n],
      ['a', 1n],
      ['a', 1n, 'b'],
      [true],
      ['a', true],
      ['a', true, 'b'],
      [new Uint8Array([1, 2, 3])],
      ['a', new Uint8Array([1, 2, 3])],
      ['a', new Uint8Array([1, 2, 3]), 'b'],
      [1, 1n, true, new Uint8Array([1, 2, 3]), 'a'],
      ['', 0n, -1n, 2n ** 80n, -1.5, false],
    ].map((key) => ({ key })),
  )('$key', async ({ key }) => {
    await kv.set(key, 'b')
    expect(await kv.get(key)).toMatchObject({ key, value: 'b' })
  })

  it.each(
    [[null], [undefined], [], [{}], [new Date()], [new ArrayBuffer(3)], [['a', 'b']]].map((key) => ({ key })),
  )('not $key', async ({ key }) => {
    await expect(kv.set(key as never, 'b')).rejects.toThrow(TypeError)
  })

  it('must be arrays', async () => {
    const key = 'a' as never
    await expect(kv.get(key)).rejects.toThrow(TypeError)
    await expect(kv.getMany([key])).rejects.toThrow(TypeError)
    await expect(kv.set(key, 1)).rejects.toThrow(TypeError)
    await expect(kv.delete(key)).rejects.toThrow(TypeError)
    await expect(kv.atomic().mutate({ key, type: 'set', value: 1 }).commit()).rejects.toThrow(TypeError)
    await expect(kv.atomic().check({ key, versionstamp: null }).set(['a'], 1).commit()).rejects.toThrow(
      TypeError,
    )
  })

  it('are ordered by the types of their parts', async () => {
    const keys = [[new Uint8Array(1)], ['a'], [1n], [3.14], [false], [true]]
    const operation = kv.atomic()
    for (const key of keys.toReversed()) operation.set(key, 0)
    await operation.commit()
    expect(await Array.fromAsync(kv.list({ prefix: [] }), ({ key }) => key)).toEqual(keys)
  })
})

it('reads, writes and deletes, with versionstamps that grow', async () => {
  expect(await kv.get(['a'])).toStrictEqual({ key: ['a'], value: null, versionstamp: null })
  const first = await kv.set(['a'], 'b')
  expect(first.versionstamp > zero).toBe(true)
  expect(await kv.get(['a'])).toStrictEqual({ key: ['a'], value: 'b', versionstamp: first.versionstamp })
  const second = await kv.set(['a'], 'c')
  expect(second.versionstamp > first.versionstamp).toBe(true)
  expect(await kv.delete(['a'])).toBeUndefined()
  expect(await kv.get(['a'])).toStrictEqual({ key: ['a'], value: null, versionstamp: null })
})

describe('atomic operations', () => {
  it('commit if the checks hold', async () => {
    const { versionstamp } = await kv.set(['t'], '1')
    const entry = await kv.get(['t'])
    const committed = await kv
      .atomic()
      .check({ key: ['t'], versionstamp })
      .set(entry.key, '2')
      .commit()
    expect(committed).toMatchObject({ ok: true })
    expect(await kv.atomic().check(entry).set(['t'], '3').commit()).toStrictEqual({ ok: false })
    expect((await kv.get(['t'])).value).toBe('2')
  })

  it('commit once if there is no value', async () => {
    const create = () =>
      kv
        .atomic()
        .check({ key: ['t'], versionstamp: null })
        .set(['t'], '1')
        .commit()
    expect((await create()).ok).toBe(true)
    expect((await create()).ok).toBe(false)
  })

  it('commit all or nothing', async () => {
    await kv.set(['t1'], '1')
    await kv.set(['t2'], '2')
    const [one, two] = await kv.getMany([['t1'], ['t2']])
    const committed = await kv.atomic().check(one).check(two).set(['t1'], '3').set(['t2'], '4').commit()
    expect(committed.ok).toBe(true)
    const [three] = await kv.getMany([['t1']])
    const failed = await kv
      .atomic()
      .check(three, { key: ['t2'], versionstamp: null })
      .set(['t1'], '5')
      .set(['t2'], '6')
      .commit()
    expect(failed.ok).toBe(false)
    expect((await kv.getMany([['t1'], ['t2']])).map(({ value }) => value)).toEqual(['3', '4'])
  })

  it('apply mutations in order', async () => {
    await kv.set(['a'], '1')
    await kv.atomic().set(['a'], '2').delete(['a']).commit()
    expect((await kv.get(['a'])).value).toBeNull()
    await kv.atomic().delete(['a']).set(['a'], '2').commit()
    expect((await kv.get(['a'])).value).toBe('2')
  })

  it('take mutations as data', async () => {
    await kv
      .atomic()
      .mutate({ key: ['a'], type: 'set', value: '1' })
      .commit()
    await kv
      .atomic()
      .mutate({ key: ['a'], type: 'set', value: '2' })
      .commit()
    expect((await kv.get(['a'])).value).toBe('2')
    await kv
      .atomic()
      .mutate({ key: ['a'], type: 'delete' }, { key: ['none'], type: 'delete' })
      .commit()
    expect((await kv.get(['a'])).value).toBeNull()
  })

  it.each([
    ['sum', 42n, 1n, 43n],
    ['sum', null, 1n, 1n],
    ['sum', 2n ** 64n - 1n, 10n, 9n],
    ['min', 42n, 1n, 1n],
    ['min', 1n, 2n, 1n],
    ['min', null, 1n, 1n],
    ['max', 42n, 41n, 42n],
    ['max', 42n, 43n, 43n],
    ['max', null, 1n, 1n],
  ] as const)('%s of %s and %s is %s', async (type, before, operand, after) => {
    for (const run of [
      () => kv.atomic()[type](['t'], operand).commit(),
      () =>
        kv
          .atomic()
          .mutate({ key: ['t'], type, value: new KvU64(operand) })
          .commit(),
    ]) {
      if (before === null) await kv.delete(['t'])
      else await kv.set(['t'], new KvU64(before))
      expect((await run()).ok).toBe(true)
      expect((await kv.get(['t'])).value).toStrictEqual(new KvU64(after))
    }
  })

  it.each(['sum', 'min', 'max'] as const)('%s works on a KvU64 only', async (type) => {
    await kv.set(['a'], 1)
    const wrong = kv
      .atomic()
      .mutate({ key: ['a'], type, value: new KvU64(1n) })
      .commit()
    await expect(wrong).rejects.toThrow(
      new TypeError(`Failed to perform '${type}' mutation on a non-U64 value in the database`),
    )
    await kv.set(['a'], new KvU64(1n))
    const noU64 = `Failed to perform '${type}' mutation on a non-U64 operand`
    const refused: [unknown, string][] = [
      [1, type === 'sum' ? 'Cannot sum KvU64 with Number' : noU64],
      ['1', noU64],
    ]
    for (const [value, message] of refused) {
      const operand = kv
        .atomic()
        .mutate({ key: ['a'], type, value: value as never })
        .commit()
      await expect(operand).rejects.toThrow(new TypeError(message))
    }
    expect(() => kv.atomic()[type](['a'], 1 as never)).toThrow('Value must be a bigint: received number')
  })

  it('refuse an invalid versionstamp, and do not hold for one of another database', async () => {
    for (const versionstamp of ['', 'xx'.repeat(10), 'aa'.repeat(11)]) {
      await expect(
        kv
          .atomic()
          .check({ key: ['a'], versionstamp })
          .commit(),
      ).rejects.toThrow(TypeError)
    }
    await kv.set(['a'], 1)
    expect(
      await kv
        .atomic()
        .check({ key: ['a'], versionstamp: 'aa'.repeat(10) })
        .commit(),
    ).toEqual({ ok: false })
  })

  it.each([
    [{ type: 'set' }, "Invalid mutation 'set' without value"],
    [{ type: 'sum' }, "Invalid mutation 'sum' without value"],
    [{ type: 'delete', value: '123' }, "Invalid mutation 'delete' with value"],
    [{ type: 'foobar' }, 'Invalid mutation type'],
    [{ type: 'foobar', value: '123' }, 'Invalid mutation type'],
  ])('refuse %j', (mutation, message) => {
    expect(() => kv.atomic().mutate({ key: ['a'], ...mutation } as never)).toThrow(new TypeError(message))
  })

  it('are no promises', async () => {
    const operation = kv.atomic()
    expect(operation).toBeInstanceOf(AtomicOperation)
    await expect(async () => await (operation as never as Promise<void>)).rejects.toThrow(
      "'Deno.AtomicOperation' is not a promise: did you forget to call 'commit()'",
    )
  })

  it('show what they do', () => {
    expect(inspect(kv.atomic())).toBe('AtomicOperation (empty)')
    const operation = kv
      .atomic()
      .check({ key: ['a'], versionstamp: null })
      .set(['a'], { b: 1 }, { expireIn: 5 })
      .sum(['n'], 1n)
      .delete(['c', 1])
      .enqueue('hello', { delay: 5 })
      .enqueue('now')
    expect(inspect(operation)).toBe(
      [
        'AtomicOperation',
        "  check({ key: [ 'a' ], versionstamp: null })",
        "  set([ 'a' ], { b: 1 }, { expireIn: 5 })",
        "  sum([ 'n' ], [Deno.KvU64: 1n])",
        "  delete([ 'c', 1 ])",
        "  enqueue('hello', { delay: 5 })",
        "  enqueue('now')",
      ].join('\n'),
    )
  })
})

describe('KvU64', () => {
  it('is equal by its value, and is a KvU64 of the package', () => {
    expect(new KvU64(1n)).toStrictEqual(new KvU64(1n))
    expect(new KvU64(1n)).not.toEqual(new KvU64(2n))
    expect(isKvU64(new KvU64(1n))).toBe(true)
  })

  it('holds 64 bits', () => {
    expect(() => new KvU64(2n ** 64n)).toThrow(new RangeError('Value must fit in a 64-bit unsigned integer'))
    expect(() => new KvU64(-1n)).toThrow(new RangeError('Value must be a positive bigint: received -1'))
    expect(() => new KvU64(1 as never)).toThrow(new TypeError('Value must be a bigint: received number'))
  })

  it('within a value, and as a message, is the object that its clone is', async () => {
    const clone = { value: 1n }
    expect(structuredClone(new KvU64(1n))).toStrictEqual(clone)
    await kv.set(['a'], { type: 'write', value: new KvU64(1n) })
    expect((await kv.get(['a'])).value).toStrictEqual({ type: 'write', value: clone })
    const message = new Promise((resolve) => void kv.listenQueue(resolve))
    await kv.enqueue(new KvU64(1n))
    expect(await waitFor('the message', message)).toStrictEqual(clone)
  })

  it('is its value to operators, text and console.log', () => {
    const one = new KvU64(1n)
    expect([one.value, one.valueOf(), (one as unknown as bigint) + 1n, String(one)]).toEqual([
      1n,
      1n,
      2n,
      '1',
    ])
    expect(inspect(one)).toBe('[Deno.KvU64: 1n]')
    expect(Object.prototype.toString.call(one)).toBe('[object Deno.KvU64]')
    expect(Object.isFrozen(one)).toBe(true)
  })
})

it('getMany gives entries in the order of the keys', async () => {
  const { versionstamp } = await kv.set(['b', 'a'], 100)
  expect(await kv.getMany([['b', 'a'], ['c'], ['b', 'a']])).toStrictEqual([
    { key: ['b', 'a'], value: 100, versionstamp },
    { key: ['c'], value: null, versionstamp: null },
    { key: ['b', 'a'], value: 100, versionstamp },
  ])
  expect(await kv.getMany([])).toEqual([])
})

describe('lists', () => {
  let versionstamp: string
  beforeEach(async () => {
    const committed = await kv
      .atomic()
      .set(['a'], -1)
      .set(['a', 'a'], 0)
      .set(['a', 'b'], 1)
      .set(['a', 'c'], 2)
      .set(['a', 'd'], 3)
      .set(['a', 'e'], 4)
      .set(['b'], 99)
      .set(['b', 'a'], 100)
      .commit()
    versionstamp = (committed as { versionstamp: string }).versionstamp
  })

  const range = { start: ['a', 'a'], end: ['a', 'z'] }
  it.each([
    [{ prefix: ['a'] }, {}, [0, 1, 2, 3, 4]],
    [{ prefix: ['c'] }, {}, []],
    [{ prefix: ['a', 'f'] }, {}, []],
    [{ prefix: [] }, {}, [-1, 0, 1, 2, 3, 4, 99, 100]],
    [{ prefix: ['a'], start: ['a', 'c'] }, {}, [2, 3, 4]],
    [{ prefix: ['a'], start: ['a', 'f'] }, {}, []],
    [{ prefix: ['a'], end: ['a', 'c'] }, {}, [0, 1]],
    [{ prefix: ['a'], end: ['a', 'a'] }, {}, []],
    [{ prefix: ['a'] }, { reverse: true }, [4, 3, 2, 1, 0]],
    [{ prefix: ['a'], start: ['a', 'c'] }, { reverse: true }, [4, 3, 2]],
    [{ prefix: ['a'], start: ['a', 'f'] }, { reverse: true }, []],
    [{ prefix: ['a'], end: ['a', 'c'] }, { reverse: true }, [1, 0]],
    [{ prefix: ['a'], end: ['a', 'a'] }, { reverse: true }, []],
    [{ prefix: ['a'] }, { limit: 2 }, [0, 1]],
    [{ prefix: ['a'] }, { limit: 2, reverse: true }, [4, 3]],
    [{ prefix: ['a'] }, { batchSize: 2 }, [0, 1, 2, 3, 4]],
    [{ prefix: ['a'] }, { batchSize: 2, reverse: true }, [4, 3, 2, 1, 0]],
    [{ prefix: ['a'] }, { batchSize: 2, limit: 3 }, [0, 1, 2]],
    [{ prefix: ['a'] }, { batchSize: 2, limit: 3, reverse: true }, [4, 3, 2]],
    [range, {}, [0, 1, 2, 3, 4]],
    [range, { reverse: true }, [4, 3, 2, 1, 0]],
    [range, { limit: 3 }, [0, 1, 2]],
    [range, { limit: 3, reverse: true }, [4, 3, 2]],
    [{ start: ['a'], end: ['a', 'd'] }, {}, [-1, 0, 1, 2]],
    [{ start: ['a', 'b'], end: ['a', 'd'] }, {}, [1, 2]],
    [{ start: ['a'], end: ['a'] }, {}, []],
    [{ prefix: ['a'] }, { limit: 1001 }, [0, 1, 2, 3, 4]],
    [{ prefix: ['a'] }, { batchSize: 1000 }, [0, 1, 2, 3, 4]],
  ])('%j with %j: %j', async (selector, options, expected) => {
    const entries = await Array.fromAsync(kv.list(selector, options))
    expect(entries.map(({ value }) => value)).toEqual(expected)
    for (const entry of entries) expect(entry.versionstamp).toBe(versionstamp)
  })

  it.each([
    [{ prefix: ['a'], start: ['a'] }, 'Start key is not in the keyspace defined by prefix'],
    [{ prefix: ['b'], start: ['a'] }, 'Start key is not in the keyspace defined by prefix'],
    [{ prefix: ['a'], end: ['a'] }, 'End key is not in the keyspace defined by prefix'],
    [{ prefix: ['a'], end: ['b'] }, 'End key is not in the keyspace defined by prefix'],
    [{ start: ['b'], end: ['a'] }, 'Start key is greater than end key'],
    [
      { prefix: ['a'], start: ['a', 'b'], end: ['a', 'c'] },
      "Selector can not specify both 'start' and 'end' key when specifying 'prefix'",
    ],
    [{ start: ['a', 'b'] }, "Selector must specify either 'prefix' or both 'start' and 'end' key"],
    [{ end: ['a', 'b'] }, "Selector must specify either 'prefix' or both 'start' and 'end' key"],
  ])('%j is refused: %s', async (selector, message) => {
    const list = async () => Array.fromAsync(kv.list(selector as never))
    await expect(list()).rejects.toThrow(new TypeError(message))
  })

  it.each([
    [{ limit: 0 }, 'Limit must be a positive integer: received 0'],
    [{ limit: 1.5 }, 'Limit must be a positive integer: received 1.5'],
    [{ batchSize: 0 }, 'batchSize must be a positive integer: received 0'],
  ])('%j is refused: %s', (options, message) => {
    expect(() => kv.list({ prefix: [] }, options)).toThrow(message)
  })

  it.each(['bogus', '', null, 5])('%j is no consistency', (consistency) => {
    const options = { consistency: consistency as never }
    expect(() => kv.list({ prefix: [] }, options)).toThrow(new TypeError(`Bad 'consistency': ${consistency}`))
  })

  it.each(['strong', 'eventual', undefined] as const)('%j is a consistency', async (consistency) => {
    const list = kv.list({ prefix: ['b'] }, { consistency: consistency! })
    expect(await Array.fromAsync(list, ({ value }) => value)).toEqual([100])
  })

  it.each([
    [{ prefix: ['a'] }, false, 'AmIA', [0, 1], [2, 3, 4]],
    [{ prefix: ['a'] }, true, 'AmQA', [4, 3], [2, 1, 0]],
    [{ start: ['a', 'b'], end: ['a', 'z'] }, false, 'YwA=', [1, 2], [3, 4]],
    [{ start: ['a', 'b'], end: ['a', 'z'] }, true, 'ZAA=', [4, 3], [2, 1]],
  ])(
    '%j continues after a cursor of Deno (reverse: %s): %s',
    async (selector, reverse, expected, first, rest) => {
      const list = kv.list(selector, { limit: 2, reverse })
      expect(() => list.cursor).toThrow('Cannot get cursor before first iteration')
      expect((await Array.fromAsync(list)).map(({ value }) => value)).toEqual(first)
      const { cursor } = list
      expect(cursor).toBe(expected)
      const next = kv.list(selector, { cursor, reverse })
      expect(next.cursor).toBe(cursor)
      expect((await Array.fromAsync(next)).map(({ value }) => value)).toEqual(rest)
      expect(next.cursor).toBe('')
    },
  )

  it.each(['!', 'A', 7, 'AmIA='])('%s is not a cursor', async (cursor) => {
    const list = async () =>
      Array.fromAsync(kv.list({ prefix: ['a'], start: ['a', 'b'] }, { cursor: cursor as never }))
    await expect(list()).rejects.toThrow(TypeError)
  })

  it('calls of next that overlap are answered in order', async () => {
    const list = kv.list({ prefix: ['a'] }, { batchSize: 2 })
    expect(list).toBeInstanceOf(KvListIterator)
    const results = await Promise.all(Array.from({ length: 7 }, () => list.next()))
    expect(results.map(({ value }) => value?.value)).toEqual([0, 1, 2, 3, 4, undefined, undefined])
  })

  it('shows no message of the queue', async () => {
    await kv.enqueue('message', { delay: 1_000_000 })
    await kv.set(['valkeyrie', 'queue'], 'own')
    await kv.set(['valkeyrie', 'quite'], 'own')
    for (const reverse of [false, true]) {
      const found = await Array.fromAsync(
        kv.list({ prefix: ['valkeyrie'] }, { reverse }),
        ({ key }) => key[1],
      )
      expect(found).toEqual(reverse ? ['quite', 'queue'] : ['queue', 'quite'])
    }
    expect(await Array.fromAsync(kv.list({ prefix: ['valkeyrie', 'queue'] }))).toEqual([])
  })
})

describe('limits', () => {
  it('2,048 bytes of a key', async () => {
    const longest = [new Uint8Array(2046).fill(1)]
    const longer = [new Uint8Array(2047).fill(1)]
    await kv.set(longest, 1)
    expect((await kv.get(longest)).value).toBe(1)
    await expect(kv.set(longer, 1)).rejects.toThrow(new TypeError('Key too large for write (max 2048 bytes)'))
    await expect(kv.delete(longer)).rejects.toThrow('Key too large for write')
    await expect(kv.get(longer)).rejects.toThrow(new TypeError('Key too large for read (max 2049 bytes)'))
  })

  it('64 KiB of a value', async () => {
    await kv.set(['a'], new Uint8Array(65_536))
    expect((await kv.get(['a'])).value).toEqual(new Uint8Array(65_536))
    const message = new TypeError('Value too large (max 65536 bytes)')
    await expect(kv.set(['b'], new Uint8Array(65_537))).rejects.toThrow(message)
    await expect(kv.set(['b'], 'x'.repeat(65_536))).rejects.toThrow(message)
    await expect(kv.enqueue('x'.repeat(65_536))).rejects.toThrow(
      'enqueue payload too large (max 65536 bytes)',
    )
  })

  it('10 keys of getMany and of watch, 1,000 entries of a batch', async () => {
    const keys: KvKey[] = Array.from({ length: 11 }, (_, i) => ['a', i])
    expect(await kv.getMany(keys.slice(1))).toHaveLength(10)
    await expect(kv.getMany(keys)).rejects.toThrow(new TypeError('Too many ranges (max 10)'))
    expect(() => kv.watch(keys)).toThrow(new TypeError('Too many keys (max 10)'))
    const list = Array.fromAsync(kv.list({ prefix: ['a'] }, { batchSize: 1001 }))
    await expect(list).rejects.toThrow(new TypeError('Too many entries (max 1000)'))
  })

  it('100 checks and 1,000 mutations', async () => {
    const checks = (n: number) => Array.from({ length: n }, (_, i) => ({ key: ['a', i], versionstamp: null }))
    const sets = (n: number) =>
      Array.from({ length: n }, (_, i) => ({ key: ['a', i], type: 'set' as const, value: 1 }))
    expect(
      (
        await kv
          .atomic()
          .check(...checks(100))
          .mutate(...sets(1_000))
          .commit()
      ).ok,
    ).toBe(true)
    const tooMany = kv
      .atomic()
      .check(...checks(101))
      .mutate(...sets(1))
      .commit()
    await expect(tooMany).rejects.toThrow(new TypeError('Too many checks (max 100)'))
    await expect(
      kv
        .atomic()
        .mutate(...sets(1_001))
        .commit(),
    ).rejects.toThrow(new TypeError('Too many mutations (max 1000)'))
    await expect(
      kv
        .atomic()
        .mutate(...sets(1_000))
        .enqueue(1)
        .commit(),
    ).rejects.toThrow('Too many mutations')
  })

  it('800 KiB of a commit, and 80 KiB of its keys', async () => {
    const large = kv.atomic()
    for (let i = 0; i < 1_000; i += 1) large.set(['a', i], 'a'.repeat(3_000))
    await expect(large.commit()).rejects.toThrow(
      new TypeError('Total mutation size too large (max 819200 bytes)'),
    )
    const long = kv.atomic()
    for (let i = 0; i < 80; i += 1) long.set(['a'.repeat(1_100)], 'foo')
    await expect(long.commit()).rejects.toThrow(new TypeError('Total key size too large (max 81920 bytes)'))
  })
})

it('the versionstamp of the commit is a part of a key', async () => {
  const first = await kv.set(['a', kv.commitVersionstamp()], 'b')
  const second = await kv
    .atomic()
    .set(['a', kv.commitVersionstamp()], 'c')
    .set(['b', 1, kv.commitVersionstamp()], 'd')
    .commit()
  const stamp = (second as { versionstamp: string }).versionstamp
  expect(await Array.fromAsync(kv.list({ prefix: [] }))).toEqual([
    { key: ['a', first.versionstamp], value: 'b', versionstamp: first.versionstamp },
    { key: ['a', stamp], value: 'c', versionstamp: stamp },
    { key: ['b', 1, stamp], value: 'd', versionstamp: stamp },
  ])
  const message = 'expected string, number, bigint, ArrayBufferView, boolean'
  await expect(kv.set(['a', kv.commitVersionstamp(), 'a'], 'x')).rejects.toThrow(new TypeError(message))
  await expect(kv.get(['a', kv.commitVersionstamp()])).rejects.toThrow(message)
})

it('versionstamps of commits that are made at once are those of their keys, watched too', async () => {
  const file = path('stamped.db')
  using one = await openKv(file)
  using two = await openKv(file)
  const commits = await Promise.all(
    Array.from({ length: 50 }, (_, i) => [one, two][i % 2]!.set(['log', one.commitVersionstamp()], i)),
  )
  const logged = await Array.fromAsync(one.list<number>({ prefix: ['log'] }))
  expect(logged).toHaveLength(50)
  for (const { key, value, versionstamp } of logged) {
    expect(key[1]).toBe(versionstamp)
    expect(versionstamp).toBe(commits[value]!.versionstamp)
  }
})

it('takes the bytes of any view in a key', async () => {
  const { buffer } = new Uint8Array([1, 2, 3, 4, 5, 6])
  const bytes = new Uint8Array([3, 4, 5, 6])
  const views = [new Uint16Array(buffer, 2), new DataView(buffer, 2)] as unknown as Uint8Array[]
  for (const view of views) await kv.set(['view', view], view.byteLength)
  for (const part of [...views, bytes]) expect((await kv.get(['view', part])).value).toBe(4)
  expect(await Array.fromAsync(kv.list({ prefix: ['view'] }), ({ key }) => key)).toEqual([['view', bytes]])
  await expect(kv.get([new ArrayBuffer(1)] as never)).rejects.toThrow(
    new TypeError('expected string, number, bigint, ArrayBufferView, boolean'),
  )
})

describe('expiry', () => {
  it('removes a value, and starts again with each set', async () => {
    const clock = stillClock()
    await kv.set(['a'], 1, { expireIn: 1_000 })
    await kv.atomic().set(['b'], 2, { expireIn: 1_000 }).commit()
    await kv
      .atomic()
      .mutate({ type: 'set', key: ['c'], value: 3, expireIn: 1_000 })
      .commit()
    await kv.set(['b'], 2, { expireIn: 3_600_000 })
    expect((await kv.getMany([['a'], ['b'], ['c']])).map(({ value }) => value)).toEqual([1, 2, 3])
    clock.advance(2_000)
    expect((await kv.getMany([['a'], ['b'], ['c']])).map(({ value }) => value)).toEqual([null, 2, null])
  })

  it('may come at once', async () => {
    await kv.set(['a'], 1, { expireIn: 0 })
    expect((await kv.get(['a'])).value).toBeNull()
  })

  it.each([1.5, -5, Number.NaN, Number.POSITIVE_INFINITY, '5', null])('is not %s', async (expireIn) => {
    const message = `expireIn must be a non-negative integer: received ${expireIn}`
    expect(() => kv.atomic().set(['a'], 1, { expireIn } as never)).toThrow(new TypeError(message))
    await expect(kv.set(['a'], 1, { expireIn } as never)).rejects.toThrow(new TypeError(message))
    expect((await kv.get(['a'])).value).toBeNull()
  })

  it('is no later than a Date can be', async () => {
    await expect(kv.set(['a'], 1, { expireIn: 2 ** 60 })).rejects.toThrow(
      new TypeError('Invalid mutation: expireIn is too large: 1152921504606846976'),
    )
  })
})

describe('watch', () => {
  it('of no keys ends', async () => {
    expect(await Array.fromAsync(kv.watch([]))).toEqual([])
  })

  it('gives the state now, and after each change', async () => {
    const reader = kv.watch<[number, unknown]>([['key'], ['other']]).getReader()
    const next = async () => (await waitFor('a state', reader.read())).value
    const missing = (name: string) => ({ key: [name], value: null, versionstamp: null })
    expect(await next()).toEqual([missing('key'), missing('other')])
    const { versionstamp } = await kv.set(['key'], 1)
    expect(await next()).toStrictEqual([{ key: ['key'], value: 1, versionstamp }, missing('other')])
    await kv.set(['other'], new KvU64(1n))
    expect((await next())?.[1]?.value).toStrictEqual(new KvU64(1n))
    await reader.cancel()
  })

  it('ends when the database is closed', async () => {
    const ended = Array.fromAsync(kv.watch([['a']]))
    kv.close()
    await waitFor('the end', ended)
  })
})

describe('opening and closing', () => {
  it.each([
    ['', 'Filename cannot be empty'],
    [':foo', "Filename cannot start with ':' unless prefixed with './'"],
    ['https://example.com/kv', 'openKv opens files'],
  ])('%j is not a path', async (name, message) => {
    await expect(openKv(name)).rejects.toThrow(TypeError)
    await expect(openKv(name)).rejects.toThrow(message)
  })

  it('only openKv makes a Kv', () => {
    expect(() => new Kv()).toThrow('Deno.Kv can not be constructed: use Deno.openKv instead')
  })

  it('using closes a Kv, and a closed one is a bad resource', async () => {
    let kept: Kv
    {
      using own = await openKv(newAddress() ?? ':memory:')
      kept = own
      expect((await own.get(['a'])).versionstamp).toBeNull()
    }
    for (const call of [
      () => kept.get(['a']),
      () => kept.getMany([['a']]),
      () => kept.set(['a'], 1),
      () => kept.delete(['a']),
      () => kept.atomic().set(['a'], 1).commit(),
      () => kept.enqueue(1),
      () => Array.fromAsync(kept.list({ prefix: [] })),
      async () => kept.watch([['a']]),
      async () => kept.close(),
    ])
      await expect(call()).rejects.toThrow(BadResource)
    await expect(kept.listenQueue(() => {})).rejects.toThrow('Queue already closed')
    kept[Symbol.dispose]()
  })

  it('several open one file at once, and none of their sums is lost', async () => {
    const file = path('racy.db')
    const opened = await Promise.all(Array.from({ length: 10 }, () => openKv(file)))
    onTestFinished(() => {
      for (const each of opened) each.close()
    })
    for (let i = 0; i < 5; i += 1) {
      await Promise.all(opened.map((each) => each.atomic().sum(['counter'], 1n).commit()))
    }
    expect((await opened[0]!.get<KvU64>(['counter'])).value?.value).toBe(50n)
  })

  it('what is stored is there when the file is opened again', async () => {
    const file = path('again.db')
    const first = await openKv(file)
    await first.set(['a'], [Object(1)])
    first.close()
    using second = await openKv(file)
    expect((await second.get(['a'])).value).toEqual([Object(1)])
  })
})

describe('the queue', () => {
  /** Listens until the test is over; each call of what it gives waits for the next message. */
  function listen(of: Kv, handle: (message: unknown) => void = () => {}) {
    const messages: unknown[] = []
    const waiting: ((message: unknown) => void)[] = []
    const listener = of.listenQueue((message) => {
      const next = waiting.shift()
      if (next) next(message)
      else messages.push(message)
      return handle(message)
    })
    onTestFinished(async () => {
      of[Symbol.dispose]()
      await waitFor('the end of the listener', listener)
    })
    return () =>
      waitFor(
        'a message',
        messages.length > 0
          ? Promise.resolve(messages.shift())
          : new Promise((resolve) => waiting.push(resolve)),
      )
  }

  it.each<readonly [string, unknown]>([...values, ['boxed', Object(1)]])('delivers %s', async (_, value) => {
    const next = listen(kv)
    const { ok, versionstamp } = await kv.enqueue(value)
    expect([ok, versionstamp > zero]).toEqual([true, true])
    expect(await next()).toStrictEqual(value)
  })

  it('delivers what was enqueued before, in an atomic operation, and by another Kv', async () => {
    const file = path('queue.db')
    const other = await openKv(file)
    onTestFinished(() => other.close())
    await other.enqueue('before')
    const next = listen(await openKv(file))
    expect(await next()).toBe('before')
    await other.set(['t'], 1)
    const entry = await other.get(['t'])
    expect((await other.atomic().check(entry).set(['t'], 2).enqueue('atomic').commit()).ok).toBe(true)
    expect(await next()).toBe('atomic')
    expect((await other.atomic().check(entry).enqueue('never').commit()).ok).toBe(false)
    await other.enqueue('last', { delay: 0 })
    expect(await next()).toBe('last')
  })

  it('delivers a delayed message later', async () => {
    const next = listen(kv)
    const begun = Date.now()
    await kv.enqueue('later', { delay: 50 })
    expect(await next()).toBe('later')
    expect(Date.now()).toBeGreaterThanOrEqual(begun + 50)
  })

  it('delivers again what has failed, and writes what fails to the end', async () => {
    const errors = [
      new TypeError('of the handler'),
      Object.assign(new Error(), { name: Symbol('none') }),
      null,
    ]
    const next = listen(kv, () => {
      throw errors.shift()
    })
    process.on('warning', ignore)
    onTestFinished(() => void process.off('warning', ignore))
    await kv.enqueue('fails', { backoffSchedule: [1, 1], keysIfUndelivered: [['failed']] })
    expect([await next(), await next(), await next()]).toEqual(['fails', 'fails', 'fails'])
    const reader = kv.watch([['failed']]).getReader()
    for (;;) {
      const { value } = await waitFor('what has failed', reader.read())
      if (value![0].value === 'fails') break
    }
    await reader.cancel()
  })

  it.each([
    [{ delay: -100 }, 'Delay must be >= 0: received -100'],
    [{ delay: Number.NaN }, 'Delay cannot be NaN'],
    [{ delay: 30 * 24 * 3_600_000 + 1 }, 'Delay cannot be greater than 30 days'],
    [{ backoffSchedule: [1, 1, 1, 1, 1, 1] }, 'Invalid backoffSchedule, max 5 intervals allowed'],
    [{ backoffSchedule: [3_600_001] }, 'Invalid backoffSchedule, interval at index 0 is invalid'],
  ])('refuses %j', async (options, message) => {
    await expect(kv.enqueue('test', options)).rejects.toThrow(TypeError)
    await expect(kv.enqueue('test', options)).rejects.toThrow(message)
    expect(() => kv.atomic().enqueue('test', options)).toThrow(message)
  })

  it('takes 10 keysIfUndelivered, and no more', async () => {
    const keys = Array.from({ length: 11 }, (_, n) => ['undelivered', n])
    const tooMany = new TypeError('Too many keysIfUndelivered (max 10)')
    expect((await kv.enqueue('test', { keysIfUndelivered: keys.slice(1) })).ok).toBe(true)
    await expect(kv.enqueue('test', { keysIfUndelivered: keys })).rejects.toThrow(tooMany)
    await expect(kv.atomic().enqueue('test', { keysIfUndelivered: keys }).commit()).rejects.toThrow(tooMany)
  })

  it('takes a delay of 30 days', async () => {
    expect((await kv.enqueue('test', { delay: 30 * 24 * 3_600_000 })).ok).toBe(true)
  })

  it('a listener ends when the database is closed', async () => {
    const listener = kv.listenQueue(() => {})
    kv.close()
    await waitFor('its end', listener)
  })
})

it('has the types of Deno.Kv', () => {
  expectTypeOf(kv.get(['a'])).resolves.toEqualTypeOf<KvEntryMaybe<unknown>>()
  expectTypeOf(kv.get<string>(['a'])).resolves.toEqualTypeOf<KvEntryMaybe<string>>()
  expectTypeOf(kv.getMany([['a'], ['b']])).resolves.toEqualTypeOf<
    [KvEntryMaybe<unknown>, KvEntryMaybe<unknown>]
  >()
  expectTypeOf(kv.getMany<[string, number]>([['a'], ['b']])).resolves.toEqualTypeOf<
    [KvEntryMaybe<string>, KvEntryMaybe<number>]
  >()
  expectTypeOf(kv.list({ prefix: ['a'] })).toEqualTypeOf<KvListIterator<unknown>>()
  expectTypeOf(kv.list<string>({ prefix: ['a'] }).next()).resolves.toEqualTypeOf<
    IteratorResult<KvEntry<string>, undefined>
  >()
})

function ignore() {}
