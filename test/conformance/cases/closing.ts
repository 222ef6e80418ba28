import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { DatabaseClosedError, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Cases } from '../suite.ts'
import { alice, schemas } from './schemas.ts'

function filesOf(path: string | undefined): string[] {
  if (path === undefined) return []
  return readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)))
}

export const closingCases: Cases = {
  'a closed database answers every call with DatabaseClosedError': async (place) => {
    const db = await schemas.open(place.path())
    const { users, site, counters } = db.repositories
    await users.set('alice', alice)
    const began = db.list({ prefix: [] }, { batchSize: 1 })
    const operation = db.atomic().set(['a'], 1)
    await began.next()
    await db.close()
    const calls: Record<string, () => Promise<unknown>> = {
      get: () => db.get(['a']),
      getMany: () => db.getMany([['a']]),
      'getMany of nothing': () => db.getMany([]),
      set: () => db.set(['a'], 1),
      delete: () => db.delete(['a']),
      list: () => Array.fromAsync(db.list({ prefix: [] })),
      'list of an empty range': () => Array.fromAsync(db.list({ start: ['a'], end: ['a'] })),
      next: () => began.next(),
      atomic: () => db.atomic().commit(),
      commit: () => operation.commit(),
      clear: () => db.clear(),
      cleanup: () => db.cleanup(),
      'users.get': () => users.get('alice'),
      'users.getMany': () => users.getMany(['alice']),
      'users.exists': () => users.exists('alice'),
      'users.list': () => Array.fromAsync(users.list()),
      'users.insert': () => users.insert('bob', alice),
      'users.create': () => users.create(alice),
      'users.set': () => users.set('bob', alice),
      'users.update': () => users.update('alice', { age: 1 }),
      'users.delete': () => users.delete('alice'),
      'users.touch': () => users.touch('alice', { expireIn: null }),
      'users.count': () => users.count(),
      'users.insertMany': () => users.insertMany([['bob', alice]]),
      'users.insertMany of nothing': () => users.insertMany([]),
      'users.insert of what its schema refuses': () => users.insert('bob', {} as never),
      'users.set of what its schema refuses': () => users.set('bob', {} as never),
      'users.create of what its schema refuses': () => users.create({} as never),
      'counters.sum of a number': () => counters.sum('a', 1 as never),
      'site.get': () => site.get(),
      'counters.sum': () => counters.sum('a', 1n),
    }
    for (const [name, call] of Object.entries(calls)) {
      const error = await call().catch((thrown) => thrown)
      expect(error, name).toBeInstanceOf(DatabaseClosedError)
      expect(error, name).toMatchObject({ message: 'Database is closed', code: 'DATABASE_CLOSED' })
    }
  },

  'a closed database gives no Drizzle': async (place) => {
    const unused = await Valkeyrie.open(place.path())
    const used = await Valkeyrie.open(place.path())
    expect(used.drizzle).toBeDefined()
    for (const db of [unused, used]) {
      await db.close()
      expect(() => db.drizzle).toThrow(DatabaseClosedError)
    }
  },

  'cleanup of a database for reading only rejects, as its writes do': async (place) => {
    const path = place.path()
    if (path === undefined) return
    await (await schemas.open(path)).close()
    await using db = await schemas.open(path, { readOnly: true })
    for (const call of [() => db.set(['a'], 1), () => db.cleanup()])
      await expect(call()).rejects.toMatchObject({ name: 'StorageError', code: 'STORAGE' })
  },

  'a second close is fine, even at the same time': async (place) => {
    const db = await Valkeyrie.open(place.path())
    await Promise.all([db.close(), db.close()])
    await db.close()
    await db[Symbol.asyncDispose]()
  },

  'writes that were begun before close are settled': async (place) => {
    const path = place.path()
    const db = await schemas.open(path)
    const writes = [
      db.set(['a'], 1),
      db.repositories.users.set('alice', alice),
      db.repositories.users.insert('bob', alice),
      db.repositories.counters.sum('n', 1n),
      db.atomic().set(['b'], 2).commit(),
      db.delete(['none']),
    ]
    const closed = db.close()
    const results = await Promise.allSettled(writes)
    expect(results.map(({ status }) => status)).toStrictEqual(Array(6).fill('fulfilled'))
    await closed
    if (path === undefined) return
    await using again = await schemas.open(path)
    expect((await again.getMany([['a'], ['b']])).map(({ value }) => value)).toStrictEqual([1, 2])
    expect(await again.repositories.users.count()).toBe(2)
  },

  'what was written is there when the database is opened again': async (place) => {
    const path = place.path()
    if (path === undefined) return
    const db = await Valkeyrie.open(path)
    const { versionstamp } = await db.set(['a'], new Map([[1, 2n]]))
    await db.close()
    await using again = await Valkeyrie.open(path)
    expect(await again.get(['a'])).toStrictEqual({ key: ['a'], value: new Map([[1, 2n]]), versionstamp })
    expect((await again.set(['a'], 1)).versionstamp > versionstamp).toBe(true)
  },

  'await using closes': async (place) => {
    let kept: Awaited<ReturnType<typeof Valkeyrie.open>>
    {
      await using db = await Valkeyrie.open(place.path())
      await db.set(['a'], 1)
      kept = db
    }
    await expect(kept.get(['a'])).rejects.toThrow(DatabaseClosedError)
  },

  'destroy closes and removes the files': async (place) => {
    const path = place.path()
    const db = await Valkeyrie.open(path)
    await db.set(['a'], 1)
    await db.destroy()
    expect(filesOf(path)).toStrictEqual([])
    await expect(db.get(['a'])).rejects.toThrow(DatabaseClosedError)
    await expect(db.destroy()).rejects.toThrow(DatabaseClosedError)
    await db.close()
  },

  'a closed database cannot be destroyed, and gives no repository': async (place) => {
    const path = place.path()
    const schema = z.object({ n: z.int() })
    const db = await Valkeyrie.withSchema(['items', '*'], schema).open(path)
    await db.set(['a'], 1)
    await db.close()
    await expect(db.destroy()).rejects.toThrow(DatabaseClosedError)
    expect(() => db.repository(['items', '*'])).toThrow(DatabaseClosedError)
    if (path === undefined) return
    await using again = await Valkeyrie.open(path)
    expect((await again.get(['a'])).value).toBe(1)
  },

  'destroyOnClose removes the files when the database is closed': async (place) => {
    const path = place.path()
    {
      await using db = await Valkeyrie.open(path, { destroyOnClose: true })
      await db.set(['a'], 1)
      expect(path === undefined || existsSync(path)).toBe(true)
    }
    expect(filesOf(path)).toStrictEqual([])
  },

  'closing or destroying again does not touch a database that was opened there since': async (place) => {
    const path = place.path()
    if (path === undefined) return
    const first = await Valkeyrie.open(path, { destroyOnClose: true })
    await first.close()
    await using second = await Valkeyrie.open(path)
    await second.set(['a'], 1)
    await first.close()
    await expect(first.destroy()).rejects.toThrow(DatabaseClosedError)
    expect(existsSync(path)).toBe(true)
    await using third = await Valkeyrie.open(path)
    expect((await third.get(['a'])).value).toBe(1)
  },
}
