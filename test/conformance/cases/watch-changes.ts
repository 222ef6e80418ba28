import { type Change, defineValueType, LogTrimmedError, Valkeyrie } from 'valkeyrie'
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

  'a backlog of many pages is read in order, through a loop as through a pipe': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const lines: string[] = []
    for (let n = 0; n < 600; n++) {
      // Two thirds of the keys are written once, the others again and again.
      const key = n % 3 === 0 ? ['often', n % 7] : ['once', n]
      const isNewest = n % 3 !== 0 || n + 21 >= 600
      const value = n % 50 === 49 ? `${n}`.padEnd(70_000, 'x') : n
      await db.set(key, value)
      lines.push(`set ${key.join('/')} ${isNewest ? JSON.stringify(value) : 'superseded'}`)
    }
    const changes = () => db.changes({ since: beginning })
    const piped = changes().pipeThrough(
      new TransformStream<Change, string>({ transform: (change, out) => out.enqueue(line(change)) }),
    )
    const looped: string[] = []
    for await (const change of changes()) if (looped.push(line(change)) === lines.length) break
    expect(looped).toEqual(lines)
    expect(await take(piped.getReader(), lines.length)).toEqual(lines)
  },

  'a value that is overwritten while others before it are read is superseded': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const reader = db.changes().getReader()
    const lines = (value: string, from = 0) =>
      Array.from({ length: 20 - from }, (_, n) => `set n/${from + n} ${value}`)
    for (let n = 0; n < 20; n++) await db.set(['n', n], 'old')
    expect((await take(reader, 9)).map(line)).toEqual(lines('"old"').slice(0, 9))
    for (let n = 0; n < 20; n++) await db.set(['n', n], 'new')
    expect((await take(reader, 11)).map(line)).toEqual(lines('superseded', 9))
    expect((await take(reader, 20)).map(line)).toEqual(lines('"new"'))
    await reader.cancel()
  },

  'a value that another process overwrites meanwhile is never given with another version': async (place) => {
    const path = place.path()
    await using db = await Valkeyrie.open(path)
    await using other = path === undefined ? null : await Valkeyrie.open(path)
    const reader = db.changes().getReader()
    for (let n = 0; n < 20; n++) await db.set(['n', n], 'old')
    await take(reader, 9)
    for (let n = 0; n < 20; n++) await (other ?? db).set(['n', n], 'new')
    const rest = (await take(reader, 11)).map(line)
    for (const [at, read] of rest.entries())
      expect([`set n/${at + 9} "old"`, `set n/${at + 9} superseded`]).toContain(read)
    expect((await take(reader, 20)).map(line)).toEqual(
      Array.from({ length: 20 }, (_, n) => `set n/${n} "new"`),
    )
    await reader.cancel()
  },

  'a value that expires while others before it are read is not given': async (place) => {
    const clock = stillClock()
    await using db = await Valkeyrie.open(place.path())
    const reader = db.changes().getReader()
    for (let n = 0; n < 12; n++) await db.set(['n', n], n, { expireIn: n === 5 ? 50 : 1_000_000 })
    expect((await take(reader, 4)).map(line)).toEqual([0, 1, 2, 3].map((n) => `set n/${n} ${n}`))
    clock.advance(1_100)
    expect((await take(reader, 3)).map(line)).toEqual(['set n/4 4', 'set n/5 superseded', 'set n/6 6'])
    expect((await take(reader, 6)).map(line)).toContain('expire n/5 null')
    await reader.cancel()
  },

  'a value that cannot be decoded fails at its change, after those before it': async (place) => {
    class Mark {}
    const mark = defineValueType({
      name: 'Mark',
      class: Mark,
      encode: () => 0,
      decode: () => {
        throw new Error('no mark')
      },
    })
    await using db = await Valkeyrie.open(place.path(), { valueTypes: [mark] })
    for (let n = 0; n < 30; n++) await db.set(['n', n], n === 20 ? new Mark() : n)
    const reader = db.changes({ since: beginning }).getReader()
    expect((await take(reader, 20)).map(line)).toEqual(
      Array.from({ length: 20 }, (_, n) => `set n/${n} ${n}`),
    )
    await expect(reader.read()).rejects.toMatchObject({ code: 'CORRUPT_VALUE', key: ['n', 20] })
  },

  'a stream that ends while it reads ahead gives nothing more': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    for (let n = 0; n < 30; n++) await db.set(['n', n], n)
    const controller = new AbortController()
    const reader = db.changes({ since: beginning, signal: controller.signal }).getReader()
    expect((await take(reader, 9)).map(line).at(-1)).toBe('set n/8 8')
    const reads = [reader.read(), reader.read()]
    controller.abort()
    for (const read of reads) expect(await read).toEqual({ done: true, value: undefined })
    expect(await reader.read()).toEqual({ done: true, value: undefined })
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
