import { KvU64, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Cases, Place } from '../suite.ts'

async function open(place: Place) {
  const db = await Valkeyrie.withSchema(['rows', '*'], z.object({ n: z.int() }), { name: 'rows' })
    .withSchema(['counts', '*'], z.instanceof(KvU64), { name: 'counts' })
    .withSchema(['site'], z.object({ n: z.int() }), { name: 'site' })
    .open(place.path())
  await db.repositories.rows.insertMany(Array.from({ length: 3_000 }, (_, n) => [n, { n }] as const))
  return db
}

type Db = Awaited<ReturnType<typeof open>>
type Options = { readonly signal: AbortSignal }

const calls: Readonly<Record<string, (db: Db, options: Options) => Promise<unknown>>> = {
  get: (db, options) => db.get(['rows', 1], options),
  getMany: (db, options) => db.getMany([['rows', 1]], options),
  set: (db, options) => db.set(['a'], 1, options),
  delete: (db, options) => db.delete(['rows', 1], options),
  list: (db, options) => Array.fromAsync(db.list({ prefix: ['rows'] }, options)),
  'atomic commit': (db, options) => db.atomic().set(['a'], 1).commit(options),
  clear: (db, options) => db.clear(options),
  cleanup: (db, options) => db.cleanup(options),
  snapshot: (db, options) => db.snapshot(() => 1, options),
  unitOfWork: (db, options) => db.unitOfWork(() => 1, options),
  'rows.get': ({ repositories: { rows } }, options) => rows.get(1, options),
  'rows.getMany': ({ repositories: { rows } }, options) => rows.getMany([1], options),
  'rows.exists': ({ repositories: { rows } }, options) => rows.exists(1, options),
  'rows.list': ({ repositories: { rows } }, options) => Array.fromAsync(rows.list({}, options)),
  'rows.insert': ({ repositories: { rows } }, options) => rows.insert('new', { n: 1 }, options),
  'rows.create': ({ repositories: { rows } }, options) => rows.create({ n: 1 }, options),
  'rows.set': ({ repositories: { rows } }, options) => rows.set(1, { n: 5 }, options),
  'rows.update': ({ repositories: { rows } }, options) => rows.update(1, { n: 5 }, options),
  'rows.delete': ({ repositories: { rows } }, options) => rows.delete(1, options),
  'rows.touch': ({ repositories: { rows } }, options) => rows.touch(1, { expireIn: 1_000, ...options }),
  'rows.findMany': ({ repositories: { rows } }, options) => rows.findMany({ where: { n: 1 } }, options),
  'rows.findFirst': ({ repositories: { rows } }, options) => rows.findFirst({}, options),
  'rows.findPage': ({ repositories: { rows } }, options) => rows.findPage({}, options),
  'rows.count': ({ repositories: { rows } }, options) => rows.count({}, options),
  'rows.aggregate': ({ repositories: { rows } }, options) => rows.aggregate({ sum: 'n' }, options),
  'rows.toSQL': ({ repositories: { rows } }, options) => rows.toSQL({ where: { n: 1 } }, options),
  'rows.explain': ({ repositories: { rows } }, options) => rows.explain({ where: { n: 1 } }, options),
  'rows.upsert': ({ repositories: { rows } }, options) =>
    rows.upsert(1, { create: { n: 1 }, update: { n: 5 } }, options),
  'rows.claimMany': ({ repositories: { rows } }, options) =>
    rows.claimMany({ where: { n: 1 }, limit: 1, set: { n: 0 } }, options),
  'rows.updateMany': ({ repositories: { rows } }, options) =>
    rows.updateMany({ where: {}, set: { n: 0 } }, options),
  'rows.deleteMany': ({ repositories: { rows } }, options) => rows.deleteMany({ where: {} }, options),
  'rows.insertMany': ({ repositories: { rows } }, options) => rows.insertMany([['new', { n: 1 }]], options),
  'prepared execute': ({ repositories: { rows } }, options) => rows.prepare({}).execute({}, options),
  'prepared first': ({ repositories: { rows } }, options) => rows.prepare({}).first({}, options),
  'prepared page': ({ repositories: { rows } }, options) => rows.prepare({}).page({}, options),
  'counts.sum': ({ repositories: { counts } }, options) => counts.sum('a', 1n, options),
  'counts.max': ({ repositories: { counts } }, options) => counts.max('a', 1n, options),
  'counts.min': ({ repositories: { counts } }, options) => counts.min('a', 1n, options),
  'site.get': ({ repositories: { site } }, options) => site.get(options),
  'site.set': ({ repositories: { site } }, options) => site.set({ n: 1 }, options),
  'site.exists': ({ repositories: { site } }, options) => site.exists(options),
}

