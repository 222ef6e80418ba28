import { inspect } from 'node:util'
import { KvU64, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Cases, Place } from '../suite.ts'
import { firstOf } from '../watching.ts'
import { alice, bob, schemas } from './schemas.ts'

const minute = 60_000

/** Alice expires in a minute, Bob never; the times between which Alice was written. */
async function aliceAndBob(place: Place) {
  const { clockError = 0 } = place
  const db = await schemas.open(place.path())
  const { users, posts } = db.repositories
  const from = Date.now()
  await users.set('alice', alice, { expireIn: minute })
  const until = Date.now()
  await users.set('bob', bob)
  await posts.set(['bob', 1], { title: 'b' }, { expireIn: minute })
  const isInAMinute = (time: number | null | undefined) => {
    expect(time).toBeGreaterThanOrEqual(from + minute - clockError)
    expect(time).toBeLessThanOrEqual(until + minute + clockError)
    return true
  }
  return { db, users, posts, isInAMinute }
}

export const entryCases: Cases = {
  'a key is given back as it is stored, with 0 for -0': async (place) => {
    await using db = await Valkeyrie.withSchema(['rows', '*'], z.int())
      .withSchema(['cells', '*', '*'], z.int())
      .open(place.path())
    const { rows, cells } = db.repositories
    await rows.set(-0, 1)
    await cells.set([-0, -0], 2)
    const asked = ['rows', -0] as const
    const stored = ['rows', 0]
    const [listed] = await Array.fromAsync(db.list({ prefix: ['rows'] }))
    expect(listed!.key).toStrictEqual(stored)
    const gone = ['gone', -0] as const
    const [first, missing] = await db.getMany([asked, gone])
    for (const { key } of [await db.get(asked), first]) expect(key).toStrictEqual(stored)
    for (const { key } of [await db.get(gone), missing]) expect(key).toStrictEqual(['gone', 0])
    for await (const [watched] of db.watch([asked])) {
      expect(watched.key).toStrictEqual(stored)
      break
    }
    expect(asked[1]).toBe(-0)

    expect(rows.key(-0)).toStrictEqual(stored)
    const [inMany] = await rows.getMany([-0])
    for (const entry of [await rows.get(-0), inMany]) expect(entry).toMatchObject({ id: 0, key: stored })
    for await (const entry of rows.watch(-0)) {
      expect(entry).toMatchObject({ id: 0, key: stored })
      break
    }
    expect(await cells.get([-0, -0])).toMatchObject({ id: [0, 0], key: ['cells', 0, 0], value: 2 })
    expect(await rows.get(-0)).toStrictEqual(await rows.findFirst())
  },

  'an entry of a repository says when it expires, however it is read': async (place) => {
    const { db, users, isInAMinute } = await aliceAndBob(place)
    await using _ = db
    const query = { orderBy: { name: 'asc' }, with: { posts: true } } as const
    const reads: Record<string, () => Promise<readonly { readonly expiresAt: number | null }[]>> = {
      get: async () => [await users.get('alice'), await users.get('bob')],
      getMany: () => users.getMany(['alice', 'bob']),
      list: () => Array.fromAsync(users.list()),
      findMany: () => users.findMany(),
      'findMany with rows': () => users.findMany(query),
      'findMany of columns': () => users.findMany({ columns: { name: true } }),
      findFirst: async () =>
        [await users.findFirst(), await users.findFirst({ where: { name: 'Bob' } })].map((it) => it!),
      findPage: async () => (await users.findPage({ limit: 2 })).entries,
      watch: () => firstOf(users.watch(['alice', 'bob'])),
      watchMany: () => firstOf(users.watchMany()),
      prepared: () => users.prepare({}).execute(),
    }
    for (const [name, read] of Object.entries(reads)) {
      const [first, second] = await read()
      expect(isInAMinute(first?.expiresAt), name).toBe(true)
      expect(second?.expiresAt, name).toBeNull()
      expect(JSON.parse(JSON.stringify(first)), name).toHaveProperty('expiresAt')
      if (['watch', 'watchMany'].includes(name)) continue
      await db.unitOfWork(async (unit) => {
        const inner = unit.repositories.users
        const entries = name === 'list' ? await Array.fromAsync(inner.list()) : await inner.findMany(query)
        expect(entries.map(({ expiresAt }) => expiresAt)).toEqual([first?.expiresAt, null])
      })
    }
    const [found] = await users.findMany({ where: { name: 'Bob' }, with: { posts: true } })
    expect(found?.posts[0]?.expiresAt).toBeGreaterThan(Date.now())
    expect((await users.get('nobody')).expiresAt).toBeNull()
  },

  'an entry by key has an expiry beside what it shows': async (place) => {
    const { db, isInAMinute } = await aliceAndBob(place)
    await using _ = db
    const keys = [
      ['users', 'alice'],
      ['users', 'bob'],
      ['users', 'nobody'],
    ] as const
    const [inAMinute, never, missing] = await db.getMany(keys)
    expect(isInAMinute(inAMinute.expiresAt)).toBe(true)
    expect(isInAMinute((await db.get(keys[0])).expiresAt)).toBe(true)
    expect([never.expiresAt, missing.expiresAt]).toEqual([null, null])
    const [listed] = await Array.fromAsync(db.list({ prefix: ['users'] }))
    expect(isInAMinute(listed?.expiresAt)).toBe(true)
    const [watched] = await firstOf(db.watch([keys[0]]))
    expect(isInAMinute(watched.expiresAt)).toBe(true)

    const { versionstamp } = never
    const shown = { key: ['users', 'bob'], value: bob, versionstamp }
    expect(never).toStrictEqual(shown)
    expect({ ...never }).toStrictEqual(shown)
    expect(JSON.stringify(never)).toBe(JSON.stringify(shown))
    expect(structuredClone(never)).toStrictEqual(shown)
    expect(inspect(never)).toBe(inspect(shown))
    expect(Object.keys(missing)).toEqual(['key', 'value', 'versionstamp'])
    await db.set(['copy'], { of: never })
    expect((await db.get(['copy'])).value).toStrictEqual({ of: shown })
  },

  'in a unit of work, the expiry that an entry shows is the one it has written': async (place) => {
    const { db, users } = await aliceAndBob(place)
    await using _ = db
    await db.unitOfWork(async (unit) => {
      const inner = unit.repositories.users
      const [entry, byKey] = [await inner.get('alice'), await unit.get(['users', 'alice'])]
      await inner.touch('alice', { expireIn: null })
      expect([entry.expiresAt, byKey.expiresAt]).toEqual([null, null])
      await inner.set('alice', alice, { expireIn: minute })
      expect(entry.expiresAt).toBeGreaterThan(Date.now())
      expect(byKey.expiresAt).toBe(entry.expiresAt)
      await inner.update('alice', { age: 31 })
      expect((await inner.get('alice')).expiresAt).toBe(entry.expiresAt)
    })
    expect(await users.get('alice')).toMatchObject({ value: { age: 31 }, expiresAt: expect.any(Number) })
  },

  'in a unit of work, an entry shows the expiry that a sum has given it, though the value is as it was':
    async (place) => {
      await using db = await Valkeyrie.withSchema(['hits', '*'], z.instanceof(KvU64)).open(place.path())
      await db.repositories.hits.set('a', new KvU64(5n))
      await db.unitOfWork(async ({ repositories: { hits } }) => {
        const entry = await hits.get('a')
        for (const [call, n] of [
          ['sum', 0n],
          ['max', 1n],
          ['min', 9n],
        ] as const) {
          const before = entry.expiresAt ?? 0
          await hits[call]('a', n, { expireIn: before === 0 ? minute : before })
          const { expiresAt, value } = await hits.get('a')
          expect(value?.value, call).toBe(5n)
          expect(expiresAt, call).toBeGreaterThan(before)
          expect((await hits.findMany())[0]?.expiresAt, call).toBe(expiresAt)
          expect(entry.expiresAt, call).toBe(expiresAt)
        }
      })
    },

  'in a unit of work, a value that is assigned to an entry is written': async (place) => {
    const schema = z.object({ n: z.int() })
    await using db = await Valkeyrie.withSchema(['items', '*'], schema)
      .withSchema(['items', '*', 'names', '*'], z.string(), { name: 'names' })
      .open(place.path())
    const { items, names } = db.repositories
    await items.set('a', { n: 1 }, { expireIn: minute })
    await names.set(['a', 1], 'one')
    const { expiresAt } = await items.get('a')
    await db.unitOfWork(async (unit) => {
      const inner = unit.repositories
      const [entry, byKey] = [await inner.items.get('a'), await unit.get(['items', 'a'])]
      const [found] = await inner.items.findMany({ with: { names: true } })
      if (entry.value !== null) entry.value = { n: 2 }
      expect(await inner.items.findMany({ where: { n: 2 } })).toHaveLength(1)
      for (const one of [entry, byKey, found!, await inner.items.get('a')])
        expect(one.value).toEqual({ n: 2 })
      if (byKey.value !== null) byKey.value.n += 1
      await inner.items.update('a', ({ n }) => ({ n: n * 10 }))
      found!.value = { n: found!.value.n + 1 }
      const name = await inner.names.get(['a', 1])
      if (name.value !== null) name.value += '!'
    })
    expect(await items.get('a')).toMatchObject({ value: { n: 31 }, expiresAt })
    expect((await names.get(['a', 1])).value).toBe('one!')
  },

  'in a unit of work, what columns have chosen of a value cannot be changed, and is not the value that is written':
    async (place) => {
      const schema = z.object({ n: z.int(), s: z.string(), in: z.object({ tags: z.array(z.string()) }) })
      await using db = await Valkeyrie.withSchema(['items', '*'], schema)
        .withSchema(['items', '*', 'names', '*'], z.object({ name: z.string() }), { name: 'names' })
        .open(place.path())
      const { items, names } = db.repositories
      await items.set('a', { n: 1, s: 'x', in: { tags: ['t'] } })
      await names.set(['a', 1], { name: 'one' })
      await db.unitOfWork(async (unit) => {
        const { items: inner } = unit.repositories
        const full = await inner.get('a')
        if (full.value !== null) full.value.in.tags.push('u')
        const query = { columns: { n: true, in: true }, with: { names: true } } as const
        for (const part of [(await inner.findMany(query))[0]!, (await inner.findFirst(query))!]) {
          expect(part.value).toEqual({ n: 1, in: { tags: ['t', 'u'] } })
          expect(() => (part.value.n = 2)).toThrow(TypeError)
          expect(() => part.value.in.tags.push('v')).toThrow(TypeError)
          expect(() => ((part as { value: unknown }).value = { n: 2 })).toThrow(TypeError)
          // The rows that come with it are entries of their own.
          part.names[0]!.value.name = 'two'
        }
        // The value itself is not frozen.
        if (full.value !== null) full.value.in.tags.push('w')
      })
      expect((await items.get('a')).value).toEqual({ n: 1, s: 'x', in: { tags: ['t', 'u', 'w'] } })
      expect((await names.get(['a', 1])).value).toEqual({ name: 'two' })
      // Elsewhere an entry is its reader's own.
      const [own] = await items.findMany({ columns: { n: true } })
      own!.value.n = 5
      expect(own!.value).toEqual({ n: 5 })
    },

  'in a unit of work, what cannot be assigned to an entry is refused': async (place) => {
    const { db, users } = await aliceAndBob(place)
    await using _ = db
    const assign = (value: unknown, other?: unknown) =>
      db.unitOfWork(async (unit) => {
        const entry = await unit.repositories.users.get('bob')
        const byKey = await unit.get(['users', 'bob'])
        Object.assign(entry, { value })
        if (other !== undefined) Object.assign(byKey, { value: other })
      })
    await expect(assign({ name: 1 })).rejects.toMatchObject({ code: 'VALIDATION', key: ['users', 'bob'] })
    await expect(assign(bob, { ...bob })).rejects.toThrow(/different values/)
    await expect(
      db.unitOfWork(async (unit) => {
        const nobody = await unit.repositories.users.get('nobody')
        ;(nobody as { value: unknown }).value = bob
      }),
    ).rejects.toThrow(TypeError)
    const again = db.unitOfWork(async (unit) => {
      const { users } = unit.repositories
      const [entry, byKey] = [await users.get('bob'), await unit.get(['users', 'bob'])]
      // Whatever was assigned before a delete goes with the row.
      Object.assign(entry, { value: { ...bob } })
      Object.assign(byKey, { value: { ...bob } })
      await users.delete('bob')
      Object.assign(entry, { value: { ...bob } })
      expect(await users.exists('bob')).toBe(false)
      await users.insert('bob', bob)
    })
    await again
    for (const isBefore of [false, true]) {
      const assigned = db.unitOfWork(async (unit) => {
        const entry = await unit.repositories.users.get('bob')
        if (isBefore) Object.assign(entry, { value: { ...bob } })
        await unit.repositories.users.delete('bob')
        if (isBefore) throw new RangeError('not refused')
        Object.assign(entry, { value: { ...bob } })
      })
      await expect(assigned).rejects.toThrow(
        isBefore ? 'not refused' : '["users", "bob"] was deleted before its entry got another value',
      )
    }
    expect((await users.get('bob')).value).toEqual(bob)
    expect(await users.count()).toBe(2)
  },
}
