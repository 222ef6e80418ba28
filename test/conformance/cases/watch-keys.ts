import { getEventListeners } from 'node:events'
import { DatabaseClosedError, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { stillClock } from '../../still-clock.ts'
import type { Cases } from '../suite.ts'
import { isPending, next } from '../watching.ts'
import { alice, bob, schemas } from './schemas.ts'

export const watchKeysCases: Cases = {
  'gives null at first, then 42 after set': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const reader = db.watch([['counter']]).getReader()
    expect(await next(reader)).toStrictEqual([{ key: ['counter'], value: null, versionstamp: null }])
    const { versionstamp } = await db.set(['counter'], 42)
    expect(await next(reader)).toStrictEqual([{ key: ['counter'], value: 42, versionstamp }])
    await reader.cancel()
  },

  'without keys gives one empty tuple, then waits until it is ended': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const reader = db.watch([]).getReader()
    expect(await next(reader)).toStrictEqual([])
    const second = reader.read()
    await db.set(['a'], 1)
    await db.close()
    expect(await second).toStrictEqual({ done: true, value: undefined })
  },

  'gives the whole tuple each time one of several keys has changed': async (place) => {
    await using db = await schemas.open(place.path())
    await db.repositories.users.set('alice', alice)
    const reader = db
      .watch([
        ['users', 'alice'],
        ['users', 'alice', 'posts', 'p1'],
      ])
      .getReader()
    const [user, post] = await next(reader)
    expect([user.value?.name, post.value?.title]).toEqual(['Alice', undefined])
    await db.repositories.posts.set(['alice', 'p1'], { title: 'Hello' })
    const [sameUser, newPost] = await next(reader)
    expect([sameUser.value?.name, newPost.value?.title]).toEqual(['Alice', 'Hello'])
    expect(sameUser.versionstamp).toBe(user.versionstamp)
    await reader.cancel()
  },

  'wakes a read that waits, for set, delete, sum and clear': async (place) => {
    await using db = await schemas.open(place.path())
    const reader = db.watch([['counters', 'a']]).getReader()
    expect((await next(reader))[0].value).toBeNull()
    const changes: [() => Promise<unknown>, bigint | undefined][] = [
      [() => db.repositories.counters.sum('a', 5n), 5n],
      [() => db.atomic().sum(['counters', 'a'], 2n).commit(), 7n],
      [() => db.delete(['counters', 'a']), undefined],
      [() => db.repositories.counters.max('a', 9n), 9n],
      [() => db.clear(), undefined],
    ]
    for (const [change, expected] of changes) {
      const read = next(reader)
      expect(await isPending(read)).toBe(true)
      await change()
      expect((await read)[0].value?.value).toBe(expected)
    }
    await reader.cancel()
  },

  'a commit of a unit of work wakes it once': async (place) => {
    await using db = await schemas.open(place.path())
    const reader = db.repositories.users.watch(['alice', 'bob']).getReader()
    await next(reader)
    const read = next(reader)
    await db.unitOfWork(async (unit) => {
      await unit.repositories.users.set('alice', alice)
      expect(await isPending(read)).toBe(true)
      await unit.repositories.users.set('bob', bob)
    })
    expect((await read).map(({ value }) => value?.name)).toEqual(['Alice', 'Bob'])
    expect(await isPending(reader.read())).toBe(true)
    await reader.cancel()
  },

  '100 writes to other keys cause no emission': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const reader = db.watch([['a']]).getReader()
    await next(reader)
    const read = next(reader)
    for (let i = 0; i < 100; i++) await db.set(['b', i], i)
    expect(await isPending(read)).toBe(true)
    await db.set(['a'], 'now')
    expect((await read)[0].value).toBe('now')
    await reader.cancel()
  },

  'an atomic commit that changes three watched keys causes one emission': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const reader = db.watch([['a'], ['b'], ['c']]).getReader()
    await next(reader)
    const read = next(reader)
    await db.atomic().set(['a'], 1).set(['b'], 2).set(['c'], 3).commit()
    expect((await read).map(({ value }) => value)).toEqual([1, 2, 3])
    expect(await isPending(reader.read())).toBe(true)
    await reader.cancel()
  },

  'a commit that is rolled back causes no emission': async (place) => {
    await using db = await schemas.open(place.path())
    const key = ['counters', 'a'] as const
    const reader = db.watch([key]).getReader()
    await next(reader)
    const read = next(reader)
    await expect(db.atomic().sum(key, 1n).sum(key, -2n).commit()).rejects.toThrow(RangeError)
    const failed = await db
      .atomic()
      .check({ key, versionstamp: '00000000000000000001' })
      .sum(key, 1n)
      .commit()
    expect(failed.ok).toBe(false)
    await expect(
      db.unitOfWork(async (unit) => {
        await unit.repositories.counters.sum('a', 1n)
        throw new Error('changed its mind')
      }),
    ).rejects.toThrow('changed its mind')
    expect(await isPending(read)).toBe(true)
    await reader.cancel()
  },

  'a slow reader gets the newest state, not the ones in between': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const reader = db.watch([['n']]).getReader()
    await next(reader)
    for (let n = 1; n <= 50; n++) await db.set(['n'], n)
    expect((await next(reader))[0].value).toBe(50)
    expect(await isPending(reader.read())).toBe(true)
    await reader.cancel()
  },

  'a repository watches one id, several, and the one row of a pattern without wildcards': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, posts, site } = db.repositories
    await users.set('alice', alice)
    const one = users.watch('alice').getReader()
    expect(await next(one)).toMatchObject({ id: 'alice', key: ['users', 'alice'], value: alice })
    const none = { id: 'bob', key: ['users', 'bob'], value: null, versionstamp: null }
    const several = users.watch(['alice', 'bob']).getReader()
    expect(await next(several)).toMatchObject([{ id: 'alice', value: alice }, none])
    const nested = posts.watch(['alice', 1]).getReader()
    expect(await next(nested)).toMatchObject({ id: ['alice', 1], value: null })
    const severalNested = posts.watch([['alice', 1]]).getReader()
    expect(await next(severalNested)).toMatchObject([{ id: ['alice', 1], value: null }])
    const single = site.watch().getReader()
    expect(await next(single)).toMatchObject({ key: ['site'], value: null })
    await posts.set(['alice', 1], { title: 'Hello' })
    await site.set({ title: 'Home' })
    expect(await next(nested)).toMatchObject({ value: { title: 'Hello' } })
    expect(await next(severalNested)).toMatchObject([{ value: { title: 'Hello' } }])
    expect(await next(single)).toMatchObject({ value: { title: 'Home', visits: 0 } })
    expect(await isPending(one.read())).toBe(true)
  },

  'an expiring key is emitted as missing when its time has come, without anyone reading it': async (
    place,
  ) => {
    const clock = stillClock()
    await using db = await Valkeyrie.open(place.path())
    const reader = db.watch([['session'], ['other']]).getReader()
    for (const expireIn of [25, 40]) {
      await db.set(['session'], 'here', { expireIn })
      expect((await next(reader))[0].value).toBe('here')
      const missing = next(reader)
      clock.advance(expireIn - 1)
      expect(await isPending(missing)).toBe(true)
      clock.advance(1)
      expect((await missing)[0]).toStrictEqual({ key: ['session'], value: null, versionstamp: null })
    }
    await reader.cancel()
  },

  'for await: leaving the loop, and cancelling in finally, ends it': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.set(['key'], 'go')
    const stream = db.watch([['key']])
    const seen: unknown[] = []
    try {
      for await (const [entry] of stream) {
        seen.push(entry.value)
        if (entry.value === 'stop') break
        await db.set(['key'], 'stop')
      }
    } finally {
      await stream.getReader().cancel()
    }
    expect(seen).toEqual(['go', 'stop'])
  },

  'a loop over a reader ends at its stop condition, and when another call cancels it': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const reader = db.watch([['key']]).getReader()
    const seen: unknown[] = []
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        seen.push(value[0].value)
        if (seen.length === 2) setImmediate(() => reader.cancel())
        else await db.set(['key'], seen.length)
      }
    } finally {
      await reader.cancel()
    }
    expect(seen).toEqual([null, 1])
  },

  'close ends a pending read': async (place) => {
    const db = await Valkeyrie.open(place.path())
    const idle = db.watch([['key']]).getReader()
    const reader = db.watch([['key']]).getReader()
    await next(reader)
    const pending = reader.read()
    expect(await isPending(pending)).toBe(true)
    await db.close()
    expect(await pending).toStrictEqual({ done: true, value: undefined })
    expect(await reader.read()).toStrictEqual({ done: true, value: undefined })
    await reader.closed
    await idle.closed
  },

  'watching on a closed database fails with Database is closed': async (place) => {
    const db = await schemas.open(place.path())
    await db.close()
    const streams: (() => ReadableStream<unknown>)[] = [
      () => db.watch([['key']]),
      () => db.changes(),
      () => db.repositories.users.watch('alice'),
      () => db.repositories.users.changes(),
    ]
    for (const open of streams) {
      await expect(open().getReader().read()).rejects.toThrow(new DatabaseClosedError())
      await expect(Array.fromAsync(open())).rejects.toThrow('Database is closed')
    }
  },

  'an AbortSignal ends it, before it was read and while a read waits': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    expect(await Array.fromAsync(db.watch([['key']], { signal: AbortSignal.abort() }))).toEqual([])
    const controller = new AbortController()
    const reader = db.watch([['key']], { signal: controller.signal }).getReader()
    await next(reader)
    const pending = reader.read()
    expect(await isPending(pending)).toBe(true)
    controller.abort()
    expect(await pending).toStrictEqual({ done: true, value: undefined })
  },

  'cancel, abort, an error and close leave no listener behind': async (place) => {
    const db = await Valkeyrie.open(place.path())
    const { signal } = new AbortController()
    const count = () => getEventListeners(signal, 'abort').length
    const readers = Array.from({ length: 20 }, () => db.watch([['key']], { signal }).getReader())
    await Promise.all(readers.map(next))
    expect(count()).toBe(20)
    for (const reader of readers.slice(0, 10)) await reader.cancel()
    expect(count()).toBe(10)
    const feed = db.changes({ since: 'f'.repeat(10).padStart(20, '0'), signal }).getReader()
    expect(count()).toBe(11)
    await expect(feed.read()).rejects.toThrow(RangeError)
    expect(count()).toBe(10)
    await db.close()
    expect(count()).toBe(0)
    const controller = new AbortController()
    const aborted = db.watch([['key']], { signal: controller.signal })
    controller.abort()
    await expect(aborted.getReader().read()).rejects.toThrow('Database is closed')
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  },

  'tee gives both branches every state': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const [a, b] = db.watch([['key']]).tee()
    const [readerA, readerB] = [a.getReader(), b.getReader()]
    expect([(await next(readerA))[0].value, (await next(readerB))[0].value]).toEqual([null, null])
    await db.set(['key'], 1)
    expect([(await next(readerA))[0].value, (await next(readerB))[0].value]).toEqual([1, 1])
    await Promise.all([readerA.cancel(), readerB.cancel()])
  },

  'pipeTo writes each state, and ends with its signal': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const written: unknown[] = []
    const controller = new AbortController()
    const sink = new WritableStream<readonly { readonly value: unknown }[]>({
      async write([entry]) {
        written.push(entry!.value)
        if (written.length < 4) await db.set(['key'], written.length)
        else controller.abort()
      },
    })
    await db
      .watch([['key']])
      .pipeTo(sink, { signal: controller.signal })
      .catch(() => {})
    expect(written).toEqual([null, 1, 2, 3])
  },

  'a lock can be released and taken again, and the next reader gets the newest state': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const stream = db.watch([['key']])
    const first = stream.getReader()
    await next(first)
    const abandoned = first.read()
    expect(await isPending(abandoned)).toBe(true)
    first.releaseLock()
    await expect(abandoned).rejects.toThrow(TypeError)
    await db.set(['key'], 1)
    await db.set(['key'], 2)
    const second = stream.getReader()
    expect((await next(second))[0].value).toBe(2)
    const third = second.read()
    expect(await isPending(third)).toBe(true)
    await db.set(['key'], 3)
    expect(await third).toMatchObject({ value: [{ value: 3 }] })
    await second.cancel()
  },

  'misuse is a TypeError': async (place) => {
    await using db = await schemas.open(place.path())
    const call =
      (...args: unknown[]) =>
      () =>
        (db.watch as (...args: unknown[]) => unknown)(...args)
    expect(call(['key'])).toThrow("A key is an array of parts, such as ['users', 'alice']")
    expect(call('key')).toThrow("watch takes an array of keys, such as [['users', 'alice']]")
    expect(call([['a', '*']])).toThrow(TypeError)
    expect(call([['a']], { Signal: null })).toThrow("Misspelled option 'Signal' of watch: write 'signal'")
    expect(call([['a']], { signal: {} })).toThrow('The signal of watch must be an AbortSignal')
    await db.unitOfWork((unit) => {
      expect(() => unit.repositories.users.watch('alice')).toThrow(
        'A unit of work or a snapshot reads one state',
      )
    })
  },

  'the keys and entries are the caller’s own': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const key = ['a'] as string[]
    const reader = db.watch([key]).getReader()
    key[0] = 'b'
    const [entry] = await next(reader)
    ;(entry.key as string[])[0] = 'c'
    await db.set(['a'], 1)
    expect((await next(reader))[0]).toMatchObject({ key: ['a'], value: 1 })
    await reader.cancel()
  },
}
