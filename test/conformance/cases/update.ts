import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { NotFoundError, ValidationError, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import { extent } from '../../extent.ts'
import { waitFor } from '../../waiting.ts'
import type { Cases } from '../suite.ts'
import { alice, schemas } from './schemas.ts'

/** Each begins again when another one has come before it. */
const updates = extent('simultaneous updates of one row', 60, 200)

async function aliceAt(path: string | undefined) {
  const db = await schemas.open(path)
  await db.repositories.users.set('alice', alice)
  return db
}

export const updateCases: Cases = {
  'a patch replaces the fields that it names': async (place) => {
    await using db = await aliceAt(place.path())
    const { users, site } = db.repositories
    const { versionstamp } = await users.update('alice', { age: 31 })
    expect(await users.get('alice')).toMatchObject({ value: { name: 'Alice', age: 31 }, versionstamp })
    await site.set({ title: 'a' })
    await site.update({ visits: 3 })
    expect((await site.get()).value).toStrictEqual({ title: 'a', visits: 3 })
  },

  'undefined in a patch leaves a field as it is, in update and updateMany': async (place) => {
    const schema = z.object({ name: z.string(), role: z.string().default('user'), n: z.number().default(0) })
    await using db = await Valkeyrie.withSchema(['people', '*'], schema).open(place.path())
    const { people } = db.repositories
    await people.set('a', { name: 'A', role: 'admin' })
    await people.update('a', { name: 'B', role: undefined })
    expect((await people.get('a')).value).toStrictEqual({ name: 'B', role: 'admin', n: 0 })
    await people.update('a', { role: undefined, n: { increment: 1 } })
    await people.updateMany({ where: { name: 'B' }, set: { name: 'C', role: undefined } })
    await db.unitOfWork((unit) => unit.repositories.people.update('a', { name: undefined, role: undefined }))
    expect((await people.get('a')).value).toStrictEqual({ name: 'C', role: 'admin', n: 1 })
  },

  'a patch into another option of a union leaves the fields of the old one behind': async (place) => {
    const schema = z.discriminatedUnion('k', [
      z.strictObject({ k: z.literal('a'), x: z.number(), both: z.string() }),
      z.strictObject({ k: z.literal('b'), y: z.string(), both: z.string() }),
    ])
    await using db = await Valkeyrie.withSchema(['rows', '*'], schema).open(place.path())
    const { rows } = db.repositories
    await rows.set('1', { k: 'a', x: 1, both: 's' })
    await rows.update('1', { k: 'b', y: 'q' })
    expect((await rows.get('1')).value).toStrictEqual({ k: 'b', y: 'q', both: 's' })
    await expect(rows.update('1', { k: 'a' })).rejects.toThrow(ValidationError)
    await rows.updateMany({ where: {}, set: { k: 'a', x: 2 } })
    expect((await rows.get('1')).value).toStrictEqual({ k: 'a', x: 2, both: 's' })
  },

  'a patch takes no field past the schema that set does not': async (place) => {
    const schema = z.looseObject({ name: z.string() })
    await using db = await Valkeyrie.withSchema(['people', '*'], schema).open(place.path())
    const { people } = db.repositories
    const given = JSON.parse('{ "name": "A", "__proto__": { "admin": true } }') as { name: string }
    await people.set('p', given)
    await people.update('p', given)
    await people.update('p', (value) => ({ ...value, ...given }))
    expect(Object.keys((await people.get('p')).value!)).toEqual(['name'])
  },

  'a patch is shallow': async (place) => {
    const schema = z.object({
      address: z.object({ city: z.string().optional(), zip: z.string().optional() }),
    })
    await using db = await Valkeyrie.withSchema(['people', '*'], schema).open(place.path())
    const { people } = db.repositories
    await people.set('a', { address: { city: 'Paris', zip: '75001' } })
    await people.update('a', { address: { city: 'Lyon' } })
    expect((await people.get('a')).value).toStrictEqual({ address: { city: 'Lyon' } })
  },

  'a function computes the new value from the stored one, synchronously or not': async (place) => {
    await using db = await aliceAt(place.path())
    const { users } = db.repositories
    await users.update('alice', (user) => ({ ...user, age: user.age + 1 }))
    await users.update('alice', async (user) => ({ ...user, age: user.age + 1 }))
    expect((await users.get('alice')).value?.age).toBe(32)
  },

  'a missing row is a NotFoundError, and its function is not called': async (place) => {
    await using db = await schemas.open(place.path())
    let called = false
    const update = db.repositories.users.update('bob', (user) => {
      called = true
      return user
    })
    await expect(update).rejects.toThrow(NotFoundError)
    expect(called).toBe(false)
    expect(await db.repositories.users.exists('bob')).toBe(false)
  },

  'what the schema refuses, or the function throws, changes nothing': async (place) => {
    await using db = await aliceAt(place.path())
    const { users } = db.repositories
    const reason = new Error('no')
    await expect(users.update('alice', { age: 'x' } as never)).rejects.toThrow(ValidationError)
    await expect(users.update('alice', () => Promise.reject(reason))).rejects.toBe(reason)
    await expect(
      users.update('alice', () => {
        throw reason
      }),
    ).rejects.toBe(reason)
    for (const update of [null, undefined, 5, 'x', [1]]) {
      await expect(users.update('alice', update as never)).rejects.toThrow(TypeError)
    }
    expect((await users.get('alice')).value).toStrictEqual(alice)
    await users.update('alice', { age: 31 })
  },

  'a value that has no fields cannot be patched': async (place) => {
    await using db = await Valkeyrie.withSchema(['n', '*'], z.union([z.int(), z.array(z.int())])).open(
      place.path(),
    )
    await db.repositories.n.set('a', 1)
    await db.repositories.n.set('b', [1])
    await expect(db.repositories.n.update('a', {} as never)).rejects.toThrow(TypeError)
    await expect(db.repositories.n.update('b', {} as never)).rejects.toThrow(TypeError)
    await db.repositories.n.update('a', () => 2)
    expect((await db.repositories.n.get('a')).value).toBe(2)
  },

  'none of many simultaneous updates of one row is lost': async (place) => {
    await using db = await aliceAt(place.path())
    const { users } = db.repositories
    const results = await Promise.all(
      Array.from({ length: updates }, () =>
        users.update('alice', (user) => ({ ...user, age: user.age + 1 })),
      ),
    )
    expect((await users.get('alice')).value?.age).toBe(alice.age + updates)
    expect(new Set(results.map(({ versionstamp }) => versionstamp)).size).toBe(updates)
  },

  'none of many simultaneous asynchronous updates of one row is lost': async (place) => {
    await using db = await aliceAt(place.path())
    const { users } = db.repositories
    await Promise.all(
      Array.from({ length: updates }, () =>
        users.update('alice', async (user) => ({ ...user, age: user.age + 1 })),
      ),
    )
    expect((await users.get('alice')).value?.age).toBe(alice.age + updates)
  },

  'an update whose turn runs out while another one stands in line gets its turn again': async (place) => {
    await using db = await aliceAt(place.path())
    const { users } = db.repositories
    const outside = AsyncLocalStorage.snapshot()
    /** A write that belongs to no turn: it makes the update fail that waits for it. */
    const getInTheWay = () => outside(() => users.set('alice', alice))
    const bothMayHaveTurns = Promise.withResolvers<void>()
    const firstInTurn = Promise.withResolvers<void>()
    const otherInLine = Promise.withResolvers<void>()
    let fourthFailures = 0
    const notice = (message: unknown) => {
      if ((message as { readonly attempt: number }).attempt !== 4) return
      fourthFailures += 1
      // It has asked for its turn when the event loop comes round.
      if (fourthFailures === 2) setImmediate(otherInLine.resolve)
    }
    subscribe('valkeyrie:retry', notice)
    const update = (whileTried: (attempt: number) => Promise<void>) => {
      let attempt = 0
      return users.update('alice', async (user) => {
        attempt += 1
        await whileTried(attempt)
        return { ...user, age: user.age + 1 }
      })
    }
    try {
      const first = update(async (attempt) => {
        if (attempt === 4) await bothMayHaveTurns.promise
        if (attempt === 5) {
          firstInTurn.resolve()
          await otherInLine.promise
        }
        if (attempt <= 5) await getInTheWay()
      })
      const other = update(async (attempt) => {
        if (attempt === 4) {
          bothMayHaveTurns.resolve()
          await firstInTurn.promise
        }
        if (attempt <= 4) await getInTheWay()
      })
      await waitFor('both updates', Promise.all([first, other]))
    } finally {
      unsubscribe('valkeyrie:retry', notice)
    }
    expect((await users.get('alice')).value?.age).toBe(alice.age + 2)
  },

  'an update is not lost between writes of others': async (place) => {
    await using db = await aliceAt(place.path())
    const { users } = db.repositories
    let calls = 0
    await users.update('alice', async (user) => {
      calls += 1
      if (calls === 1) await users.set('alice', { name: 'Other', age: 50 })
      return { ...user, age: user.age + 1 }
    })
    expect(calls).toBe(2)
    expect((await users.get('alice')).value).toStrictEqual({ name: 'Other', age: 51 })
  },

  'an asynchronous function may update the same row': async (place) => {
    await using db = await aliceAt(place.path())
    const { users } = db.repositories
    let first = true
    await users.update('alice', async (user) => {
      if (first) {
        first = false
        await users.update('alice', { name: 'Inner' })
      }
      return { ...user, age: user.age + 1 }
    })
    expect((await users.get('alice')).value).toStrictEqual({ name: 'Inner', age: 31 })
  },

  'a row that is deleted meanwhile does not come back': async (place) => {
    await using db = await aliceAt(place.path())
    const { users } = db.repositories
    const update = users.update('alice', async (user) => {
      await users.delete('alice')
      return user
    })
    await expect(update).rejects.toThrow(NotFoundError)
    expect(await users.exists('alice')).toBe(false)
  },

  'the function may change the value that it is given': async (place) => {
    await using db = await aliceAt(place.path())
    const { users } = db.repositories
    await users.update('alice', (user) => {
      user.age = 99
      return user
    })
    expect((await users.get('alice')).value?.age).toBe(99)
  },
  'an increment counts from 0 where a field has a name that every object knows': async (place) => {
    await using db = await Valkeyrie.withSchema(['words', '*'], z.record(z.string(), z.number())).open(
      place.path(),
    )
    const { words } = db.repositories
    await words.set('a', { toString: 1 })
    await words.update('a', {
      constructor: { increment: 2 },
      valueOf: { decrement: 0 },
      toString: { increment: 1 },
    } as never)
    expect((await words.get('a')).value).toEqual({ toString: 2, constructor: 2, valueOf: 0 })
  },
}
