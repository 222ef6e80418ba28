import { type AtomicOperation, id, KvU64, StorageError, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Cases } from '../suite.ts'
import { alice, schemas } from './schemas.ts'

const misuse = expect.toSatisfy(
  (error: unknown) =>
    (error instanceof TypeError || error instanceof RangeError) &&
    !/undefined \(|is not a function|not iterable|Cannot read/.test(error.message),
  'a TypeError or RangeError of this library',
)

/** What `call` throws or rejects with; undefined when it does neither. */
type Untyped = Record<string, (...args: unknown[]) => Promise<unknown>>

async function failure(call: () => unknown): Promise<unknown> {
  try {
    await call()
    return undefined
  } catch (error) {
    return error
  }
}

const badKeys: Record<string, unknown> = {
  empty: [],
  'a string': 'a',
  null: null,
  undefined: undefined,
  'an object': { 0: 'a' },
  NaN: [Number.NaN],
  'a lone surrogate': ['\ud800'],
  'a lone low surrogate': ['a\udc00b'],
  'a symbol': [Symbol('a')],
  'a part that is null': ['a', null],
  'a part that is undefined': ['a', undefined],
  'a nested array': ['a', ['b']],
  'a date': [new Date()],
  'a wildcard': ['users', '*'],
  'more than 2 KiB': ['x'.repeat(2_047)],
  'more than 2 KiB of bytes': [new Uint8Array(2_047)],
  'a hole': new Array(1),
}

export const badInputCases: Cases = {
  'a call written for another library gets an error that says what to write here': async (place) => {
    await using db = await schemas.open(place.path())
    const users = db.repositories.users as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
    const idFirst =
      /An object is not an id of \[users, \*\]: the id comes first.*updateMany and deleteMany take a where/
    for (const call of ['insert', 'set', 'delete', 'get'])
      await expect(users[call]!({ name: 'Alice' }), call).rejects.toThrow(idFirst)
    await expect(users['deleteMany']!({ where: undefined })).rejects.toThrow(
      /The where of deleteMany is undefined: say which rows, .*, or where: \{\} for all of them/,
    )
    expect(() => db.repository(['user', '*'] as never)).toThrow(
      /No schema was declared for this pattern: declared are .*\["users","\*"\].*; add it with withSchema/,
    )
    expect(() => Valkeyrie.withSchema(['x', id.number] as never, z.string())).toThrow(
      'A part of a pattern is a function: call it, id.number()',
    )
    expect(await db.repositories.users.count()).toBe(0)
  },

  'invalid keys are refused by every call, and nothing is written': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    for (const [name, bad] of Object.entries(badKeys)) {
      const key = bad as never
      const calls: Record<string, () => unknown> = {
        get: () => db.get(key),
        getMany: () => db.getMany([['a'], key]),
        set: () => db.set(key, 1),
        delete: () => db.delete(key),
        'atomic set': () => db.atomic().set(['a'], 1).set(key, 1).commit(),
        'atomic delete': () => db.atomic().set(['a'], 1).delete(key).commit(),
        'atomic sum': () => db.atomic().set(['a'], 1).sum(key, 1n).commit(),
        'atomic check': () => db.atomic().check({ key, versionstamp: null }).set(['a'], 1).commit(),
        mutate: () => db.atomic().set(['a'], 1).mutate({ type: 'set', key, value: 1 }).commit(),
      }
      for (const [call, run] of Object.entries(calls)) {
        expect(await failure(run), `${call} of ${name}`).toStrictEqual(misuse)
      }
    }
    expect(await Array.fromAsync(db.list({ prefix: [] }))).toStrictEqual([])
  },

  'a wrong option gets an error that says why, once for each option': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const list = (options: object) => Array.fromAsync(db.list({ prefix: [] }, options))
    expect(await failure(() => list({ limit: 2 ** 60 }))).toMatchObject({
      name: 'RangeError',
      message: 'limit must be at most 9007199254740991 (got 1152921504606847000)',
    })
    expect(await failure(() => list({ limmit: 1 }))).toMatchObject({
      name: 'TypeError',
      message: expect.stringMatching(
        /There are limit, cursor, reverse, batchSize, signal, consistency, raw$/,
      ),
    })
  },

  'a key may have 2,048 bytes': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const key = ['x'.repeat(2_046)]
    await db.set(key, 1)
    expect((await db.get(key)).value).toBe(1)
    expect(await Array.fromAsync(db.list({ prefix: [] }))).toHaveLength(1)
  },

  'limits.keyBytes sets how long a key may be, everywhere': async (place) => {
    await using db = await Valkeyrie.withSchema(['a', '*'], z.int()).open(place.path(), {
      limits: { keyBytes: 5_000 },
    })
    const id = 'x'.repeat(4_000)
    await db.repositories.a.set(id, 1)
    expect(await Array.fromAsync(db.repositories.a.list({ start: id }))).toHaveLength(1)
    expect(await Array.fromAsync(db.list({ prefix: ['a'], start: ['a', id] }))).toHaveLength(1)
    await using small = await Valkeyrie.open(place.path(), { limits: { keyBytes: 10 } })
    await small.set(['12345678'], 1)
    expect(await failure(() => small.set(['123456789'], 1))).toBeInstanceOf(RangeError)
  },

  'rows with long keys are found, watched and deleted as others are': async (place) => {
    const book = z.object({ pages: z.int() })
    await using db = await Valkeyrie.withSchema(['books', '*'], book)
      .withSchema(['books', '*', 'notes', '*'], z.string())
      .open(place.path(), { limits: { keyBytes: 5_000 } })
    const { books, booksNotes } = db.repositories
    const id = 'x'.repeat(4_000)
    const { versionstamp } = await books.set(id, { pages: 1 })
    await books.set(`${id}y`, { pages: 2 })
    await booksNotes.set([id, 'a'], 'long')

    const orderBy = { pages: 'asc' } as const
    for (const $id of [id, { in: [id] }, { startsWith: `${id}y` }, { gt: id }])
      expect(await books.findMany({ where: { $id } })).toHaveLength(1)

    const { cursor } = await books.findPage({ orderBy, limit: 1 })
    const { entries } = await books.findPage({ orderBy, limit: 1, after: cursor! })
    expect(entries.map(({ value }) => value.pages)).toEqual([2])

    const [first] = await books.findMany({ orderBy, with: { booksNotes: true } })
    expect(first!.booksNotes.map(({ value }) => value)).toEqual(['long'])

    const results = books.watchMany({ orderBy, with: { booksNotes: true } }).getReader()
    const { value: watched } = await results.read()
    await results.cancel()
    expect(watched!.map((row) => row.booksNotes.length)).toEqual([1, 0])

    const changes = db.changes({ prefix: ['books', id], since: versionstamp }).getReader()
    const { value: change } = await changes.read()
    await changes.cancel()
    expect(change!.key).toEqual(['books', id, 'notes', 'a'])

    expect((await books.deleteMany({ where: {} })).count).toBe(2)
  },

  'values that cannot be stored are refused with the path of what is wrong': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    class Point {
      x = 1
    }
    for (const [value, path] of [
      [() => {}, 'value'],
      [Symbol('a'), 'value'],
      [{ a: [1, { b: () => {} }] }, 'value.a[1].b'],
      [{ a: new KvU64(1n) }, 'value.a'],
      [new Point(), 'value'],
      [{ when: new Date(Number.NaN) }, 'value.when'],
      [new WeakMap(), 'value'],
      [Promise.resolve(1), 'value'],
    ] as const) {
      for (const write of [
        () => db.set(['a'], value),
        () => db.atomic().set(['b'], 1).set(['a'], value).commit(),
        () => db.enqueue(value),
        () => db.atomic().set(['b'], 1).enqueue(value).commit(),
      ]) {
        const error = await failure(write)
        expect(error, path).toBeInstanceOf(TypeError)
        // Of the value itself, wherever it is put.
        expect((error as Error).message.split(' ')[0]).toBe(path)
      }
    }
    expect(await Array.fromAsync(db.list({ prefix: [] }))).toStrictEqual([])
  },

  'a value over limits.valueBytes is a RangeError': async (place) => {
    await using db = await Valkeyrie.open(place.path(), { limits: { valueBytes: 100 } })
    await db.set(['a'], new Uint8Array(100))
    await db.set(['b'], 'x'.repeat(98))
    for (const value of [
      new Uint8Array(101),
      'x'.repeat(99),
      'ü'.repeat(50),
      { a: new Date(), b: 'x'.repeat(60) },
    ]) {
      expect(await failure(() => db.set(['c'], value))).toBeInstanceOf(RangeError)
      expect(await failure(() => db.atomic().set(['c'], value).commit())).toBeInstanceOf(RangeError)
    }
    expect((await db.get(['c'])).versionstamp).toBeNull()
    await using unset = await Valkeyrie.open(place.path(), { limits: { valueBytes: undefined } as never })
    expect(await failure(() => unset.set(['a'], new Uint8Array(16 * 1024 * 1024 + 1)))).toBeInstanceOf(
      RangeError,
    )
  },

  'limits.commitOperations counts checks and mutations': async (place) => {
    await using db = await Valkeyrie.open(place.path(), { limits: { commitOperations: 3 } })
    const none = { versionstamp: null }
    await db
      .atomic()
      .check({ key: ['x'], ...none })
      .set(['a'], 1)
      .set(['b'], 1)
      .commit()
    expect(
      await failure(() => db.atomic().set(['c'], 1).set(['d'], 1).set(['e'], 1).set(['f'], 1).commit()),
    ).toBeInstanceOf(RangeError)
    const checks = ['c', 'd', 'e', 'f'].map((key) => ({ key: [key], ...none }))
    expect(
      await failure(() =>
        db
          .atomic()
          .check(...checks)
          .commit(),
      ),
    ).toBeInstanceOf(RangeError)
    expect(
      await failure(() => db.atomic().check(checks[0]!, checks[1]!).set(['c'], 1).set(['d'], 1).commit()),
    ).toBeInstanceOf(RangeError)
    expect((await db.get(['c'])).versionstamp).toBeNull()
  },

  'an expireIn beyond the last Date gets an error that says how long it may be': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    for (const expireIn of [2 ** 53 - 1, Number.POSITIVE_INFINITY, 1e300]) {
      const error = await failure(() => db.set(['a'], 1, { expireIn }))
      expect(error).toBeInstanceOf(RangeError)
      expect((error as Error).message).toMatch(/^expireIn must be at most \d+ ms now/)
    }
    const most = 8_640_000_000_000_000 - Date.now()
    await db.set(['a'], 1, { expireIn: most - 60_000 })
    expect((await db.get(['a'])).value).toBe(1)
  },

  'expireIn must be a number of milliseconds above zero': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, counters } = db.repositories
    await users.set('alice', alice)
    for (const bad of [
      0,
      -1,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      1e300,
      2 ** 53 - 1,
      '1000',
      null,
      5n,
      {},
    ]) {
      const options = { expireIn: bad as number }
      const calls: Record<string, () => unknown> = {
        set: () => db.set(['a'], 1, options),
        'users.set': () => users.set('bob', alice, options),
        'users.insert': () => users.insert('bob', alice, options),
        'users.create': () => users.create(alice, options),
        'users.update': () => users.update('alice', { age: 1 }, options),
        'users.insertMany': () => users.insertMany([['bob', alice]], options),
        'counters.sum': () => counters.sum('a', 1n, options),
        'atomic set': () => db.atomic().set(['b'], 1).set(['a'], 1, options).commit(),
        'atomic sum': () => db.atomic().set(['b'], 1).sum(['counters', 'a'], 1n, options).commit(),
        mutate: () =>
          db
            .atomic()
            .mutate({ type: 'set', key: ['a'], value: 1, ...options })
            .commit(),
      }
      if (bad !== null) calls['users.touch'] = () => users.touch('alice', options)
      for (const [call, run] of Object.entries(calls)) {
        expect(await failure(run), `${call} with ${String(bad)}`).toStrictEqual(misuse)
      }
    }
    expect(await failure(() => users.touch('alice', {} as never))).toStrictEqual(misuse)
    expect(await failure(() => users.touch('alice', undefined as never))).toStrictEqual(misuse)
    expect(await Array.fromAsync(db.list({ prefix: [] }))).toMatchObject([{ value: alice }])
  },

  'options that a call does not have are refused': async (place) => {
    await using db = await schemas.open(place.path())
    const { users } = db.repositories
    const wrong = { expiresIn: 5 } as never
    for (const call of [
      () => db.set(['a'], 1, wrong),
      () => db.set(['a'], 1, 5 as never),
      () => db.set(['a'], 1, null as never),
      () => db.get(['a'], wrong),
      () => db.get(['a'], { consistency: 'weak' as never }),
      () => db.get(['a'], { signal: AbortSignal.abort(), Raw: true } as never),
      () => db.getMany([['a']], wrong),
      () => db.getMany([['a']], { raw: 1 as never }),
      () => db.watch([['a']], wrong),
      () => db.watch([['a']], { consistency: true as never }),
      () => db.watch([['a']], { signal: {} as never }),
      () => db.list({ prefix: [] }, { consistency: 'none' as never }),
      () => db.list({ prefix: [] }, { Limit: 5 } as never),
      () => db.changes(wrong),
      () => db.unitOfWork(() => 1, wrong),
      () => db.unitOfWork((unit) => unit.get(['a'], wrong)),
      () => db.unitOfWork((unit) => unit.list({ prefix: [] }, wrong)),
      () => users.list(wrong),
      () => users.watch('a', wrong),
      () => users.watchMany({}, wrong),
      () => users.changes(wrong),
      () => users.updateMany({ where: {}, set: {}, expiresIn: 5 } as never),
      () => users.deleteMany({ where: {}, expireIn: 5 } as never),
      () => db.list({ prefix: [] }, wrong),
      () => db.list({ prefix: [] }, { limit: 0 }),
      () => db.list({ prefix: [] }, { limit: 1.5 }),
      () => db.list({ prefix: [] }, { limit: '5' as never }),
      () => db.list({ prefix: [] }, { batchSize: 0 }),
      () => db.list({ prefix: [] }, { reverse: 'yes' as never }),
      () => users.insert('a', alice, wrong),
      () => users.set('a', alice, wrong),
      () => users.create(alice, wrong),
      () => users.update('a', {}, wrong),
      () => users.touch('a', wrong),
      () => users.list({}, wrong),
      () => users.count(wrong),
      () => users.insertMany([], wrong),
      () => db.atomic().set(['a'], 1, wrong).commit(),
    ]) {
      expect(await failure(call), call.toString()).toStrictEqual(misuse)
    }
    expect(await Array.fromAsync(db.list({ prefix: [] }))).toStrictEqual([])
  },

  'options that open does not have are refused': async (place) => {
    for (const options of [
      { readonly: true },
      { unknown: 1 },
      { durability: 'fast' },
      { busyTimeout: -1 },
      { busyTimeout: Number.NaN },
      { busyTimeout: '5' },
      { readOnly: 'yes' },
      { limits: { keybytes: 1 } },
      { limits: { keyBytes: 0 } },
      { limits: 5 },
      { log: { keepRows: 0 } },
      { log: { keep: 1 } },
      { logger: {} },
      5,
      null,
      [],
    ]) {
      const error = await failure(() => Valkeyrie.open(place.path(), options as never))
      expect(error, JSON.stringify(options)).toStrictEqual(misuse)
    }
    expect(String(await failure(() => Valkeyrie.open(place.path(), { readonly: true } as never)))).toContain(
      "write 'readOnly'",
    )
    for (const path of [5, '', ' ', null, {}, 'a\0b', ':memory', ':data.db', 'file:x.db', 'FILE:///x.db']) {
      expect(await failure(() => Valkeyrie.open(path as never)), String(path)).toStrictEqual(misuse)
    }
  },

  'a handle that is opened with readOnly says so in every write, and reads': async (place) => {
    const path = place.path()
    if (path === undefined) return
    await using db = await schemas.open(path)
    await db.repositories.users.set('alice', alice)
    await using reader = await schemas.open(path, { readOnly: true })
    const { users } = reader.repositories
    const where = { name: alice.name }
    for (const write of [
      () => reader.set(['a'], 1),
      () => reader.delete(['users', 'alice']),
      () =>
        reader
          .atomic()
          .check({ key: ['a'], versionstamp: null })
          .set(['a'], 1)
          .commit(),
      () => reader.enqueue('a message'),
      () => reader.clear(),
      () => reader.cleanup(),
      () => users.set('bob', alice),
      () => users.insert('bob', alice),
      () => users.insertMany([['bob', alice]]),
      () => users.update('alice', { name: 'Al' }),
      () => users.upsert('alice', { create: alice, update: { name: 'Al' } }),
      () => users.updateMany({ where, set: { name: 'Al' } }),
      () => users.claimMany({ where, limit: 1, set: { name: 'Al' } }),
      () => users.touch('alice', { expireIn: 1_000 }),
      () => users.delete('alice'),
      () => users.deleteMany({ where }),
      () => reader.unitOfWork((unit) => unit.repositories.users.update('alice', { name: 'Al' })),
    ]) {
      const error = await failure(write)
      expect(error, write.toString()).toBeInstanceOf(StorageError)
      expect(String(error), write.toString()).toMatch(
        /The database was opened with readOnly: nothing was written \((SQLITE_READONLY|25006)\)/,
      )
    }
    expect((await users.findMany()).map(({ value }) => value)).toEqual([alice])
  },

  'invalid selectors are refused': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    for (const selector of [
      undefined,
      null,
      'a',
      [],
      {},
      { prefix: 'a' },
      { start: ['a'] },
      { end: ['a'] },
      { start: ['b'], end: ['a'] },
      { prefix: ['a'], start: ['b'] },
      { prefix: ['a'], end: ['b'] },
      { prefix: ['a'], start: ['a', 'b'], end: ['a', 'c'] },
      { prefix: [Number.NaN] },
      { prefix: ['*'] },
      { prefix: ['a'], limit: 5 },
    ]) {
      expect(await failure(() => db.list(selector as never)), JSON.stringify(selector)).toStrictEqual(misuse)
    }
  },

  'foreign cursors are refused': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.atomic().set(['a', 1], 1).set(['a', 2], 1).set(['b', 1], 1).commit()
    const other = db.list({ prefix: ['b'] })
    await other.next()
    for (const cursor of [other.cursor, 'hello', 'AAAA', '!!', 5, null, {}]) {
      expect(await failure(() => db.list({ prefix: ['a'] }, { cursor: cursor as never }))).toStrictEqual(
        misuse,
      )
    }
  },

  'ids that do not fit the pattern are refused': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, posts } = db.repositories
    const site = db.repositories.site as unknown as typeof users
    for (const call of [
      () => users.get(undefined as never),
      () => users.get(null as never),
      () => users.get(['alice'] as never),
      () => users.get('*'),
      () => users.get(Number.NaN),
      () => users.set(['a', 'b'] as never, alice),
      () => users.exists({} as never),
      () => users.delete(['a'] as never),
      () => users.getMany('alice' as never),
      () => users.getMany(undefined as never),
      () => users.getMany(['a', ['b']] as never),
      () => posts.get('alice' as never),
      () => posts.get(['alice'] as never),
      () => posts.get(['alice', 1, 2] as never),
      () => posts.get(['alice', undefined] as never),
      () => posts.get(['alice', '*']),
      () => posts.set([] as never, { title: 'a' }),
      () => posts.insertMany([['alice', { title: 'a' }]] as never),
      () => site.get('a'),
      () => site.exists('a'),
      () => site.delete('a'),
    ]) {
      expect(await failure(call), call.toString()).toStrictEqual(misuse)
    }
    expect(await Array.fromAsync(db.list({ prefix: [] }))).toStrictEqual([])
  },

  'a wildcard in an id makes no key': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, posts } = db.repositories
    const refusal = "Key part 1 is '*', which stands for any part in a pattern and cannot be part of a key"
    expect(() => users.key('*')).toThrow(new TypeError(refusal))
    expect(() => posts.key(['alice', '*'])).toThrow(TypeError)
    await db.unitOfWork((unit) => expect(() => unit.repositories.users.key('*')).toThrow(TypeError))
  },

  'an unknown option is told all that the call takes, its signal too': async (place) => {
    await using db = await schemas.open(place.path())
    const users = db.repositories.users as unknown as Untyped
    const counters = db.repositories.counters as unknown as Untyped
    const foo = { foo: 1 }
    const inAnother = ', and signal in a second argument'
    const told: readonly [() => Promise<unknown>, string][] = [
      [() => db.set(['a'], 1, foo as object), 'expireIn, keepExpiry, signal'],
      [() => db.delete(['a'], foo as object), 'signal'],
      [() => users['insert']!('a', alice, foo), 'expireIn, signal'],
      [() => users['insert']!('a', alice, { ...foo, signal: undefined }), 'expireIn, signal'],
      [() => users['create']!(alice, foo), 'prefix, expireIn, signal'],
      [() => users['set']!('a', alice, foo), 'expireIn, keepExpiry, signal'],
      [() => users['update']!('a', {}, foo), 'expireIn, ifVersion, signal'],
      [() => users['upsert']!('a', { create: alice, update: {} }, foo), 'expireIn, signal'],
      [() => users['delete']!('a', foo), 'ifVersion, signal'],
      [() => users['touch']!('a', { expireIn: 1, ...foo }), 'expireIn, signal'],
      [() => counters['sum']!('a', 1n, foo), 'expireIn, signal'],
      [() => counters['max']!('a', 1n, foo), 'expireIn, signal'],
      [() => users['insertMany']!([], foo), 'onProgress, signal, expireIn'],
      [() => users['count']!(foo), `where, prefix${inAnother}`],
      [() => users['count']!({}, foo), 'signal'],
      [() => users['aggregate']!({ count: true, ...foo }), `limit${inAnother}`],
      [() => users['updateMany']!({ where: {}, ...foo }), `returning${inAnother}`],
      [() => users['deleteMany']!({ where: {}, ...foo }), `where, prefix, returning${inAnother}`],
      [() => users['claimMany']!({ where: {}, ...foo }), inAnother],
    ]
    for (const [call, names] of told) {
      const error = await failure(call)
      expect(error, String(call)).toMatchObject({ name: 'TypeError' })
      const { message } = error as TypeError
      expect(message.startsWith("There is no option 'foo' of "), message).toBe(true)
      expect(message.endsWith(names), message).toBe(true)
    }
    const refused = await failure(() => db.atomic().set(['a'], 1, { signal: null } as object))
    expect(refused).toMatchObject({ message: expect.stringMatching(/there are expireIn, keepExpiry$/) })
  },

  'arithmetic takes a bigint or a KvU64': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    for (const n of [1, '1', null, undefined, 2n ** 64n, -(2n ** 64n), { value: 1n }]) {
      for (const type of ['sum', 'max', 'min'] as const) {
        expect(
          await failure(() =>
            db
              .atomic()
              [type](['n'], n as bigint)
              .commit(),
          ),
        ).toStrictEqual(misuse)
      }
    }
    expect(await failure(() => db.atomic().max(['n'], -1n).commit())).toBeInstanceOf(RangeError)
    expect(await failure(() => db.atomic().min(['n'], -1n).commit())).toBeInstanceOf(RangeError)
    expect((await db.get(['n'])).versionstamp).toBeNull()
  },

  'invalid checks and mutations are refused': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    for (const versionstamp of [undefined, '', 'x', '00', 5, '0000000000000000000G', 'f'.repeat(20)]) {
      expect(
        await failure(() =>
          db
            .atomic()
            .check({ key: ['a'], versionstamp: versionstamp as never })
            .set(['a'], 1)
            .commit(),
        ),
        String(versionstamp),
      ).toStrictEqual(misuse)
    }
    expect(
      await failure(() =>
        db
          .atomic()
          .mutate({ type: 'add', key: ['a'] } as never)
          .commit(),
      ),
    ).toStrictEqual(misuse)
    for (const bad of [undefined, null, 5, 'a'] as never[]) {
      expect(await failure(() => db.atomic().check(bad).set(['a'], 1).commit())).toStrictEqual(misuse)
      expect(await failure(() => db.atomic().mutate(bad).set(['a'], 1).commit())).toStrictEqual(misuse)
    }
    expect((await db.get(['a'])).versionstamp).toBeNull()
  },

  'an atomic operation refuses an argument where it is written, and commits nothing afterwards': async (
    place,
  ) => {
    await using db = await Valkeyrie.withSchema(['users', '*'], z.string()).open(place.path())
    for (const call of [
      (op) => op.set(['users', '*'], 'x' as never),
      (op) => op.set([], 'x'),
      (op) => op.set(['a'], 1, { expireIn: -1 }),
      (op) => op.set(['a'], 1, { expirein: 5 } as never),
      (op) => op.delete(['users', '*']),
      (op) => op.sum(['a'], 1 as never),
      (op) => op.max(['*' as string], 1n),
      (op) => op.check({ key: ['a'], versionstamp: 'no' }),
      (op) => op.check({ key: ['*'], versionstamp: null }),
      (op) => op.mutate({ type: 'add', key: ['a'] } as never),
      (op) => op.mutate({ type: 'toString', key: ['a'] } as never),
      (op) => op.mutate({ type: 'touch', key: ['a'], expiresAt: 5 } as never),
      (op) => op.mutate({ key: ['a'] } as never),
      (op) => op.mutate({ type: 'delete', key: ['a'], value: 1 } as never),
      (op) => op.mutate({ type: 'delete', key: ['a'], expireIn: 5 } as never),
      (op) => op.mutate({ type: 'set', key: ['a'] } as never),
      (op) => op.mutate({ type: 'set', key: ['a'], value: 1, expirein: 5 } as never),
      (op) => op.mutate({ type: 'set', key: ['a'], value: 1, versionstamp: null } as never),
      (op) => op.mutate({ type: 'sum', key: ['a'], value: 1n, n: 1n } as never),
      (op) => op.mutate({ type: 'set', key: ['a'], value: 1 }, { type: 'delete', key: ['*'] }),
    ] as ((op: AtomicOperation<never>) => unknown)[]) {
      const operation = db.atomic().set(['kept'], 1) as never as AtomicOperation<never>
      expect(await failure(() => call(operation)), call.toString()).toStrictEqual(misuse)
      expect(() => call(db.atomic() as never), call.toString()).toThrow()
      expect(await failure(() => operation.set(['b'] as never, 1 as never).commit())).toStrictEqual(misuse)
    }
    expect(
      String(
        await failure(() => db.atomic().mutate({ type: 'set', key: ['a'], value: 1, expirein: 5 } as never)),
      ),
    ).toContain("write 'expireIn'")
    expect(await Array.fromAsync(db.list({ prefix: [] }))).toStrictEqual([])
  },

  'arguments of the wrong kind are refused by other calls': async (place) => {
    await using db = await schemas.open(place.path())
    const { users } = db.repositories
    const from = { prefix: ['a'], keyProperty: 'id' } as const
    for (const call of [
      () => users.insertMany([1] as never),
      () => users.insertMany([null] as never),
      () => users.insertMany('ab' as never),
      () => users.insertMany([], { signal: {} as never }),
      () => users.insertMany([], { onProgress: 5 as never }),
      () => users.findMany(null as never),
      () => users.findFirst(null as never),
      () => users.findFirst([] as never),
      () => users.findPage(null as never),
      () => users.count(null as never),
      () => users.aggregate(undefined as never),
      () => users.updateMany(undefined as never),
      () => users.deleteMany(null as never),
      () => users.prepare(undefined as never),
      () => db.repository(undefined as never),
      () => db.repository(null as never),
      () => db.repository({} as never),
      () => db.unitOfWork(undefined as never),
      () => db.unitOfWork(() => 1, { deadline: 'soon' as never }),
      () => db.unitOfWork(() => 1, { deadline: null as never }),
      () => db.unitOfWork(() => 1, { deadline: new Date(Number.NaN) }),
      () => db.unitOfWork(() => 1, { retries: 1.5 }),
      () => db.unitOfWork(() => 1, { signal: {} as never }),
      () => Valkeyrie.from(null as never, from),
      () => Valkeyrie.from(5 as never, from),
      () => Valkeyrie.fromAsync(undefined as never, from),
      () => Valkeyrie.from([], { ...from, onProgress: 5 as never }),
      () => Valkeyrie.from([], { ...from, onErrorCallback: 'log' as never }),
      () => Valkeyrie.withSchemas(undefined as never),
      () => Valkeyrie.withSchemas([{}] as never),
      () => Valkeyrie.withSchemas([null] as never),
    ]) {
      expect(await failure(call), call.toString()).toStrictEqual(misuse)
    }
    expect(await Array.fromAsync(db.list({ prefix: [] }))).toStrictEqual([])
  },
}
