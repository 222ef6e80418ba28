import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyArithmetic } from '../../src/commit/mutation.ts'
import { decodeValue, encodeValue } from '../../src/value/codec.ts'
import { Encoding, type StoredValue } from '../../src/value/encoding.ts'
import { KvU64 } from '../../src/value/kv-u64.ts'

const decode = ({ value, encoding, types }: StoredValue): unknown => decodeValue(value, encoding, types)

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '.', '\\', 'a.b', '\\.', '0', 'toString', '\ud800'),
)
// No backslash in a key: JSON.parse of V8 13.6 (Node 24) takes the key "a\n" for "a\" where an object of the same shape
// had that before. The unit tests have keys with backslashes.
const key = text.filter(
  (name) => !['__proto__', 'constructor', 'prototype'].includes(name) && !name.includes('\\'),
)
const regexp = fc
  .tuple(fc.constantFrom('a', '', '/', 'a\\/b', '[/]', '\\n', '\\\\', '(?<x>.)'), fc.subarray([...'dgimsuy']))
  .map(([source, flags]) => new RegExp(source, flags.join('')))
const leaf = fc.oneof(
  text,
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(null, undefined, -0, NaN, Infinity, -Infinity),
  fc.date({ noInvalidDate: true }),
  regexp,
  fc.webUrl({ withQueryParameters: true, withFragments: true }).map((url) => new URL(url)),
  fc.uint8Array(),
  fc.int32Array(),
  fc.float64Array({ noNaN: true, noDefaultInfinity: true }).map((array) => array.map((n) => n + 0)),
)
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
  ),
}))
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

