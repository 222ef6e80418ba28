import { deepStrictEqual } from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { defineValueType, KvU64, Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { inspectStore } from '../../src/api/open.ts'
import { exportRows } from '../../src/transfer/export.ts'
import { type ImportOptions, importRows } from '../../src/transfer/import.ts'
import { openSource, type SourceOptions } from '../../src/transfer/open-source.ts'
import { extent } from '../extent.ts'
import { anyKey, anyValue, u64 } from '../property/any-value.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const path = temporaryFolder()
let files = 0
const fresh = (end = 'db') => path(`${files++}.${end}`)

const value = fc.oneof(
  anyValue,
  u64.map((n) => new KvU64(n)),
  fc.uint8Array(),
)

async function exported(file: string, options = {}): Promise<string> {
  const { store } = await inspectStore(file, { readOnly: true })
  try {
    return (await Array.fromAsync(exportRows(store, options))).join('')
  } finally {
    await store.close()
  }
}

async function imported(
  file: string,
  text: string,
  { from, ...options }: Partial<ImportOptions> & SourceOptions = {},
) {
  const source = fresh('ndjson')
  writeFileSync(source, text)
  await (await Valkeyrie.open(file)).close()
  const { store } = await inspectStore(file, {})
  try {
    using rows = await openSource(source, { from }, store.registry)
    return await importRows(store, rows.rows, { onConflict: 'fail', ...options })
  } finally {
    await store.close()
  }
}

const nothing = { imported: 0, overwritten: 0, unchanged: 0, skipped: 0, expired: 0, refused: 0 }

it('gives back every key, value and expiry, whatever they are', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(anyKey, value, fc.option(fc.integer({ min: 1e9, max: 1e12 }))), { maxLength: 12 }),
      async (rows) => {
        const from = fresh()
        await using db = await Valkeyrie.open(from)
        for (const [at, it, expireIn] of rows) await db.set(at, it, expireIn === null ? {} : { expireIn })
        const text = await exported(from)
        const to = fresh()
        const count = text === '' ? 0 : text.trimEnd().split('\n').length
        expect(await imported(to, text)).toEqual({ ...nothing, imported: count })
        await using copy = await Valkeyrie.open(to)
        const entries = (it: typeof db) =>
          Array.fromAsync(it.list({ prefix: [] }), ({ key, value, expiresAt }) => [key, value, expiresAt])
        deepStrictEqual(await entries(copy), await entries(db))
        expect(await exported(to)).toBe(text)
        expect(await imported(to, text)).toEqual({ ...nothing, unchanged: count })
      },
    ),
    { numRuns: extent('databases', 5, 30) },
  )
})

class Color {
  readonly hex: string
  constructor(hex: string) {
    this.hex = hex
  }
}

it('moves the instances of classes whose value types it does not know', async () => {
  const color = defineValueType({
    name: 'Color',
    class: Color,
    encode: ({ hex }) => hex,
    decode: (hex) => new Color(hex as string),
  })
  const [from, to] = [fresh(), fresh()]
  await using db = await Valkeyrie.open(from, { valueTypes: [color] })
  await db.set(['wall'], { is: new Color('#ff0000') })
  await imported(to, await exported(from))
  await using copy = await Valkeyrie.open(to, { valueTypes: [color] })
  expect((await copy.get(['wall'])).value).toEqual({ is: new Color('#ff0000') })
})

const user = z.object({ name: z.string(), age: z.int(), born: z.date().optional() })
const schemas = Valkeyrie.withSchema(['users', '*'], user, { indexes: [{ on: 'name', unique: true }] })

it('exports one state in key order, or what a where finds in a repository', async () => {
  const file = fresh()
  await using db = await schemas.open(file)
  const { users } = db.repositories
  await users.insertMany(
    Array.from({ length: 1_200 }, (_, i) => [`u${i}`, { name: `U${i}`, age: i % 100 }] as const),
  )
  await db.set(['other'], 1)
  const { store } = await inspectStore(file, { readOnly: true })
  const pages: string[] = []
  for await (const page of exportRows(store, { repository: 'users', where: { age: { lt: 50 } } })) {
    pages.push(page)
    await users.updateMany({ where: {}, set: { age: 99 } })
  }
  await store.close()
  const rows = pages
    .join('')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(pages.length).toBe(2)
  expect(rows.length).toBe(600)
  expect(rows.every(({ value }) => value.age < 50)).toBe(true)
  expect(rows.map((row) => row.key[1])).toEqual(rows.map((row) => row.key[1]).toSorted())
  expect((await exported(file)).split('\n').filter((line) => line.includes('"repository":null')).length).toBe(
    1,
  )
})

