import { deepStrictEqual } from 'node:assert/strict'
import { runInNewContext } from 'node:vm'
import { SuperJSON } from 'superjson'
import { describe, expect, it, vi } from 'vitest'
import { decodeValue, encodeValue } from '../../../src/value/codec.ts'
import { Encoding } from '../../../src/value/encoding.ts'
import { KeyedEntry } from '../../../src/value/keyed-entry.ts'
import { KvU64 } from '../../../src/value/kv-u64.ts'
import { ValueFormat } from '../../../src/value/value-format.ts'

const roundTrip = (value: unknown): unknown => {
  const stored = encodeValue(value)
  return decodeValue(stored.value, stored.encoding, stored.types)
}

/** As JSON.parse does: a property of its own. */
const setProto = (object: object, value: unknown): object =>
  Object.defineProperty(object, '__proto__', { value, writable: true, enumerable: true, configurable: true })

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
    ['that is undefined', undefined],
    ['from an ArrayBuffer and a DataView', [Uint8Array.of(1, 255).buffer, new DataView(new ArrayBuffer(3))]],
    [
      'from a DataView of a part of its buffer',
      { view: new DataView(new DataView(Uint8Array.of(1, 2, 3, 4).buffer.slice(1, 3)).buffer) },
    ],
    ['that is an ArrayBuffer', new ArrayBuffer(0)],
    [
      'from arrays of bigints',
      [
        BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n),
        BigUint64Array.of(2n ** 64n - 1n),
        new BigInt64Array(),
      ],
    ],
    [
      'from floating-point arrays with what JSON has no number for',
      [Float64Array.of(NaN, -0, Infinity, -Infinity, 1), { a: Float32Array.of(-0, NaN) }],
    ],
    [
      'from errors of each class of the language',
      [
        new Error(''),
        new Error('a', { cause: new TypeError('b', { cause: undefined }) }),
        new RangeError('c', { cause: { at: new Date(0) } }),
        new AggregateError([new SyntaxError('d'), 1n], 'e', { cause: null }),
        Object.assign(new ReferenceError('f'), { name: 'Renamed', code: 'E_F', errors: [new URIError('g')] }),
        Object.assign(new EvalError('h'), { ['__proto__x']: 1 }),
      ],
    ],
    [
      'with a key __proto__, as an API body has it',
      JSON.parse('{"__proto__":{"admin":true},"a":[{"__proto__":1}]}'),
    ],
    ['with a key __proto__ beside a Date', [new Date(0), JSON.parse('{"__proto__":{"a":null}}')]],
    ['from a Date under a key __proto__', setProto({}, new Date(0))],
    [
      'from keys that objects inherit, beside a bigint',
      { a: 1n, constructor: { prototype: 2n }, toString: 3n, hasOwnProperty: 1 },
    ],
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

  it('as a tree if an object occurs twice', () => {
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

  it('with its cycles, whatever they lead through', () => {
    const set = new Set<unknown>([1])
    set.add(set).add(2).add([set])
    const map = new Map<unknown, unknown>()
    map.set(map, { map }).set('last', map)
    const error = new Error('round', { cause: { set, map } })
    Object.assign(error, { self: error })
    const shared = { at: new Date(0) }
    const value: Record<string, unknown> = { error, list: [set, shared, map], shared }
    value['a.b\\'] = { value, error }
    const read = roundTrip(value) as {
      error: Error & { self: unknown; cause: { set: Set<unknown>; map: Map<unknown, unknown> } }
      list: [unknown, unknown, unknown]
      shared: unknown
    }
    deepStrictEqual(read, value)
    const { cause } = read.error
    expect(read.error.self).toBe(read.error)
    expect([...cause.set][1]).toBe(cause.set)
    expect([...cause.map.keys()][0]).toBe(cause.map)
    expect(read.list[0]).toBe(cause.set)
    expect(read.list[1]).toBe(read.shared)
    deepStrictEqual(encodeValue(read), encodeValue(value))
  })

  it('from an error with its name and message, and a stack that names no file', () => {
    const read = roundTrip(new TypeError('no', { cause: 1 })) as Error
    expect(read).toBeInstanceOf(TypeError)
    expect(read.stack).toBe('TypeError: no')
    expect(Object.keys(read)).toEqual([])
    const format = new ValueFormat([], true)
    const error = new RangeError('far')
    const { value, encoding, types } = encodeValue({ error }, format)
    const { error: kept } = decodeValue(value, encoding, types) as { error: Error }
    expect(kept.stack).toBe(error.stack)
    expect(Object.keys(kept)).toEqual([])
  })

  it('as an object of this realm if another realm made it', () => {
    const foreign = runInNewContext(`({
      plain: { a: [1, { b: null }] }, at: new Date(5), map: new Map([[{}, new Set([1])]]), re: /a/g,
      bytes: new Uint8Array([1]), buffer: new ArrayBuffer(2), error: new RangeError('x', { cause: [1] }), list: [1n],
    })`)
    deepStrictEqual(roundTrip(foreign), {
      plain: { a: [1, { b: null }] },
      at: new Date(5),
      map: new Map([[{}, new Set([1])]]),
      re: /a/g,
      bytes: Uint8Array.of(1),
      buffer: new ArrayBuffer(2),
      error: new RangeError('x', { cause: [1] }),
      list: [1n],
    })
    expect(encodeValue(runInNewContext('({ a: [1, "b"] })'))).toStrictEqual(encodeValue({ a: [1, 'b'] }))
    for (const source of [
      'new (class Date extends globalThis.Date {})()',
      'new (class Object { a = 1 })()',
      '[new (class extends Map {})()]',
      'Object.create({ a: 1 })',
    ]) {
      expect(() => encodeValue(runInNewContext(source)), source).toThrow(TypeError)
    }
  })

  it('as a plain object from an entry that was read', () => {
    const entry = new KeyedEntry(['a'], { at: new Date(0) }, 'v', 5)
    deepStrictEqual(roundTrip({ entry }), {
      entry: { key: ['a'], value: { at: new Date(0) }, versionstamp: 'v' },
    })
  })

  it('as a KvU64 from what structuredClone has made of one', () => {
    const copy = structuredClone(new KvU64(258n))
    expect(copy.value).toBe(258n)
    deepStrictEqual(encodeValue(copy), encodeValue(new KvU64(258n)))
    deepStrictEqual(roundTrip(copy), new KvU64(258n))
    deepStrictEqual(roundTrip({ value: 5n }), { value: 5n })
    for (const forged of [{ value: 2n ** 64n }, { value: 1 }, {}]) {
      const marked = { ...forged, 'valkeyrie.KvU64': true }
      deepStrictEqual(roundTrip(marked), marked)
    }
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
  const detached = <T extends ArrayBuffer | ArrayBufferView<ArrayBuffer>>(bytes: T): T => {
    const buffer = (ArrayBuffer.isView(bytes) ? bytes.buffer : bytes) as ArrayBuffer
    structuredClone(buffer, { transfer: [buffer] })
    return bytes
  }
  /** A view that reaches past the end of its buffer, which has become shorter. */
  const cutOff = (): Uint8Array => {
    const buffer = new ArrayBuffer(8, { maxByteLength: 8 })
    const view = new Uint8Array(buffer, 4, 4)
    buffer.resize(2)
    return view
  }
  class Bytes extends Uint16Array {}
  class Account {
    balance = 1
  }
  const searching = /a/g
  searching.test('a')

  it.each<[unknown, string]>([
    [{ profile: { friends: [0, 1, 2, { onClick() {} }] } }, 'value.profile.friends[3].onClick is a function'],
    [() => {}, 'value is a function'],
    [{ a: { toJSON: () => 1 } }, 'value.a.toJSON is a function'],
    [[Symbol('a')], 'value[0] is a symbol'],
    [{ a: { [Symbol('a')]: 1 } }, 'value.a has a symbol as a key'],
    [[Object.assign([], { [Symbol('a')]: 1 })], 'value[0] has a symbol as a key'],
    [{ views: new KvU64(1n) }, 'value.views is a KvU64'],
    [{ 'main account': new Account() }, 'value["main account"] is an instance of Account'],
    [Object.create({ inherited: 1 }), 'value is an instance of a class without a name'],
    [[new (class extends Date {})()], 'value[0] is an instance of'],
    [[new (class List extends Array {})()], 'value[0] is an instance of List'],
    [Promise.resolve(), 'value is an instance of Promise: await it'],
    [new WeakMap(), 'value is an instance of WeakMap'],
    [
      { error: new (class Failed extends Error {})('no') },
      'value.error is an error of your own class (Failed)',
    ],
    [Object.assign(new Error('no'), { message: 5 }), 'value is an error whose name or message is not text'],
    [new TypeError('no', { cause: { at: [() => {}] } }), 'value.cause.at[0] is a function'],
    [new SharedArrayBuffer(1), 'value is a SharedArrayBuffer: store its bytes, new Uint8Array(buffer)'],
    [{ file: new Blob(['a']) }, 'value.file is a Blob: store its bytes, await blob.bytes()'],
    [[new File([], 'a')], 'value[0] is a File: store its bytes'],
    [new ArrayBuffer(1, { maxByteLength: 2 }), 'value is a resizable ArrayBuffer: store a copy'],
    [
      [detached(new ArrayBuffer(1))],
      'value[0] has no memory any more: its buffer was transferred or has become shorter',
    ],
    [cutOff(), 'value has no memory any more'],
    [{ a: cutOff() }, 'value.a has no memory any more'],
    [{ a: detached(new DataView(new ArrayBuffer(1))) }, 'value.a has no memory any more'],
    [{ a: detached(new Float32Array(2)) }, 'value.a has no memory any more'],
    [detached(new Uint8Array(8)), 'value has no memory any more'],
    [Object.assign(new DataView(new ArrayBuffer(1)), { total: 3 }), 'value has a property "total"'],
    [[10n ** 100_001n], 'value[0] is a bigint of more than 100000 digits'],
    [new RegExp('x'.repeat(100_001)), 'value is a RegExp of more than 100000 characters'],
    [{ views: structuredClone(new KvU64(1n)) }, 'value.views is a copy of a KvU64'],
    [[new Bytes(1)], 'value[0] is of a class derived from a buffer'],
    [[Object(1)], 'value[0] is a Number object'],
    [{ raw: Buffer.from('a') }, 'value.raw is a Buffer: copy it, with new Uint8Array(buffer)'],
    [{ at: new Date(NaN) }, 'value.at is an invalid Date'],
    [Object.create(Date.prototype), 'value is an instance of Date'],
    [[searching], 'value[0] is a RegExp in the middle of a search'],
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
    [nest(501, 1, (v) => [v]), 'is nested more than 500 objects deep'],
    [nest(100_000, 1, (v) => ({ v })), 'is nested more than 500 objects deep'],
  ])('%#', (value, message) => {
    expect(() => encodeValue(value)).toThrow(TypeError)
    expect(() => encodeValue(value)).toThrow(message)
  })

  it('even if a shared object makes it too deep', () => {
    const half = nest(400, 1n, (v) => [v])
    expect(() => encodeValue([half, nest(200, half, (v) => [v])])).toThrow('nested more than 500')
  })

  it('at once, if it branches and contains itself', () => {
    const knot: Record<string, unknown> = {}
    for (const key of 'abcdefgh') knot[key] = knot
    deepStrictEqual(roundTrip(knot), knot)
  })
})

describe('decodeValue', () => {
  it('throws for anything that encodeValue does not write', () => {
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

describe('bytes in a value', () => {
  const large = 2 ** 20

  it.each([
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ])(
    'of the class %o are stored without a list of their indexes, and refused if they would take too much',
    (arrayClass) => {
      const array = new arrayClass(large)
      const read = vi.spyOn(Object, 'keys')
      expect(() => encodeValue({ body: array }, undefined, large)).toThrow(RangeError)
      expect(encodeValue({ body: array.subarray(0, 2) }, undefined, large)).toMatchObject({ encoding: 1 })
      expect(read.mock.calls.filter(([of]) => ArrayBuffer.isView(of))).toEqual([])
      read.mockRestore()
    },
  )

  it.each([
    { body: new ArrayBuffer(large) },
    { body: new DataView(new ArrayBuffer(large)) },
    [new Uint8Array(large / 4), new Uint8Array(large / 4), new Uint8Array(1)],
    new Uint8Array(large + 1),
  ])('are refused wherever they are: %#', (value) => {
    expect(() => encodeValue(value, undefined, large)).toThrow(
      new RangeError(`The value is larger than ${large} bytes: split it, or raise limits.valueBytes`),
    )
  })

  it('of another realm are stored as those of this one', () => {
    const foreign = runInNewContext('new Uint8Array([1, 2])')
    expect(encodeValue({ body: foreign })).toEqual(encodeValue({ body: new Uint8Array([1, 2]) }))
  })
})