describe('encodeValue', () => {
  it('is undone by decodeValue, down to the order of Maps and Sets', () => {
    fc.assert(
      fc.property(
        anyValue.filter((value) => value !== undefined),
        (value) => {
          const stored = encodeValue(value)
          const read = decode(stored)
          deepStrictEqual(read, value)
          deepStrictEqual(encodeValue(read), stored)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('writes what JSON has as JSON', () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0)
    fc.assert(
      fc.property(fc.object({ key, values: [text, finite, fc.boolean(), fc.constant(null)] }), (value) => {
        const stored = encodeValue(value)
        deepStrictEqual(stored, { value: JSON.stringify(value), encoding: Encoding.json, types: null })
        deepStrictEqual(decode(stored), value)
      }),
    )
  })

  it('stores exactly, or refuses with a path', () => {
    const anything = fc.anything({
      key,
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    })
    fc.assert(
      fc.property(anything, (value) => {
        let stored: StoredValue
        try {
          stored = encodeValue(value)
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
          expect((error as Error).message).toMatch(/^(value|undefined cannot)/)
          return
        }
        deepStrictEqual(decode(stored), value)
      }),
      { numRuns: 1000 },
    )
  })

  it('restores a graph that holds itself, or refuses it', () => {
    const kinds = fc.array(fc.constantFrom('object', 'array', 'map', 'set'), { minLength: 1, maxLength: 6 })
    const edges = fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 12 })
    fc.assert(
      fc.property(kinds, edges, (nodes, links) => {
        const graph = nodes.map((kind) => makeNode(kind))
        for (const [from, to] of links) graph[from % graph.length]?.link(graph[to % graph.length]?.value)
        let stored: StoredValue
        try {
          stored = encodeValue(graph[0]?.value)
        } catch (error) {
          expect((error as Error).message).toMatch(/is an object that holds itself/)
          return
        }
        deepStrictEqual(decode(stored), graph[0]?.value)
      }),
      { numRuns: 1000 },
    )
  })

  it('orders KvU64 as their numbers', () => {
    fc.assert(
      fc.property(u64, u64, (a, b) => {
        const [x, y] = [a, b].map((n) => encodeValue(new KvU64(n)).value as Uint8Array)
        expect(Buffer.compare(x!, y!)).toBe(a < b ? -1 : a > b ? 1 : 0)
        deepStrictEqual(decode(encodeValue(new KvU64(a))), new KvU64(a))
      }),
    )
  })
})

describe('decodeValue', () => {
  const path = fc
    .array(
      fc.constantFrom('0', '1', 'a', '__proto__', 'constructor', 'prototype', 'toString', 'self', 'x\\y'),
      { minLength: 1, maxLength: 4 },
    )
    .map((steps) => steps.join('.'))
  const type = fc.oneof(
    fc.constantFrom(
      'Date',
      'map',
      'set',
      'bigint',
      'regexp',
      'URL',
      'Error',
      'number',
      'undefined',
      'symbol',
      'constructor',
    ),
    fc.tuple(
      fc.constantFrom('typed-array', 'class', 'custom', 'symbol'),
      fc.constantFrom('Uint8Array', 'constructor', 'toString'),
    ),
  )
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.array(type, { minLength: 1, maxLength: 1 }),
      fc.tuple(type, tie('tree')),
      fc.dictionary(path, tie('tree'), { maxKeys: 3 }),
    ),
  }))
  const hostileTypes = fc.oneof(
    fc
      .record(
        {
          values: tree,
          referentialEqualities: fc.dictionary(path, fc.array(path)),
          v: fc.constantFrom(0, 1),
        },
        { requiredKeys: [] },
      )
      .map((types) => JSON.stringify(types)),
    fc.json(),
    fc.string(),
    fc.constant(null),
  )
  const small = fc.oneof(
    fc.constantFrom(0, 1, 'a', null, '/a/', '__proto__', 'http://x'),
    fc.integer({ min: -9, max: 9 }),
  )
  const hostileValue = fc.oneof(
    fc
      .object({ key: fc.constantFrom('0', 'a', '__proto__', 'constructor', 'self'), values: [small] })
      .map((value) => JSON.stringify(value)),
    fc.array(fc.array(small)).map((value) => JSON.stringify(value)),
    fc.json(),
    fc.string(),
    fc.uint8Array(),
  )

  it('throws an Error or gives a value, and changes no prototype, whatever it reads', () => {
    const prototypes = [Object, Array, Function, Map, Set, Date, RegExp, URL, Error, Uint8Array].map(
      (type) => type.prototype,
    )
    const snapshot = () =>
      prototypes.flatMap((prototype) =>
        Reflect.ownKeys(prototype).map((name) => {
          const { value, get, set } = Reflect.getOwnPropertyDescriptor(prototype, name) ?? {}
          return { prototype, name, value, get, set }
        }),
      )
    const before = snapshot()
    fc.assert(
      fc.property(hostileValue, fc.integer({ min: -1, max: 5 }), hostileTypes, (value, encoding, types) => {
        try {
          decodeValue(value, encoding, types)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
        expect(Object.keys(Object.prototype)).toEqual([])
      }),
      { numRuns: 1500 },
    )
    fc.assert(
      fc.property(hostileValue, hostileTypes, (value, types) => {
        try {
          decodeValue(value, Encoding.superjson, types)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
      { numRuns: 1500 },
    )
    const after = snapshot()
    expect(after.length).toBe(before.length)
    for (const [index, property] of before.entries()) {
      for (const [name, value] of Object.entries(property))
        expect(Object.is(value, after[index]?.[name as keyof typeof property])).toBe(true)
    }
  })
})

describe('applyArithmetic', () => {
  const operand = fc.bigInt({ min: 1n - 2n ** 64n, max: 2n ** 64n - 1n })

  it('adds modulo 2^64, and subtracts down to zero', () => {
    fc.assert(
      fc.property(fc.option(u64), operand, (current, n) => {
        const exact = (current ?? 0n) + n
        if (exact < 0n) expect(() => applyArithmetic('sum', current, n)).toThrow(RangeError)
        else expect(applyArithmetic('sum', current, n)).toBe(BigInt.asUintN(64, exact))
      }),
    )
  })

  it('ends with the least and the greatest, in whichever order they come', () => {
    fc.assert(
      fc.property(fc.array(u64, { minLength: 1 }), (numbers) => {
        const sorted = numbers.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
        const fold = (op: 'min' | 'max') =>
          numbers.reduce<bigint | null>((now, n) => applyArithmetic(op, now, n), null)
        expect(fold('min')).toBe(sorted[0])
        expect(fold('max')).toBe(sorted.at(-1))
      }),
    )
  })
})

function makeNode(kind: string): { readonly value: unknown; readonly link: (to: unknown) => void } {
  if (kind === 'array') {
    const value: unknown[] = []
    return { value, link: (to) => value.push(to) }
  }
  if (kind === 'map') {
    const value = new Map<unknown, unknown>()
    return { value, link: (to) => value.set(value.size % 2 ? to : value.size, to) }
  }
  if (kind === 'set') {
    const value = new Set<unknown>()
    return { value, link: (to) => value.add(to) }
  }
  const value: Record<string, unknown> = {}
  return { value, link: (to) => (value[`k${Object.keys(value).length}`] = to) }
}