it('writes rows that do not fit with the reasons, and takes them once they are fixed', async () => {
  const file = fresh()
  await (await schemas.open(file)).close()
  const lines = [
    '{"key":["users","ada"],"value":{"name":"Ada","age":36}}',
    '{"key":["users","bob"],"value":{"name":"Bob"}}',
    '{"key":["users","eve"],"value":{"name":"Ada","age":1}}',
    '{"key":["users","*"],"value":{"name":"Star","age":1}}',
    '{"key":["users","dan"],"value":{"name":"Dan","age":1',
    '{"key":["users","fay"],"value":{"name":"Fay","age":1,"born":"x"},"encoding":"superjson","types":{"values":{"born":["Date"]},"v":1}}',
    '{"key":["users"]}',
    '[]',
    '{"key":["plain",{"bigint":"7"}],"value":"00ff","encoding":"bytes"}',
    '{"key":["gone"],"value":1,"expiresAt":1}',
  ]
  const refused: string[] = []
  const onRefused = (line: string) => void refused.push(line)
  const counts = await imported(file, lines.join('\r\n'), { onRefused })
  expect(counts).toEqual({ ...nothing, imported: 2, expired: 1, refused: 7 })
  const errors = refused.map((line) => JSON.parse(line).error as string)
  for (const reason of ["'*'", 'JSON', 'no value', 'a row must be an object', 'age', 'name', 'Date'])
    expect(
      errors.some((error) => error.includes(reason)),
      `${reason} in ${errors.join('\n')}`,
    ).toBe(true)
  const mended = refused
    .join('\n')
    .replace('{"name":"Bob"}', '{"name":"Bob","age":7}')
    .replace('{"name":"Ada","age":1}', '{"name":"Eve","age":1}')
    .replace('["users","*"]', '["users","star"]')
    .replace('\\"age\\":1', '\\"age\\":1}}')
    .replace('"born":"x"', '"born":"2020-01-01T00:00:00.000Z"')
  const again: string[] = []
  const second = await imported(file, mended, { onRefused: (line) => void again.push(line) })
  expect(second).toEqual({ ...nothing, imported: 5, refused: 2 })
  await using db = await schemas.open(file)
  expect(await Array.fromAsync(db.repositories.users.list(), ({ id }) => id)).toEqual([
    'ada',
    'bob',
    'dan',
    'eve',
    'fay',
    'star',
  ])
  expect((await db.get(['plain', 7n])).value).toEqual(new Uint8Array([0, 255]))
  expect((await db.repositories.users.get('fay')).value?.born).toEqual(new Date('2020-01-01'))
})

it('stops at the first row that does not fit, unless told what to do with it', async () => {
  const file = fresh()
  await (await schemas.open(file)).close()
  const line = '{"key":["users","bob"],"value":{"name":"Bob"}}'
  await expect(imported(file, line)).rejects.toThrow(
    '["users","bob"] does not fit: age: is missing. Correct it, or add --skip-invalid <file> to write such rows to a file and go on',
  )
})

it.each([
  ['fail', null, 1],
  ['skip', { ...nothing, skipped: 1, imported: 1, unchanged: 1 }, 1],
  ['overwrite', { ...nothing, overwritten: 1, imported: 1, unchanged: 1 }, 2],
] as const)('where a key has another value: %s', async (onConflict, expected, left) => {
  const file = fresh()
  await using db = await Valkeyrie.open(file)
  await db.set(['a'], 1)
  await db.set(['same'], 's')
  const text = '{"key":["same"],"value":"s"}\n{"key":["a"],"value":2}\n{"key":["b"],"value":3}\n'
  if (expected === null)
    await expect(imported(file, text, { onConflict })).rejects.toMatchObject({ key: ['a'] })
  else expect(await imported(file, text, { onConflict })).toEqual(expected)
  expect((await db.get(['a'])).value).toBe(left)
  expect((await db.get(['b'])).value).toBe(expected === null ? null : 3)
})

it('leaves a value alone whose names are only in another order', async () => {
  const file = fresh()
  await using db = await Valkeyrie.open(file)
  const { versionstamp } = await db.set(['a'], { b: { d: [1], c: null }, a: 'x' })
  expect(await imported(file, '{"key":["a"],"value":{"a":"x","b":{"c":null,"d":[1]}}}')).toEqual({
    ...nothing,
    unchanged: 1,
  })
  expect((await db.get(['a'])).versionstamp).toBe(versionstamp)
  await expect(imported(file, '{"key":["a"],"value":{"a":"x","b":{"c":null,"d":[2]}}}')).rejects.toThrow()
})

