import { KvU64, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import type { Cases } from '../suite.ts'

export const keyValueCases: Cases = {
  'a value that was set is read with its key and versionstamp, and nothing else': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const { ok, versionstamp } = await db.set(['a', 1, 2n, true, Uint8Array.of(0)], { b: [1, null] })
    expect(ok).toBe(true)
    const entry = await db.get(['a', 1, 2n, true, Uint8Array.of(0)])
    expect(entry).toStrictEqual({
      key: ['a', 1, 2n, true, Uint8Array.of(0)],
      value: { b: [1, null] },
      versionstamp,
    })
  },

  'a missing value is an entry of nulls': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    expect(await db.get(['a'])).toStrictEqual({ key: ['a'], value: null, versionstamp: null })
  },

  'a stored null differs from a missing value in its versionstamp': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const { versionstamp } = await db.set(['a'], null)
    expect(await db.get(['a'])).toStrictEqual({ key: ['a'], value: null, versionstamp })
  },

  'values of every kind come back as they were': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const values = [
      '',
      'ü😀\0',
      0,
      -1.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      true,
      false,
      null,
      10n ** 30n,
      new Date(0),
      new Map([[1, new Set(['a'])]]),
      /a+/gi,
      new URL('https://example.com/a?b#c'),
      [],
      {},
      { a: { b: [undefined, 1n] } },
      new Uint8Array(),
      new Uint8Array([0, 255]),
      new KvU64(2n ** 64n - 1n),
    ]
    for (const [i, value] of values.entries()) await db.set(['v', i], value)
    const entries = await db.getMany(values.map((_, i) => ['v', i]))
    expect(entries.map(({ value }) => value)).toStrictEqual(values)
    const listed = await Array.fromAsync(db.list({ prefix: ['v'] }))
    expect(listed.map(({ value }) => value)).toStrictEqual(values)
  },

  'neither the value written nor the one read is shared with the database': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const bytes = Uint8Array.of(1)
    const list = [1]
    const writes = [db.set(['bytes'], bytes), db.set(['list'], list)]
    bytes[0] = 2
    list.push(2)
    await Promise.all(writes)
    for (let i = 0; i < 2; i++) {
      const [readBytes, readList] = await db.getMany([['bytes'], ['list']])
      expect([readBytes!.value, readList!.value]).toStrictEqual([Uint8Array.of(1), [1]])
      ;(readBytes!.value as Uint8Array)[0] = 3
      ;(readList!.value as number[]).push(3)
    }
  },

  'a key is taken as it is at the call': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const key = ['a']
    const write = db.set(key, 1)
    const read = db.get(key)
    key[0] = 'b'
    await write
    expect((await read).key).toStrictEqual(['a'])
    expect((await db.get(['a'])).value).toBe(1)
    expect((await db.get(['b'])).versionstamp).toBeNull()
  },

  'parts of different types are different keys': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const keys = [['1'], [1], [1n], [true], [Uint8Array.of(1)], ['1', '']] as const
    for (const [i, key] of keys.entries()) await db.set(key, i)
    expect((await db.getMany(keys)).map(({ value }) => value)).toStrictEqual([0, 1, 2, 3, 4, 5])
  },

  'getMany reads any number of keys, in their order, the same key twice too': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    expect(await db.getMany([])).toStrictEqual([])
    const operation = db.atomic()
    for (let i = 0; i < 2_500; i++) operation.set(['n', i], i)
    await operation.commit()
    const keys = Array.from({ length: 2_501 }, (_, i) => ['n', 2_500 - i] as const)
    const entries = await db.getMany([...keys, ['n', 7]])
    expect(entries.map(({ value }) => value)).toStrictEqual([null, ...keys.slice(1).map(([, i]) => i), 7])
  },

  'getMany sees one state': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.atomic().set(['a'], 0).set(['b'], 0).commit()
    const reads: Promise<unknown[]>[] = []
    for (let i = 1; i <= 50; i++) {
      const written = db.atomic().set(['a'], i).set(['b'], i).commit()
      reads.push(db.getMany([['a'], ['b']]).then((entries) => entries.map(({ value }) => value)))
      if (i % 5 === 0) await written
    }
    for (const [a, b] of await Promise.all(reads)) expect(a).toBe(b)
  },

  'a set replaces the value and its versionstamp': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const first = await db.set(['a'], 1)
    const second = await db.set(['a'], 2)
    expect(second.versionstamp > first.versionstamp).toBe(true)
    expect(await db.get(['a'])).toMatchObject({ value: 2, versionstamp: second.versionstamp })
  },

  'delete removes a value, and a missing one is not an error': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.set(['a'], 1)
    expect(await db.delete(['a'])).toBeUndefined()
    await db.delete(['a'])
    expect((await db.get(['a'])).versionstamp).toBeNull()
  },

  'versionstamps are 20 lower-case hex digits that grow with every commit': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const stamps: string[] = []
    for (let i = 0; i < 40; i++) {
      stamps.push((await db.set(['a', i % 3], i)).versionstamp)
      if (i % 10 === 9) await db.delete(['a', 0])
    }
    for (const stamp of stamps) expect(stamp).toMatch(/^[0-9a-f]{20}$/)
    expect(new Set(stamps).size).toBe(stamps.length)
    expect(stamps).toStrictEqual(stamps.toSorted())
  },

  'clear removes every row, and versionstamps go on growing': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.set(['a'], 1)
    const { versionstamp } = await db.set(['b'], 1, { expireIn: 60_000 })
    await db.clear()
    expect(await Array.fromAsync(db.list({ prefix: [] }))).toStrictEqual([])
    expect((await db.set(['a'], 1)).versionstamp > versionstamp).toBe(true)
    await db.clear()
    await db.clear()
    expect((await db.get(['a'])).versionstamp).toBeNull()
  },

  'clear removes what was written before it and nothing that was written after': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await Promise.all([db.set(['before'], 1), db.clear(), db.set(['after'], 1)])
    const entries = await Array.fromAsync(db.list({ prefix: [] }))
    expect(entries.map(({ key }) => key)).toStrictEqual([['after']])
  },

  'two databases share nothing': async (place) => {
    await using one = await Valkeyrie.open(place.path())
    await using other = await Valkeyrie.open(place.path())
    await one.set(['a'], 1)
    expect((await other.get(['a'])).versionstamp).toBeNull()
  },

  'an open database is an instance of Valkeyrie': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    expect(db instanceof Valkeyrie).toBe(true)
    expect({} instanceof Valkeyrie).toBe(false)
  },

  'every read accepts consistency and raw, as in Deno KV, without effect': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.set(['a'], 1)
    for (const options of [
      { consistency: 'eventual', raw: true },
      { consistency: 'strong', raw: false },
      { consistency: undefined, raw: undefined },
      {},
    ] as const) {
      const entry = await db.get(['a'], options)
      expect(entry).toMatchObject({ key: ['a'], value: 1 })
      expect(await db.getMany([['a']], options)).toStrictEqual([entry])
      const listed = db.list({ prefix: [] }, { ...options, limit: 5, batchSize: 1 })
      expect(await Array.fromAsync(listed)).toStrictEqual([entry])
      const reader = db.watch([['a']], options).getReader()
      expect((await reader.read()).value).toStrictEqual([entry])
      await reader.cancel()
      await db.unitOfWork(async (unit) => {
        expect(await unit.get(['a'], options)).toMatchObject({ value: 1 })
        expect(await unit.getMany([['a']], options)).toMatchObject([{ value: 1 }])
      })
    }
  },
}
