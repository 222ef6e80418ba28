import { deepStrictEqual } from 'node:assert/strict'
import { SuperJSON } from 'superjson'
import { describe, expect, it } from 'vitest'
import { decodeValue, encodeValue } from '../../../src/value/codec.ts'
import { Encoding } from '../../../src/value/encoding.ts'
import { KvU64 } from '../../../src/value/kv-u64.ts'

const roundTrip = (value: unknown): unknown => {
  const stored = encodeValue(value)
  return decodeValue(stored.value, stored.encoding, stored.types)
}

const nest = (levels: number, leaf: unknown, wrap: (inner: unknown) => unknown): unknown => {
  let value = leaf
  for (let level = 0; level < levels; level++) value = wrap(value)
  return value
}

describe('a value comes back', () => {
  it.each<[string, unknown]>([
    [
      'from paths that need escapes',
      { 'a.b': { 'c\\d': 1n, '': { '': 2n } }, '\\.': [3n], '.': { '.': undefined }, 'a\\': NaN },
    ],
    ['from keys that are numbers', { 0: [1n], '1.5': 2n, '-1': 3n }],
    [
      'with null and undefined side by side',
      [new Set([null, undefined]), { a: undefined, b: null }, [undefined, null]],
    ],
    [
      'from Maps with keys of every kind',
      new Map<unknown, unknown>([
        [NaN, 1],
        [new Date(0), { d: new Date(1) }],
        [{ k: 1n }, 2],
        [null, new Map([[undefined, -0]])],
      ]),
    ],
    ['from Dates at the ends of time', [new Date(8.64e15), new Date(-8.64e15), new Date(-1)]],
    ['from each RegExp flag', [/a\/b\n[/]/dgimsuy, /\p{L}/v, /(?:)/, /\//]],
    [
      'from typed arrays',
      [Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array].map((type) =>
        type.of(0, 1, 127),
      ),
    ],
    ['from floating-point arrays', [Float32Array.of(1.1, -3e38), Float64Array.of(0.1, 5e-324)]],
    ['with a key named constructor', { constructor: 'Ferrari', prototype: { constructor: null } }],
    ['with a property toJSON', { toJSON: 'no function' }],
    ['from lone surrogates', { '\ud800': ['\udfff', 1n] }],
  ])('%s', (_, value) => deepStrictEqual(roundTrip(value), value))

  it('as a Uint8Array with memory of its own', () => {
    const given = Buffer.from([1, 2, 3])
    const stored = encodeValue(given)
    given[0] = 9
    const read = decodeValue(Buffer.from(stored.value as Uint8Array), stored.encoding, null) as Uint8Array
    deepStrictEqual(read, new Uint8Array([1, 2, 3]))
    expect(read.buffer.byteLength).toBe(3)
  })

  it('without its null prototype', () => {
    const bare = Object.assign(Object.create(null), { a: 1 })
    deepStrictEqual(roundTrip([bare]), [{ a: 1 }])
    deepStrictEqual(roundTrip([bare, 1n]), [{ a: 1 }, 1n])
  })

  it('as a tree where an object occurs twice', () => {
    const shared = { at: new Date(0) }
    const value = { set: new Set([shared, 1n]), first: shared, second: shared }
    const read = roundTrip(value) as typeof value
    deepStrictEqual(read, value)
    expect(read.first).not.toBe(read.second)
  })

  it('with its cycles', () => {
    interface Node {
      readonly children: Node[]
      parent: Node | null
      at: Date
    }
    const root: Node = { children: [], parent: null, at: new Date(0) }
    root.children.push(
      { children: [], parent: root, at: root.at },
      { children: [root], parent: root, at: new Date(1) },
    )
    const read = roundTrip(root) as Node
    deepStrictEqual(read, root)
    expect(read.children[1]?.children[0]).toBe(read)

    const map = new Map<string, unknown>()
    map.set('self', { map })
    const readMap = roundTrip(map) as Map<string, { map: unknown }>
    expect(readMap.get('self')?.map).toBe(readMap)
  })

  it('from 500 levels of objects', () => {
    for (const leaf of [1, 1n]) {
      for (const wrap of [
        (v: unknown) => [v],
        (v: unknown) => ({ v }),
        (v: unknown) => new Map([['k', v]]),
      ]) {
        const value = nest(500, leaf, wrap)
        const stored = encodeValue(value)
        const {
          value: text,
          encoding,
          types,
        } = encodeValue(decodeValue(stored.value, stored.encoding, stored.types))
        expect({ value: text, encoding, types }).toStrictEqual(stored)
      }
    }
  })
})

describe('a value is refused by its path', () => {
  class Account {
    balance = 1
  }
  const late = new Set<unknown>()
  late.add(late).add(1)
  const searching = /a/g
  searching.test('a')

  it.each<[unknown, string]>([
    [{ profile: { friends: [0, 1, 2, { onClick() {} }] } }, 'value.profile.friends[3].onClick is a function'],
    [() => {}, 'value is a function'],
    [{ a: { toJSON: () => 1 } }, 'value.a.toJSON is a function'],
    [[Symbol('a')], 'value[0] is a symbol'],
    [{ a: { [Symbol('a')]: 1 } }, 'value.a has a symbol as a key'],
    [[Object.assign([], { [Symbol('a')]: 1 })], 'value[0] has a symbol as a key'],
    [undefined, 'undefined cannot be stored as a value of its own: store null, or delete the key'],
    [{ views: new KvU64(1n) }, 'value.views is a KvU64'],
    [{ 'main account': new Account() }, 'value["main account"] is an instance of Account'],
    [Object.create({ inherited: 1 }), 'value is an instance of a class of its own'],
    [[new (class extends Date {})()], 'value[0] is an instance of'],
    [[new (class List extends Array {})()], 'value[0] is an instance of List'],
    [Promise.resolve(), 'value is an instance of Promise'],
    [new WeakMap(), 'value is an instance of WeakMap'],
    [{ error: new TypeError('no') }, 'value.error is an error (TypeError)'],
    [[Object(1)], 'value[0] is a Number object'],
    [{ raw: Buffer.from('a') }, 'value.raw is a Buffer: copy it, with new Uint8Array(buffer)'],
    [new ArrayBuffer(1), 'value is an ArrayBuffer'],
    [[new BigInt64Array(1)], 'value[0] is an instance of BigInt64Array'],
    [[Float64Array.of(1, NaN)], 'value[0] holds NaN at [1]'],
    [[Float32Array.of(-0)], 'value[0] holds -0 at [0]'],
    [{ at: new Date(NaN) }, 'value.at is an invalid Date'],
    [Object.create(Date.prototype), 'value is an instance of Date'],
    [[searching], 'value[0] is a RegExp amid a search'],
    [{ list: Array(3) }, 'value.list has a hole at [0]'],
    [Array(4e9), 'value has a hole at [0]'],
    [Object.assign([1, 2], { total: 3 }), 'value is an array with a property "total"'],
    [Object.assign(Array(1), { total: 3 }), 'value has a hole at [0]'],
    [Object.assign(new Map(), { total: 3 }), 'value has a property "total"'],
    [[Object.assign(new Uint8Array(2), { total: 3 })], 'value[0] has a property "total"'],
    [new Map<unknown, unknown>([['k', [() => {}]]]), 'value.get("k")[0] is a function'],
    [new Map<unknown, unknown>([[1, () => {}]]), 'value.values()[0] is a function'],
    [new Map<unknown, unknown>([[() => {}, 1]]), 'value.keys()[0] is a function'],
    [new Set([1, () => {}]), 'value.values()[1] is a function'],
    [{ a: JSON.parse('{"__proto__":1}') }, 'value.a has a property "__proto__"'],
    [{ at: new Date(), car: { constructor: 'Ferrari' } }, 'value.car has a property "constructor"'],
    [late, 'value.values()[0] is an object that holds itself'],
    [nest(501, 1, (v) => [v]), 'is nested more than 500 objects deep'],
    [nest(100_000, 1, (v) => ({ v })), 'is nested more than 500 objects deep'],
  ])('%#', (value, message) => {
    expect(() => encodeValue(value)).toThrow(TypeError)
    expect(() => encodeValue(value)).toThrow(message)
  })

  it('also where a shared object makes it too deep', () => {
    const half = nest(400, 1n, (v) => [v])
    expect(() => encodeValue([half, nest(200, half, (v) => [v])])).toThrow('nested more than 500')
  })

  it('at once, where it branches and holds itself', () => {
    const knot: Record<string, unknown> = {}
    for (const key of 'abcdefgh') knot[key] = knot
    deepStrictEqual(roundTrip(knot), knot)
  })
})

describe('decodeValue', () => {
  it('throws at what encodeValue does not give', () => {
    const malformed: [string | Uint8Array, number, string | null][] = [
      ['', Encoding.json, null],
      ['{', Encoding.json, null],
      [new Uint8Array(2), Encoding.json, null],
      ['1', Encoding.superjson, null],
      ['1', Encoding.superjson, '{'],
      ['1', Encoding.superjson, '{"values":["Account"],"v":1}'],
      ['1', Encoding.superjson, '{"values":[["class","Account"]],"v":1}'],
      ['{}', Encoding.superjson, '{"values":{"__proto__.a":["Date"]},"v":1}'],
      ['{}', Encoding.superjson, '{"referentialEqualities":{"constructor.prototype":["a"]},"v":1}'],
      ['1', Encoding.bytes, null],
      [new Uint8Array(7), Encoding.u64, null],
      [new Uint8Array(9), Encoding.u64, null],
      [new Uint8Array(8), Encoding.u64, '{}'],
      ['1', 4, null],
      ['1', -1, null],
    ]
    for (const [value, encoding, types] of malformed) {
      expect(() => decodeValue(value, encoding, types), `${encoding} ${types}`).toThrow(Error)
    }
  })

  it('does not depend on what the program registers with superjson', () => {
    const hijack = {
      isApplicable: (v: unknown): v is Date => v instanceof Date,
      serialize: () => 'x',
      deserialize: () => new Date(1),
    }
    SuperJSON.registerCustom(hijack, 'hijacked-date')
    deepStrictEqual(roundTrip([new Date(0)]), [new Date(0)])
  })
})