it('takes the last of several rows with one key', async () => {
  const file = fresh()
  const text = '{"key":["a"],"value":1}\n{"key":["a"],"value":2}\n{"key":["b"],"value":3}'
  expect(await imported(file, text, { onConflict: 'overwrite' })).toEqual({
    ...nothing,
    imported: 2,
    overwritten: 1,
  })
  await using db = await Valkeyrie.open(file)
  expect((await db.get(['a'])).value).toBe(2)
})

it("lets the rows of a source take each other's unique values, in any order", async () => {
  const named = (id: string, name: string) =>
    `${JSON.stringify({ key: ['users', id], value: { name, age: 1 } })}\n`
  await fc.assert(
    fc.asyncProperty(
      fc
        .uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 2 })
        .chain((before) =>
          fc.tuple(
            fc.constant(before),
            fc.shuffledSubarray(before, { minLength: before.length }),
            fc.boolean(),
          ),
        ),
      async ([before, after, far]) => {
        const file = fresh()
        await using db = await schemas.open(file)
        const { users } = db.repositories
        for (const n of before) await users.set(`u${n}`, { name: `n${n}`, age: 1 })
        const others = Array.from({ length: far ? 700 : 1 }, (_, i) => named(`o${i}`, `o${i}`))
        const moved = before.map((n, i) => named(`u${n}`, `n${after[i]}`))
        const text = [moved[0], ...others, ...moved.slice(1)].join('')
        const { overwritten, unchanged, refused } = await imported(file, text, { onConflict: 'overwrite' })
        expect([overwritten + unchanged, refused]).toEqual([before.length, 0])
        for (const [i, n] of before.entries())
          expect((await users.get(`u${n}`)).value?.name).toBe(`n${after[i]}`)
      },
    ),
    { numRuns: extent('orders of one index', 4, 20) },
  )
})

it('refuses duplicates of a unique value, the rows that wait for them, and no others', async () => {
  const file = fresh()
  await using db = await schemas.open(file)
  const { users } = db.repositories
  for (const id of ['a', 'b', 'c', 'd', 'e', 'x', 'y', 'z']) await users.set(id, { name: id, age: 1 })
  const row = (id: string, name: string) =>
    `${JSON.stringify({ key: ['users', id], value: { name, age: 1 } })}\n`
  const lines: string[] = []
  // a and b swap; c wants what e keeps, and d what c has; x, y and z each take what the next one leaves.
  const text = [
    row('a', 'b'),
    row('c', 'e'),
    row('d', 'c'),
    row('x', 'y'),
    row('y', 'z'),
    row('z', 'free'),
    row('b', 'a'),
  ].join('')
  const counts = await imported(file, text, {
    onConflict: 'overwrite',
    onRefused: (line) => lines.push(line),
  })
  expect(counts).toEqual({ ...nothing, overwritten: 5, refused: 2 })
  expect(lines.map((line) => JSON.parse(line).key[1])).toEqual(['c', 'd'])
  const names = await users.getMany(['a', 'b', 'c', 'd', 'e', 'x', 'y', 'z'])
  expect(names.map(({ value }) => value?.name)).toEqual(['b', 'a', 'c', 'd', 'e', 'y', 'z', 'free'])
  await expect(imported(file, row('c', 'e'), { onConflict: 'overwrite' })).rejects.toThrow(/same name/)
})

const pairs = Valkeyrie.withSchema(
  ['pairs', '*'],
  z.object({ e: z.string(), n: z.string(), note: z.string().optional() }),
  {
    indexes: [
      { on: 'e', unique: true },
      { on: 'n', unique: true },
    ],
  },
)
type Pair = readonly [id: string, e: string, n: string]
const pairLines = (rows: readonly Pair[]) =>
  rows.map(([id, e, n]) => `${JSON.stringify({ key: ['pairs', id], value: { e, n } })}\n`).join('')

/** The pairs of a database that had some before, and what the import has counted and refused. */
async function pairsAfter(before: readonly Pair[], source: readonly Pair[]) {
  const file = fresh()
  await using db = await pairs.open(file)
  await db.repositories.pairs.insertMany(before.map(([id, e, n]) => [id, { e, n }] as const))
  const refused: string[] = []
  const onRefused = (line: string) => void refused.push(JSON.parse(line).key[1])
  const counts = await imported(file, pairLines(source), { onConflict: 'overwrite', onRefused })
  const rows = await db.repositories.pairs.findMany({ orderBy: { $id: 'asc' } })
  return { counts, refused, rows: rows.map(({ id, value: { e, n } }): Pair => [id as string, e, n]) }
}

