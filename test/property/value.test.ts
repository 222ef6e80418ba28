import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import { SuperJSON } from 'superjson'
import { describe, expect, it } from 'vitest'
import { applyArithmetic } from '../../src/commit/mutation.ts'
import { decodeValue, encodeValue } from '../../src/value/codec.ts'
import { Encoding, type StoredValue } from '../../src/value/encoding.ts'
import { KvU64 } from '../../src/value/kv-u64.ts'
import { extent } from '../extent.ts'
import { anyValue, key, regexp, text, u64 } from './any-value.ts'

const trials = extent('values of each law', 300, 1_500)

const decode = ({ value, encoding, types }: StoredValue): unknown => decodeValue(value, encoding, types)

describe('encodeValue', () => {
  it('is undone by decodeValue, down to the order of Maps and Sets', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const stored = encodeValue(value)
        const read = decode(stored)
        deepStrictEqual(read, value)
        deepStrictEqual(encodeValue(read), stored)
      }),
      { numRuns: trials },
    )
  })

  it('writes as JSON what JSON can express', () => {
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
          expect((error as Error).message).toMatch(/^value/)
          return
        }
        deepStrictEqual(decode(stored), value)
      }),
      { numRuns: trials },
    )
  })

  it('restores every graph that contains itself, each object as one', () => {
    fc.assert(
      fc.property(nodeKinds, edges, (kinds, links) => {
        const root = makeGraph(kinds, links)
        const stored = encodeValue(root)
        const read = decode(stored)
        deepStrictEqual(read, root)
        deepStrictEqual(encodeValue(read), stored)
        if (stored.types?.includes('referentialEqualities')) expect(objectsOf(read)).toBe(objectsOf(root))
      }),
      { numRuns: trials },
    )
  })

  it('orders KvU64 like their numbers', () => {
    fc.assert(
      fc.property(u64, u64, (a, b) => {
        const [x, y] = [a, b].map((n) => encodeValue(new KvU64(n)).value as Uint8Array)
        expect(Buffer.compare(x!, y!)).toBe(a < b ? -1 : a > b ? 1 : 0)
        deepStrictEqual(decode(encodeValue(new KvU64(a))), new KvU64(a))
      }),
    )
  })
})

describe('the format is that of superjson', () => {
  const old = new SuperJSON()
  const oldLeaf = fc.oneof(
    fc.double(),
    fc.bigInt(),
    fc.constantFrom(null, undefined, -0, 'a', true),
    fc.date({ noInvalidDate: true }),
    regexp,
    fc.webUrl().map((url) => new URL(url)),
    fc.int32Array(),
  )
  const oldKey = text.filter((name) => !['__proto__', 'constructor', 'prototype'].includes(name))
  const { value: oldValue } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      oldLeaf,
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(oldKey, tie('value'), { maxKeys: 5, noNullPrototype: true }),
      fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((rows) => new Map(rows)),
      fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
    ),
  }))

  it('in what is written', () => {
    fc.assert(
      fc.property(oldValue, (value) => {
        const { json, meta } = old.serialize(value)
        const stored = encodeValue(value)
        // superjson writes -0 as a text, and reads the number as well.
        const withTexts = stored.value.toString().replace(/(?<=[[:,]|^)-0(?=[,\]}]|$)/g, '"-0"')
        expect(withTexts).toBe(JSON.stringify(json))
        const types = meta?.values && { values: meta.values, v: 1 }
        expect(stored.types).toBe(types === undefined ? null : JSON.stringify(types))
      }),
      { numRuns: trials },
    )
  })

  it('in what is read, of values that hold themselves too', () => {
    fc.assert(
      fc.property(nodeKinds, edges, (kinds, links) => {
        const root = makeGraph(kinds, links)
        const { json, meta } = old.serialize(root)
        if (meta === undefined) return
        const [value, types] = [JSON.stringify(json), JSON.stringify(meta)]
        if (!isSame(() => old.parse(JSON.stringify({ json, meta })), root)) return
        deepStrictEqual(decodeValue(value, Encoding.superjson, types), root)
      }),
      { numRuns: trials },
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
      'ArrayBuffer',
      'DataView',
    ),
    fc.tuple(
      fc.constantFrom('typed-array', 'class', 'custom', 'symbol', 'error'),
      fc.constantFrom('Uint8Array', 'Float64Array', 'BigInt64Array', 'TypeError', 'constructor', 'toString'),
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
    fc.constantFrom<unknown>({ length: 1e8 }, { length: 2 ** 53, 0: 1 }, { size: 1e9 }, '9'.repeat(200_000)),
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

  it('throws an Error or returns a value, and changes no prototype, whatever it reads', () => {
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
      { numRuns: trials },
    )
    fc.assert(
      fc.property(hostileValue, hostileTypes, (value, types) => {
        try {
          const read = decodeValue(value, Encoding.superjson, types)
          expect(objectsOf(read)).toBeLessThanOrEqual(value.length + 1)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
      { numRuns: trials },
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

  it('ends with the least and the greatest, in any order', () => {
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

const nodeKinds = fc.array(fc.constantFrom('object', 'array', 'map', 'set', 'error'), {
  minLength: 1,
  maxLength: 6,
})
const edges = fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 12 })

function makeGraph(kinds: readonly string[], links: readonly (readonly [number, number])[]): unknown {
  const graph = kinds.map((kind) => makeNode(kind))
  for (const [from, to] of links) graph[from % graph.length]?.link(graph[to % graph.length]?.value)
  return graph[0]?.value
}

/** How many objects a value has, each counted once. */
function objectsOf(root: unknown): number {
  const found = new Set<object>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || found.has(value)) return
    found.add(value)
    if (value instanceof Map) for (const row of value) for (const part of row) visit(part)
    else if (value instanceof Set) for (const item of value) visit(item)
    else for (const name of Reflect.ownKeys(value)) visit(Reflect.get(value, name))
  }
  visit(root)
  return found.size
}

function isSame(read: () => unknown, value: unknown): boolean {
  try {
    deepStrictEqual(read(), value)
    return true
  } catch {
    return false
  }
}

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
  const value = (kind === 'error' ? new Error('node') : {}) as Record<string, unknown>
  return { value, link: (to) => (value[`k${Object.keys(value).length}`] = to) }
}
