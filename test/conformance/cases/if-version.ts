import { ConflictError, isVersionstamp, NotFoundError } from 'valkeyrie'
import { expect } from 'vitest'
import type { Cases } from '../suite.ts'
import { alice, bob, schemas } from './schemas.ts'

async function aliceAt(path: string | undefined) {
  const db = await schemas.open(path)
  const { versionstamp } = await db.repositories.users.set('alice', alice)
  return { db, users: db.repositories.users, versionstamp }
}

const junk = [
  '',
  '"00000000000000000001"',
  'W/"00000000000000000001"',
  '*',
  '0000000000000000000A',
  '00000000000000000001 ',
  'x'.repeat(100_000),
  'ffffffffffffffffffff',
  1,
  null,
  undefined,
  {},
]

export const ifVersionCases: Cases = {
  'update and delete with ifVersion change the version that was read': async (place) => {
    const { db, users, versionstamp } = await aliceAt(place.path())
    await using _ = db
    const second = await users.update('alice', { age: 31 }, { ifVersion: versionstamp })
    const third = await users.update('alice', (user) => ({ ...user, age: user.age + 1 }), {
      ifVersion: second.versionstamp,
    })
    expect((await users.get('alice')).value?.age).toBe(32)
    expect(await users.delete('alice', { ifVersion: third.versionstamp })).toBe(true)
    expect(await users.exists('alice')).toBe(false)
    const site = await db.repositories.site.set({ title: 'a' })
    const changed = await db.repositories.site.update({ title: 'b' }, { ifVersion: site.versionstamp })
    expect(await db.repositories.site.delete({ ifVersion: changed.versionstamp })).toBe(true)
  },

  'another version is a ConflictError with the facts, at once, and nothing is written': async (place) => {
    const { db, users, versionstamp: expected } = await aliceAt(place.path())
    await using _ = db
    const { versionstamp: actual } = await users.update('alice', { age: 31 })
    let calls = 0
    const count = (user: typeof alice) => {
      calls++
      return user
    }
    const facts = {
      code: 'CONFLICT',
      attempts: 1,
      conflicts: [{ key: ['users', 'alice'], expected, actual }],
    }
    for (const write of [
      () => users.update('alice', { age: 99 }, { ifVersion: expected }),
      () => users.update('alice', count, { ifVersion: expected }),
      () => users.delete('alice', { ifVersion: expected }),
      () => users.delete('alice', Object.create({ ifVersion: expected })),
    ]) {
      const error = await write().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(ConflictError)
      expect(error).toMatchObject(facts)
      expect((error as Error).message).toMatch(/^Nothing was written: others changed \["users", "alice"\]$/)
    }
    expect(calls).toBe(0)
    expect(await users.get('alice')).toMatchObject({ value: { age: 31 }, versionstamp: actual })
  },

  'a removed row is a conflict with what was read, not a NotFoundError': async (place) => {
    const { db, users, versionstamp } = await aliceAt(place.path())
    await using _ = db
    await users.delete('alice')
    const facts = { conflicts: [{ key: ['users', 'alice'], expected: versionstamp, actual: null }] }
    await expect(users.update('alice', { age: 1 }, { ifVersion: versionstamp })).rejects.toMatchObject(facts)
    await expect(users.delete('alice', { ifVersion: versionstamp })).rejects.toMatchObject(facts)
    await expect(users.update('alice', { age: 1 })).rejects.toThrow(NotFoundError)
  },

  'of many who have read one version, one succeeds': async (place) => {
    const { db, users, versionstamp } = await aliceAt(place.path())
    await using _ = db
    const writes = Array.from({ length: 20 }, (_, age) =>
      users.update('alice', { age }, { ifVersion: versionstamp }),
    )
    const outcomes = await Promise.allSettled([...writes, users.delete('alice', { ifVersion: versionstamp })])
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(ConflictError)
    }
  },

  'ifVersion and expireIn go together': async (place) => {
    const { db, users, versionstamp } = await aliceAt(place.path())
    await using _ = db
    const kept = await users.update('alice', { age: 1 }, { ifVersion: versionstamp, expireIn: 60_000 })
    const before = Date.now()
    const { expiresAt } = await users.get('alice')
    expect(expiresAt).toBeGreaterThan(before)
    await expect(users.update('alice', { age: 2 }, { ifVersion: versionstamp, expireIn: 1 })).rejects.toThrow(
      ConflictError,
    )
    await users.update('alice', { age: 2 }, { ifVersion: kept.versionstamp })
    expect(await users.get('alice')).toMatchObject({ value: { age: 2 }, expiresAt })
  },

  'what is not a versionstamp is a TypeError or a RangeError that says what to give': async (place) => {
    const { db, users } = await aliceAt(place.path())
    await using _ = db
    for (const text of junk) {
      expect(isVersionstamp(text)).toBe(false)
      const ifVersion = text as string
      for (const write of [
        () => users.update('alice', { age: 99 }, { ifVersion }),
        () => users.delete('alice', { ifVersion }),
      ]) {
        const error = await write().catch((reason: unknown) => reason)
        expect(error).toBeInstanceOf(text === 'ffffffffffffffffffff' ? RangeError : TypeError)
        const { message } = error as Error
        expect(message).toMatch(/versionstamp/)
        expect(message.length).toBeLessThan(200)
      }
    }
    await expect(users.update('alice', { age: 1 }, { ifversion: '' } as never)).rejects.toThrow(
      /write 'ifVersion'/,
    )
    expect((await users.get('alice')).value).toStrictEqual(alice)
  },

  'in a unit of work, ifVersion is checked against what others have written': async (place) => {
    const { db, users, versionstamp } = await aliceAt(place.path())
    await using _ = db
    await users.set('bob', bob)
    await db.unitOfWork(async (unit) => {
      const inner = unit.repositories.users
      const entry = await inner.get('alice')
      if (entry.value !== null) entry.value.age = 40
      await inner.update('alice', { name: 'Alicia' }, { ifVersion: versionstamp })
      await inner.update('alice', { age: 41 }, { ifVersion: versionstamp })
      await inner.set('bob', { name: 'Bob', age: 1 })
      await expect(inner.update('bob', { age: 2 }, { ifVersion: versionstamp })).rejects.toMatchObject({
        conflicts: [{ key: ['users', 'bob'], expected: versionstamp }],
      })
      await expect(inner.delete('bob', { ifVersion: versionstamp })).rejects.toThrow(ConflictError)
    })
    const after = await users.get('alice')
    expect(after.value).toStrictEqual({ name: 'Alicia', age: 41 })
    await db.unitOfWork(async (unit) => {
      const inner = unit.repositories.users
      await inner.update('alice', { age: 42 })
      expect(await inner.delete('alice', { ifVersion: String(after.versionstamp) })).toBe(true)
      await expect(
        inner.update('alice', { age: 1 }, { ifVersion: String(after.versionstamp) }),
      ).rejects.toThrow(NotFoundError)
    })
    expect(await users.exists('alice')).toBe(false)
  },
}