it('stores a row that meets one held row behind the other, in two unique indexes', async () => {
  const before = [
    ['A', 'e1', 'n1'],
    ['X', 'e2', 'n2'],
    ['B', 'e3', 'n3'],
    ['C', 'e4', 'n4'],
  ] as const
  const source = [
    ['A', 'e2', 'n3'],
    ['B', 'e3', 'n4'],
    ['X', 'e9', 'n2'],
    ['C', 'e4', 'n9'],
  ] as const
  const { counts, rows } = await pairsAfter(before, source)
  expect(rows).toEqual(source.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  expect(counts).toEqual({ ...nothing, overwritten: 4 })
})

const order = (length: number) =>
  fc.shuffledSubarray(
    Array.from({ length }, (_, i) => i),
    { minLength: length },
  )

it('ends with exactly the source, however its rows take the values of two unique indexes from each other', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 9 }).chain((size) =>
        // One value of each index may be free.
        fc.tuple(order(size), order(size + 1), order(size + 1)),
      ),
      async ([rows, es, ns]) => {
        const before = rows.map((_, i): Pair => [`${i}`, `e${i}`, `n${i}`])
        const source = rows.map((i): Pair => [`${i}`, `e${es[i]}`, `n${ns[i]}`])
        const after = await pairsAfter(before, source)
        expect(after.rows).toEqual(source.toSorted(([a], [b]) => Number(a) - Number(b)))
        expect(after.refused).toEqual([])
      },
    ),
    { numRuns: extent('orders of two indexes', 10, 60) },
  )
})

it('stores rows that swap their values, though one that waits for them does not fit', async () => {
  const before = [
    ['A', 'e1', 'n1'],
    ['B', 'e2', 'n2'],
    ['C', 'e3', 'n3'],
    ['D', 'e4', 'n4'],
  ] as const
  // C waits for A, and wants what D keeps.
  const source = [
    ['A', 'e2', 'n1'],
    ['C', 'e1', 'n4'],
    ['B', 'e1', 'n2'],
  ] as const
  const { refused, rows } = await pairsAfter(before, source)
  expect(refused).toEqual(['C'])
  expect(rows).toEqual([source[0], source[2], before[2], before[3]])
})

it('counts a row that waits once, however often its key comes again', async () => {
  const file = fresh()
  await using db = await pairs.open(file)
  const { pairs: repository } = db.repositories
  for (const i of [1, 2, 3]) await repository.set(`p${i}`, { e: `e${i}`, n: `n${i}` })
  const note = 'x'.repeat(1_000_000)
  const large = `${JSON.stringify({ key: ['pairs', 'large'], value: { e: 'e3', n: 'n', note } })}\n`
  const swapped = pairLines([
    ['p1', 'e2', 'n1'],
    ['p2', 'e1', 'n2'],
  ])
  const refused: string[] = []
  const counts = await imported(file, large.repeat(70) + swapped, {
    onConflict: 'overwrite',
    onRefused: (line) => void refused.push(line),
  })
  expect([counts.overwritten, refused.length]).toEqual([2, 70])
  expect((await repository.get('p1')).value).toEqual({ e: 'e2', n: 'n1' })
})

it.each([
  ['one row', 1, [['p1', 'e9', 'n9']]],
  [
    'rows that swap their values',
    2,
    [
      ['p1', 'e2', 'n1'],
      ['p2', 'e1', 'n2'],
    ],
  ],
] as const)('ends with its signal while others change %s again and again', async (_, size, source) => {
  const file = fresh()
  await using db = await pairs.open(file)
  for (const i of [1, 2]) await db.repositories.pairs.set(`p${i}`, { e: `e${i}`, n: `n${i}` })
  const text = fresh('ndjson')
  writeFileSync(text, pairLines(source))
  const { store } = await inspectStore(file, {})
  const controller = new AbortController()
  const commit = store.commit.bind(store)
  store.commit = async (write) => {
    if (write.mutations.length !== size) return commit(write)
    controller.abort(new Error('enough'))
    return { type: 'conflict', conflicts: [] }
  }
  try {
    using rows = await openSource(text, { from: undefined }, store.registry)
    const options = { onConflict: 'overwrite', signal: controller.signal } as const
    await expect(importRows(store, rows.rows, options)).rejects.toThrow('enough')
  } finally {
    await store.close()
  }
})