const reason = new Error('enough')

export const signalCases: Cases = {
  'every read and write takes a signal: one that is aborted rejects with its reason, and nothing is written':
    async (place) => {
      await using db = await open(place)
      const { versionstamp } = await db.set(['before'], 1)
      for (const [name, call] of Object.entries(calls))
        await expect(call(db, { signal: AbortSignal.abort(reason) }), name).rejects.toBe(reason)
      expect(await Array.fromAsync(db.list({ start: ['before'], end: ['before\0'] }))).toMatchObject([
        { versionstamp },
      ])
      expect(await db.repositories.rows.count()).toBe(3_000)
      expect((await db.get(['rows', 1])).value).toEqual({ n: 1 })
      expect((await db.get(['a'])).value).toBeNull()
    },

  'a signal that is not aborted changes nothing': async (place) => {
    await using db = await open(place)
    const { signal } = new AbortController()
    expect(await db.get(['rows', 1], { signal })).toEqual(await db.get(['rows', 1]))
    expect(await db.repositories.rows.findMany({ limit: 3 }, { signal })).toEqual(
      await db.repositories.rows.findMany({ limit: 3 }),
    )
    for (const call of Object.values(calls))
      await call(db, { signal }).catch((error) => expect(error).not.toBe(reason))
  },

  'what is not a signal, and misspelled names beside it, are a TypeError': async (place) => {
    await using db = await open(place)
    for (const [name, call] of Object.entries(calls)) {
      const wrong = async () => call(db, { signal: 5 } as never)
      await expect(wrong(), name).rejects.toThrow(TypeError)
    }
    await expect(db.repositories.rows.get(1, { Signal: null } as never)).rejects.toThrow("write 'signal'")
    await expect(db.repositories.rows.findMany({}, { limit: 1 } as never)).rejects.toThrow(
      "no option 'limit'",
    )
  },

  'a long read ends at its next pause': async (place) => {
    await using db = await open(place)
    const { rows } = db.repositories
    const work: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
      list: async (signal) => {
        for (;;) for await (const _ of rows.list({}, { signal }));
      },
      findMany: async (signal) => {
        for (;;) await rows.findMany({}, { signal })
      },
      updateMany: async (signal) => {
        for (;;) await rows.updateMany({ where: {}, set: (row) => row }, { signal })
      },
    }
    for (const [name, run] of Object.entries(work)) {
      const controller = new AbortController()
      setTimeout(() => controller.abort(reason), 5)
      await expect(run(controller.signal), name).rejects.toBe(reason)
    }
  },

  'insertMany abandons a stalled source at once, and tells it to finish': async (place) => {
    await using db = await open(place)
    const controller = new AbortController()
    const stalled = Promise.withResolvers<void>()
    const finished = Promise.withResolvers<void>()
    async function* source() {
      try {
        yield ['first', { n: 1 }] as const
        controller.abort(reason)
        await stalled.promise
        yield ['second', { n: 2 }] as const
      } finally {
        finished.resolve()
      }
    }
    await expect(db.repositories.rows.insertMany(source(), { signal: controller.signal })).rejects.toBe(
      reason,
    )
    expect(await db.repositories.rows.count()).toBe(3_000)
    stalled.resolve()
    await finished.promise
  },
}
