import { type Change, LogTrimmedError, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { stillClock } from '../../still-clock.ts'
import type { Cases } from '../suite.ts'
import { isPending, next } from '../watching.ts'
import { alice, bob, schemas } from './schemas.ts'

const beginning = '0'.repeat(20)

/** What a change says, on one line. */
const line = ({ type, key, value, superseded }: Change) =>
  `${type} ${key.join('/')} ${superseded ? 'superseded' : JSON.stringify(value)}`

async function take<C>(reader: ReadableStreamDefaultReader<C>, count: number): Promise<C[]> {
  const changes: C[] = []
  while (changes.length < count) changes.push(await next(reader))
  return changes
}

export const watchChangesCases: Cases = {
  'reports what is committed after the call, in commit order': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.set(['before'], 0)
    const reader = db.changes().getReader()
    const { versionstamp } = await db.set(['a'], 1)
    await db.atomic().set(['b'], 2).delete(['before']).commit()
    await db.delete(['nothing'])
    await db.set(['c'], 3)
    expect(await next(reader)).toStrictEqual({ type: 'set', key: ['a'], versionstamp, value: 1 })
    const [b, before, c] = await take(reader, 3)
    expect([b!, before!, c!].map(line)).toEqual(['set b 2', 'delete before null', 'set c 3'])
    expect(b!.versionstamp).toBe(before!.versionstamp)
    expect(await isPending(reader.read())).toBe(true)
    await reader.cancel()
  },

  'reports what is committed right after the call, and nothing from before': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    for (let n = 0; n < 20; n++) {
      await db.set(['before'], n)
      const readers = Array.from({ length: 4 }, () => db.changes().getReader())
      await (n % 2 === 0 ? db.set(['a'], n) : db.unitOfWork((unit) => unit.set(['a'], n)))
      for (const reader of readers) {
        expect(line(await next(reader))).toBe(`set a ${n}`)
        await reader.cancel()
      }
    }
  },

  'a read that waits gets the next change': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const reader = db.changes({ prefix: ['in'] }).getReader()
    for (let i = 0; i < 3; i++) {
      const read = next(reader)
      await db.set(['out', i], i)
      expect(await isPending(read)).toBe(true)
      await db.set(['in', i], i)
      expect(line(await read)).toBe(`set in/${i} ${i}`)
    }
    await reader.cancel()
  },

  'an overwritten value is marked superseded': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const reader = db.changes().getReader()
    for (const value of [1, 2]) await db.set(['a'], value)
    await db.set(['b'], 1)
    await db.delete(['b'])
    expect((await take(reader, 4)).map(line)).toEqual([
      'set a superseded',
      'set a 2',
      'set b superseded',
      'delete b null',
    ])
    await reader.cancel()
  },

  'with log: { values: true } every value is included': async (place) => {
    await using db = await Valkeyrie.open(place.path(), { log: { values: true } })
    const reader = db.changes().getReader()
    const values = [1, 'text', { at: new Date(0) }, new Uint8Array([1, 2, 3])]
    for (const value of values) await db.set(['a'], value)
    await db.delete(['a'])
    const changes = await take(reader, 5)
    expect(changes.slice(0, 4).map(({ value }) => value)).toStrictEqual(values)
    expect(changes.some(({ superseded }) => superseded)).toBe(false)
    expect(line(changes[4]!)).toBe('delete a null')
    await reader.cancel()
  },

  'a commit that changes a key twice reports the result, once': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const reader = db.changes().getReader()
    await db.atomic().set(['a'], 1).set(['b'], 1).delete(['b']).set(['a'], 2).commit()
    await db.set(['end'], 1)
    expect((await take(reader, 3)).map(line).sort()).toEqual(['delete b null', 'set a 2', 'set end 1'])
    await reader.cancel()
  },

  'a repository reports the changes of its own rows, with their ids': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, posts, root, site } = db.repositories
    const reader = users.changes().getReader()
    const nested = posts.changes().getReader()
    const single = site.changes().getReader()
    await root.set({ name: 'Root', age: 1 })
    await posts.set(['alice', 1], { title: 'Hello' })
    const { versionstamp } = await users.insert('alice', alice)
    await site.set({ title: 'Home' })
    await users.delete('alice')
    await users.set('bob', bob)
    const [first, second, third] = await take(reader, 3)
    expect(first).toStrictEqual({
      type: 'set',
      id: 'alice',
      key: ['users', 'alice'],
      versionstamp,
      value: null,
      superseded: true,
    })
    expect([second, third]).toMatchObject([
      { type: 'delete', id: 'alice', value: null },
      { type: 'set', id: 'bob', value: bob },
    ])
    expect(await next(nested)).toMatchObject({ type: 'set', id: ['alice', 1], value: { title: 'Hello' } })
    expect(await next(single)).toMatchObject({ id: undefined, key: ['site'], value: { title: 'Home' } })
    await Promise.all([reader, nested, single].map((reader) => reader.cancel()))
  },

  'an expired row is reported as expire, once': async (place) => {
    const clock = stillClock()
    await using db = await Valkeyrie.open(place.path())
    const reader = db.changes().getReader()
    await db.set(['a'], 1, { expireIn: 50 })
    expect(line(await next(reader))).toBe('set a 1')
    clock.advance(50)
    expect(line(await next(reader))).toBe('expire a null')
    expect(await isPending(reader.read())).toBe(true)
    await reader.cancel()
  },

  'clear is reported as a delete of every key': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    for (const key of ['a', 'b', 'c']) await db.set([key], 1)
    const reader = db.changes().getReader()
    const read = next(reader)
    await db.clear()
    expect([await read, ...(await take(reader, 2))].map(line)).toEqual([
      'delete a null',
      'delete b null',
      'delete c null',
    ])
    await reader.cancel()
  },

  'continues from a versionstamp, misses nothing and repeats nothing': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const stamps: string[] = []
    for (let i = 0; i < 300; i++) stamps.push((await db.set(['n', i % 2], i)).versionstamp)
    for (const reached of [-1, 0, 255, 256, 298]) {
      const since = reached < 0 ? beginning : stamps[reached]!
      const reader = db.changes({ since }).getReader()
      const rest = await take(reader, 299 - reached)
      expect(rest.map(({ versionstamp }) => versionstamp)).toEqual(stamps.slice(reached + 1))
      expect(await isPending(reader.read())).toBe(true)
      await reader.cancel()
    }
  },

  'since older than the log keeps is a LogTrimmedError with the oldest version': async (place) => {
    await using db = await Valkeyrie.open(place.path(), { log: { keepRows: 10 } })
    const waiting = db.changes({ prefix: ['rare'] }).getReader()
    const read = next(waiting)
    for (let i = 0; i < 300; i++) await db.set(['n'], i)
    const reader = db.changes({ since: beginning }).getReader()
    const error = await reader.read().then(
      () => null,
      (error: unknown) => error,
    )
    expect(error).toBeInstanceOf(LogTrimmedError)
    const { code, oldest, message } = error as LogTrimmedError
    expect(code).toBe('LOG_TRIMMED')
    expect(message).toContain(oldest)
    const kept = db.changes({ since: oldest }).getReader()
    expect((await next(kept)).versionstamp > oldest).toBe(true)
    await kept.cancel()
    // One that waits all the while has missed nothing.
    await db.set(['rare', 1], 1)
    expect(line(await read)).toBe('set rare/1 1')
    await waiting.cancel()
  },

  'a since that is not a versionstamp of this database is refused': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    expect(() => db.changes({ since: 'yesterday' })).toThrow(TypeError)
    const reader = db.changes({ since: '00000000000000ffffff' }).getReader()
    await expect(reader.read()).rejects.toThrow('does it belong to another database?')
    expect(() => (db.changes as (options: unknown) => unknown)({ From: 1 })).toThrow(
      "There is no option 'From' of changes: there are prefix, since, signal",
    )
  },

  'abort and close end it': async (place) => {
    const db = await Valkeyrie.open(place.path())
    const controller = new AbortController()
    const aborted = db.changes({ signal: controller.signal }).getReader()
    const closed = db.changes().getReader()
    const reads = [aborted.read(), closed.read()]
    expect(await isPending(Promise.any(reads))).toBe(true)
    controller.abort()
    expect(await reads[0]).toMatchObject({ done: true })
    await db.close()
    expect(await reads[1]).toMatchObject({ done: true })
  },
}