it('ends with its signal, and continues from there', async () => {
  const file = fresh()
  const text = Array.from({ length: 3_000 }, (_, i) => `{"key":["n",${i}],"value":${i}}\n`).join('')
  const controller = new AbortController()
  const onProgress = (rows: number) => {
    if (rows >= 1_000) controller.abort(new Error('enough'))
  }
  await expect(imported(file, text, { signal: controller.signal, onProgress })).rejects.toThrow('enough')
  expect(await imported(file, text)).toEqual({ ...nothing, imported: 2_000, unchanged: 1_000 })
})

it('refuses a text that is not UTF-8', async () => {
  const source = fresh('ndjson')
  writeFileSync(source, Buffer.from([0x7b, 0xff, 0xfe]))
  expect(readFileSync(source).length).toBe(3)
  const file = fresh()
  await (await Valkeyrie.open(file)).close()
  const { store } = await inspectStore(file, {})
  using rows = await openSource(source, {}, store.registry)
  await expect(importRows(store, rows.rows, { onConflict: 'fail' })).rejects.toThrow('UTF-8')
  await store.close()
})

it('refuses a key with a number that is too large for a double, and takes an infinite one', async () => {
  const file = fresh()
  await expect(imported(file, '{"key":["t",1e999],"value":1}')).rejects.toThrow(
    /its key has a number that is too large/,
  )
  const infinite = '{"key":["t",{"number":"Infinity"}],"value":1}'
  expect(await imported(file, infinite)).toEqual({ ...nothing, imported: 1 })
})

it('leaves bytes as they are that were there before an index', async () => {
  const file = fresh()
  const db = await Valkeyrie.open(file)
  await db.set(['rows', 'x'], new Uint8Array([1]))
  await db.close()
  await (await Valkeyrie.withSchema(['rows', '*'], z.any(), { indexes: [{ on: 'a' }] }).open(file)).close()
  expect(await imported(file, await exported(file))).toEqual({ ...nothing, unchanged: 1 })
})

it('refuses a number that is too large for a double', async () => {
  const lines = [
    '{"key":["t",1],"value":{"n":1e400,"none":null}}',
    '{"key":["t",2],"value":[-1e400]}',
    '{"key":["t",3],"value":{"n":1.5e308,"none":null,"text":"1e400"}}',
    '{"key":["t",4],"value":{"at":"2026-01-01T00:00:00.000Z","n":1e400},"encoding":"superjson","types":{"values":{"at":["Date"]},"v":1}}',
  ]
  const file = fresh()
  await expect(imported(file, lines.join('\n'))).rejects.toThrow(
    /a number that is too large: numbers are doubles/,
  )
  const refused: string[] = []
  const onRefused = (line: string) => void refused.push(line)
  expect(await imported(file, lines.join('\n'), { onRefused })).toEqual({
    ...nothing,
    imported: 1,
    refused: 3,
  })
  expect(refused.map((line) => JSON.parse(line).text)).toEqual([lines[0], lines[1], lines[3]])
  // What is refused once is not null the next time.
  expect(await imported(file, refused.join('\n'), { onRefused })).toEqual({ ...nothing, refused: 3 })
  await using db = await Valkeyrie.open(file)
  expect((await db.get(['t', 3])).value).toEqual({ n: 1.5e308, none: null, text: '1e400' })
})

it('refuses bytes where the values have an index, and writes them to the file of refused rows', async () => {
  const file = fresh()
  const any = Valkeyrie.withSchema(['rows', '*'], z.any(), { indexes: [{ on: 'a' }] })
  await (await any.open(file)).close()
  const lines = [
    '{"key":["rows","x"],"value":"00ff","encoding":"bytes"}',
    '{"key":["rows","y"],"value":{"a":1}}',
    '{"key":["others","z"],"value":"00ff","encoding":"bytes"}',
  ]
  await expect(imported(file, lines.join('\n'))).rejects.toThrow(/^\["rows","x"\] does not fit: a Uint8Array/)
  const refused: string[] = []
  const onRefused = (line: string) => void refused.push(line)
  expect(await imported(file, lines.join('\n'), { onRefused })).toEqual({
    ...nothing,
    imported: 2,
    refused: 1,
  })
  expect(refused.map((line) => JSON.parse(line).error)).toEqual([
    expect.stringMatching(/in a field of an object$/),
  ])
})
