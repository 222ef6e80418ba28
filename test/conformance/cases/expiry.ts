import { KvU64, NotFoundError, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import { waitUntil } from '../../waiting.ts'
import type { Cases } from '../suite.ts'
import { withClock } from './clock.ts'
import { alice, bob, schemas } from './schemas.ts'

export const expiryCases: Cases = {
  'an expired row is invisible to every read at once': (place) =>
    withClock(async (advance) => {
      await using db = await schemas.open(place.path())
      const { users, posts } = db.repositories
      await users.set('alice', alice, { expireIn: 1_000 })
      await users.set('bob', bob)
      await posts.set(['alice', 1], { title: 'a' }, { expireIn: 1_000 })
      advance(999)
      expect(await users.count()).toBe(2)
      expect((await db.get(['users', 'alice'])).value).toStrictEqual(alice)
      advance(1)
      expect((await db.get(['users', 'alice'])).versionstamp).toBeNull()
      expect((await db.getMany([['users', 'alice']]))[0].versionstamp).toBeNull()
      expect((await users.get('alice')).versionstamp).toBeNull()
      expect((await users.getMany(['alice']))[0]!.versionstamp).toBeNull()
      expect(await users.exists('alice')).toBe(false)
      expect(await Array.fromAsync(db.list({ prefix: [] }))).toHaveLength(1)
      expect(await Array.fromAsync(db.list({ prefix: [] }, { reverse: true }))).toHaveLength(1)
      expect(await Array.fromAsync(users.list())).toHaveLength(1)
      expect(await Array.fromAsync(users.list({}, { reverse: true }))).toHaveLength(1)
      expect(await users.count()).toBe(1)
      expect(await posts.count({ prefix: ['alice'] })).toBe(0)
      expect(
        await db
          .atomic()
          .check({ key: ['users', 'alice'], versionstamp: null })
          .commit(),
      ).toMatchObject({
        ok: true,
      })
    }),

  'an expired row is missing to every write': (place) =>
    withClock(async (advance) => {
      await using db = await schemas.open(place.path())
      const { users, counters } = db.repositories
      const { versionstamp } = await users.set('alice', alice, { expireIn: 1_000 })
      await counters.sum('a', 5n, { expireIn: 1_000 })
      advance(1_000)
      expect(
        await db
          .atomic()
          .check({ key: ['users', 'alice'], versionstamp })
          .commit(),
      ).toMatchObject({
        ok: false,
        conflicts: [{ actual: null }],
      })
      await expect(users.update('alice', { age: 1 })).rejects.toThrow(NotFoundError)
      await expect(users.touch('alice', { expireIn: null })).rejects.toThrow(NotFoundError)
      expect(await users.delete('alice')).toBe(false)
      await counters.sum('a', 1n)
      advance(10_000)
      expect((await counters.get('a')).value).toStrictEqual(new KvU64(1n))
    }),

  'insert succeeds over an expired row': (place) =>
    withClock(async (advance) => {
      await using db = await schemas.open(place.path())
      const { users } = db.repositories
      await users.insert('alice', alice, { expireIn: 1_000 })
      advance(1_000)
      await users.insert('alice', bob)
      await users.set('c', alice, { expireIn: 10 })
      advance(1_000_000)
      await users.insertMany([['c', bob]])
      expect((await users.get('alice')).value).toStrictEqual(bob)
      expect(await users.count()).toBe(2)
    }),

  'set removes an expiry, update and arithmetic keep it': (place) =>
    withClock(async (advance) => {
      await using db = await schemas.open(place.path())
      const { users, counters } = db.repositories
      await users.set('set', alice, { expireIn: 1_000 })
      await users.set('kept', alice, { expireIn: 1_000 })
      await users.set('longer', alice, { expireIn: 1_000 })
      await users.set('given', alice)
      await counters.sum('kept', 1n, { expireIn: 1_000 })
      await counters.sum('longer', 1n, { expireIn: 1_000 })
      await db.atomic().sum(['counters', 'forever'], 1n).commit()
      advance(500)
      await users.set('set', bob)
      await users.update('kept', { age: 1 })
      await users.update('longer', { age: 1 }, { expireIn: 1_000 })
      await users.update('given', { age: 1 }, { expireIn: 1_000 })
      await counters.sum('kept', 1n)
      await counters.max('kept', 9n)
      await counters.min('kept', 3n)
      await counters.sum('longer', 1n, { expireIn: 1_000 })
      advance(500)
      const there = async () => (await Array.fromAsync(users.list())).map(({ id }) => id)
      expect(await there()).toStrictEqual(['given', 'longer', 'set'])
      expect(await counters.count()).toBe(2)
      advance(500)
      expect(await there()).toStrictEqual(['set'])
      expect((await Array.fromAsync(counters.list())).map(({ id }) => id)).toStrictEqual(['forever'])
    }),

  'touch changes or removes an expiry': (place) =>
    withClock(async (advance) => {
      await using db = await schemas.open(place.path())
      const { users } = db.repositories
      await users.set('removed', alice, { expireIn: 1_000 })
      await users.set('longer', alice, { expireIn: 1_000 })
      await users.set('given', alice)
      await users.touch('removed', { expireIn: null })
      await users.touch('longer', { expireIn: 2_000 })
      await users.touch('given', { expireIn: 500 })
      advance(1_999)
      expect((await Array.fromAsync(users.list())).map(({ id }) => id)).toStrictEqual(['longer', 'removed'])
      advance(1)
      expect((await Array.fromAsync(users.list())).map(({ id }) => id)).toStrictEqual(['removed'])
    }),

  'cleanup removes what has expired and returns how much': (place) =>
    withClock(async (advance) => {
      await using db = await Valkeyrie.open(place.path())
      // So late that the sweep in the background does not come before, however slow the machine is.
      const expireIn = 3_600_000
      const operation = db.atomic()
      for (let i = 0; i < 2_500; i++) operation.set(['n', i], i, { expireIn })
      await operation
        .set(['stays'], 1)
        .set(['later'], 1, { expireIn: 2 * expireIn })
        .commit()
      expect(await db.cleanup()).toBe(0)
      advance(expireIn)
      expect(await db.cleanup()).toBe(2_500)
      expect(await db.cleanup()).toBe(0)
      expect(await Array.fromAsync(db.list({ prefix: [] }))).toHaveLength(2)
    }),

  'a unit of work that has read what expires before its commit runs again, and holds up no other write': (
    place,
  ) =>
    withClock(async (advance) => {
      await using db = await Valkeyrie.open(place.path())
      await db.set(['lock'], 'mine', { expireIn: 1_000 })
      const seen: unknown[] = []
      const beside: Promise<unknown>[] = []
      await db.unitOfWork(async (unit) => {
        seen.push((await unit.get(['lock'])).value)
        if (seen.length === 1) advance(2_000)
        await unit.set(['seen'], seen.length)
        // In the batch of the unit's commit.
        queueMicrotask(() => void beside.push(db.set(['beside', seen.length], 1)))
      })
      await Promise.all(beside)
      expect(seen).toStrictEqual(['mine', null])
      expect((await db.get(['seen'])).value).toBe(2)
    }),

  'in a unit of work, every read has what it wrote and has expired since, by the time of its state': (
    place,
  ) =>
    withClock(async (advance) => {
      const schema = z.object({ n: z.int() })
      await using db = await Valkeyrie.withSchema(['rows', '*'], schema).open(place.path())
      let runs = 0
      await db.unitOfWork(async ({ repositories: { rows } }) => {
        runs += 1
        expect(await rows.count()).toBe(0)
        await rows.set('k', { n: 1 }, { expireIn: 1_000 })
        advance(2_000)
        expect((await rows.get('k')).value).toEqual({ n: 1 })
        expect(await rows.exists('k')).toBe(true)
        expect(await rows.count()).toBe(1)
        expect(await rows.findMany({ where: { n: 1 } })).toHaveLength(1)
        expect(await Array.fromAsync(rows.list())).toHaveLength(1)
        expect(await rows.updateMany({ where: { n: 1 }, set: { n: 2 } })).toMatchObject({ count: 1 })
        expect(await rows.deleteMany({ where: { n: 2 } })).toMatchObject({ count: 1 })
      })
      expect(runs).toBe(1)
    }),

  'in a unit of work, a touch that finds nothing writes nothing': (place) =>
    withClock(async (advance) => {
      const schema = z.object({ n: z.int() })
      await using db = await Valkeyrie.withSchema(['rows', '*'], schema).open(place.path())
      await db.unitOfWork(async ({ repositories: { rows } }) => {
        await rows.set('k', { n: 1 }, { expireIn: 1_000 })
        advance(2_000)
        await expect(rows.touch('k', { expireIn: null })).rejects.toThrow(NotFoundError)
        expect(await rows.exists('k')).toBe(false)
        expect(await rows.findMany()).toEqual([])
      })
      expect(await db.repositories.rows.count()).toBe(0)
    }),

  'expired rows are removed in the background': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.set(['gone'], 1, { expireIn: 5 })
    // The removal is a commit, so that the versions of others jump.
    const write = async () => Number.parseInt((await db.set(['stays'], 1)).versionstamp, 16)
    let last = await write()
    const hasJumped = async () => {
      const before = last
      last = await write()
      return last - before > 1
    }
    await waitUntil('the expired row to be removed', hasJumped)
    expect(await db.cleanup()).toBe(0)
    expect(await Array.fromAsync(db.list({ prefix: [] }))).toHaveLength(1)
  },
}
