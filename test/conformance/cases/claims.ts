import fc from 'fast-check'
import { QueryError, UniqueConstraintError, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import { extent } from '../../extent.ts'
import type { Cases } from '../suite.ts'

const job = z.object({ state: z.enum(['waiting', 'taken']), rank: z.int(), by: z.string().optional() })
const schemas = Valkeyrie.withSchema(['jobs', '*'], job, { indexes: [{ on: ['state', 'rank'] }] })
/** Fields that it does not declare are kept. */
const loose = Valkeyrie.withSchema(
  ['tasks', '*'],
  z.looseObject({
    state: z.enum(['waiting', 'taken']),
    rank: z.int(),
    by: z.string().optional(),
    at: z.number().optional(),
  }),
  { indexes: [{ on: ['state', 'rank'] }] },
)
const oldest = { where: { state: 'waiting' }, orderBy: { rank: 'asc' } } as const
const patches = [
  { state: 'taken' },
  { state: 'taken', by: 'a', at: undefined },
  { state: 'taken', at: 1.5, by: 'ü\u0000\ud800' },
  { by: 'b', state: 'taken', rank: -1 },
] as const
const anyExtra = fc.dictionary(fc.constantFrom('a', 'toString', 'ключ', '0'), fc.jsonValue(), {
  maxKeys: 3,
})
const waiting = { where: { state: 'waiting' }, orderBy: { rank: 'desc' } } as const

async function jobsAt(path: string | undefined, count: number) {
  const db = await schemas.open(path)
  const { jobs } = db.repositories
  await jobs.insertMany(
    Array.from({ length: count }, (_, rank) => [rank, { state: 'waiting', rank }] as const),
  )
  return { db, jobs }
}

export const claimCases: Cases = {
  'claims beside a unit of work that has its turn, behind other writes of it, leave all of them whole':
    async (place) => {
      const path = place.path()
      const { db, jobs } = await jobsAt(path, 20)
      await using _ = db
      await using other = path === undefined ? db : await schemas.open(path)
      const claim = (by: string) =>
        jobs.claimMany({ ...waiting, limit: 1, set: { state: 'taken', by } }).then(({ count }) => count)
      for (let i = 0; i < 3; i++) await claim('warm')
      let isOver = false
      const writing = (async () => {
        for (let n = 0; !isOver; n++) await db.set(['elsewhere'], n)
      })()
      let attempts = 0
      await db.unitOfWork(async (unit) => {
        attempts += 1
        await unit.get(['hot'])
        await unit.set(['hot'], attempts)
        // The third attempt has the turn.
        if (attempts < 3) await other.set(['hot'], `other ${attempts}`)
        else
          expect(
            await Promise.all([
              db.set(['beside'], 1).then(({ ok }) => ok),
              claim('a'),
              db.set(['beside'], 2).then(({ ok }) => ok),
              claim('b'),
            ]),
          ).toEqual([true, 1, true, 1])
      })
      isOver = true
      await writing
      expect(attempts).toBe(3)
      expect((await db.get(['beside'])).value).toBe(2)
      expect(await jobs.count({ where: { state: 'taken' } })).toBe(5)
    },

  'claimMany changes the first rows in the order, and gives them as they are then': async (place) => {
    const { db, jobs } = await jobsAt(place.path(), 5)
    await using _ = db
    const first = await jobs.claimMany({ ...waiting, limit: 2, set: { state: 'taken', by: 'a' } })
    expect(first).toStrictEqual({
      ok: true,
      count: 2,
      versionstamp: first.versionstamp,
      entries: await jobs.getMany([4, 3]),
    })
    expect(first.entries.map(({ value }) => value.by)).toEqual(['a', 'a'])
    const rest = await jobs.claimMany({
      ...waiting,
      limit: 10,
      set: (value) => ({ ...value, state: 'taken' }),
      expireIn: 60_000,
    })
    expect(rest.entries.map(({ id }) => id)).toEqual([2, 1, 0])
    expect(rest.entries[0]?.expiresAt).toBeGreaterThan(Date.now())
    const none = { ok: true, count: 0, versionstamp: null, entries: [] }
    const { versionstamp } = await db.set(['mark'], 1)
    expect(await jobs.claimMany({ ...waiting, limit: 1, set: { state: 'taken' } })).toStrictEqual(none)
    expect((await db.set(['mark'], 2)).versionstamp > versionstamp).toBe(true)
  },

  'claims of one turn take rows that differ, in order, whatever else is written': async (place) => {
    const { db, jobs } = await jobsAt(place.path(), 60)
    await using _ = db
    const claim = (by: string, set?: 'later') =>
      jobs.claimMany({
        ...waiting,
        limit: 2,
        set: set === 'later' ? async (value) => ({ ...value, state: 'taken', by }) : { state: 'taken', by },
      })
    const [results] = await Promise.all([
      Promise.all(Array.from({ length: 20 }, (_, i) => claim(`${i}`, i % 3 === 0 ? 'later' : undefined))),
      jobs.delete(59),
      jobs.insert(1_000, { state: 'waiting', rank: 1_000 }),
      jobs.update(58, { by: 'x' }),
    ])
    const claimed = results.flatMap(({ entries }) => entries)
    expect(claimed).toHaveLength(40)
    expect(new Set(claimed.map(({ id }) => id)).size).toBe(40)
    for (const { id, value } of claimed) {
      // The update of this row may come after its claim.
      const by = id === 58 ? expect.stringMatching(new RegExp(`^(x|${value.by})$`)) : value.by
      expect((await jobs.get(id)).value).toStrictEqual({ ...value, by })
    }
    const left = await jobs.findMany(waiting)
    expect(Math.max(...left.map(({ value }) => value.rank))).toBeLessThan(
      Math.min(...claimed.map(({ value }) => value.rank)),
    )
  },

  'claims in a row change what a query finds, and nothing else of it': (place) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ rank: fc.integer({ min: 0, max: 3 }), extra: anyExtra }), { maxLength: 12 }),
        fc.array(fc.record({ limit: fc.integer({ min: 1, max: 4 }), set: fc.constantFrom(...patches) }), {
          minLength: 2,
          maxLength: 6,
        }),
        async (rows, claims) => {
          await using db = await loose.open(place.path())
          const { tasks } = db.repositories
          for (const [id, { rank, extra }] of rows.entries()) {
            const expires = id % 3 === 0 ? { expireIn: 600_000 } : {}
            await tasks.insert(id, { ...extra, state: 'waiting', rank }, expires)
          }
          const left = [...rows.keys()].sort((a, b) => rows[a]!.rank - rows[b]!.rank || a - b)
          for (const { limit, set } of claims) {
            const before = await tasks.getMany(left.splice(0, limit))
            const { entries } = await tasks.claimMany({ ...oldest, limit, set })
            const expected = before.map(({ id, value, expiresAt }) => ({
              id,
              value: { ...value, ...JSON.parse(JSON.stringify(set)) },
              expiresAt,
            }))
            expect(entries.map(({ id, value, expiresAt }) => ({ id, value, expiresAt }))).toStrictEqual(
              expected,
            )
            const ids = entries.map(({ id }) => id)
            expect(await tasks.getMany(ids)).toStrictEqual(entries)
          }
          expect(await tasks.count({ where: { state: 'waiting' } })).toBe(left.length)
        },
      ),
      { numRuns: extent('histories', 6, 100) },
    ),

  'each claimed row has what the schema outputs for it': async (place) => {
    let tokens = 0
    const token = z.string().transform(() => `token ${tokens++}`)
    await using db = await Valkeyrie.withSchema(
      ['jobs', '*'],
      z.object({ state: z.string(), token: token.optional() }),
      { indexes: [{ on: ['state'] }] },
    ).open(place.path())
    const { jobs } = db.repositories
    await jobs.insertMany(Array.from({ length: 12 }, (_, id) => [id, { state: 'waiting' }] as const))
    const given: (string | undefined)[] = []
    for (let claim = 0; claim < 4; claim++) {
      const set = { state: 'taken', token: 'x' }
      const { entries } = await jobs.claimMany({ where: { state: 'waiting' }, limit: 3, set })
      given.push(...entries.map(({ value }) => value.token))
    }
    expect(new Set(given).size).toBe(12)
  },

  'an asynchronous schema runs once for each row': async (place) => {
    let runs = 0
    const by = z.string().refine(async () => {
      runs += 1
      return true
    })
    await using db = await Valkeyrie.withSchema(
      ['jobs', '*'],
      z.object({ state: z.string(), by: by.optional() }),
      { indexes: [{ on: ['state'] }] },
    ).open(place.path())
    const { jobs } = db.repositories
    await jobs.insertMany(Array.from({ length: 10 }, (_, id) => [id, { state: 'waiting' }] as const))
    const claim = () =>
      jobs.claimMany({ where: { state: 'waiting' }, limit: 1, set: { state: 'taken', by: 'a' } })
    for (let i = 0; i < 3; i++) await claim()
    runs = 0
    for (let i = 0; i < 5; i++) await claim()
    expect(runs).toBe(5)
  },

  'a claim that would take a unique value fails, and the next ones go on': async (place) => {
    await using db = await Valkeyrie.withSchema(
      ['jobs', '*'],
      z.object({ state: z.string(), by: z.string().optional() }),
      { indexes: [{ on: ['state'] }, { on: ['by'], unique: true }] },
    ).open(place.path())
    const { jobs } = db.repositories
    await jobs.insert('holder', { state: 'done', by: 'a' })
    await jobs.insertMany(Array.from({ length: 12 }, (_, id) => [id, { state: 'waiting' }] as const))
    const claim = (limit: number, by?: string) =>
      jobs.claimMany({ where: { state: 'waiting' }, limit, set: { state: 'taken', by } })
    for (let i = 0; i < 4; i++) expect((await claim(1)).count).toBe(1)
    await expect(claim(1, 'a')).rejects.toThrow(UniqueConstraintError)
    expect((await claim(1)).count).toBe(1)
    await expect(claim(2, 'b')).rejects.toThrow(UniqueConstraintError)
    expect((await claim(1, 'b')).entries[0]!.value).toStrictEqual({ state: 'taken', by: 'b' })
    expect(await jobs.count({ where: { state: 'waiting' } })).toBe(6)
  },

  'a row that a patch does not fit fails the claim, and stays': async (place) => {
    const values = z.union([z.string(), z.object({ state: z.string(), text: z.string().optional() })])
    await using db = await Valkeyrie.withSchema(['jobs', '*'], values).open(place.path(), {
      limits: { valueBytes: 100 },
    })
    const { jobs } = db.repositories
    const claim = (text = '') =>
      jobs.claimMany({ where: {}, limit: 1, set: { state: 'taken', ...(text && { text }) } as never })
    await jobs.insert('c', { state: 'waiting' })
    for (let i = 0; i < 3; i++) expect((await claim()).count).toBe(1)
    await expect(claim('x'.repeat(100))).rejects.toThrow(RangeError)
    await jobs.insert('b', 'text')
    await expect(claim()).rejects.toThrow(TypeError)
    expect((await jobs.get('b')).value).toBe('text')
    await jobs.delete('b')
    expect((await claim()).count).toBe(1)
  },

  'a function may claim rows itself': async (place) => {
    const { db, jobs } = await jobsAt(place.path(), 3)
    await using _ = db
    let inner: unknown[] | null = null
    const outer = await jobs.claimMany({
      ...waiting,
      limit: 1,
      set: async (value) => {
        inner ??= (await jobs.claimMany({ ...waiting, limit: 1, set: { state: 'taken' } })).entries.map(
          ({ id }) => id,
        )
        return { ...value, state: 'taken' }
      },
    })
    expect(inner).toEqual([2])
    expect(outer.entries.map(({ id }) => id)).toEqual([1])
  },

  'in a unit of work, claimMany sees and writes what the unit has': async (place) => {
    const { db, jobs } = await jobsAt(place.path(), 3)
    await using _ = db
    await db.unitOfWork(async (unit) => {
      const inner = unit.repositories.jobs
      await inner.set('new', { state: 'waiting', rank: 9 })
      const { entries } = await inner.claimMany({ ...waiting, limit: 2, set: { state: 'taken' } })
      expect(entries.map(({ id }) => id)).toEqual(['new', 2])
      entries[1]!.value.by = 'unit'
      expect(await inner.count({ where: { state: 'taken' } })).toBe(2)
    })
    expect((await jobs.get(2)).value).toStrictEqual({ state: 'taken', rank: 2, by: 'unit' })
    expect(await jobs.count({ where: { state: 'waiting' } })).toBe(2)
  },

  'live queries and changes report claimed rows, and no others': async (place) => {
    const { db, jobs } = await jobsAt(place.path(), 4)
    await using _ = db
    const { versionstamp } = await db.set(['mark'], 1)
    const results = jobs.watchMany({ where: { state: 'taken' } }).getReader()
    expect((await results.read()).value).toEqual([])
    await jobs.claimMany({ ...waiting, limit: 1, set: { state: 'taken' } })
    expect((await results.read()).value?.map(({ id }) => id)).toEqual([3])
    await results.cancel()
    const changes = jobs.changes({ since: versionstamp }).getReader()
    expect((await changes.read()).value).toMatchObject({ type: 'set', id: 3 })
    await jobs.set('end', { state: 'taken', rank: 0 })
    expect((await changes.read()).value).toMatchObject({ type: 'set', id: 'end' })
    await changes.cancel()
  },

  'an invalid claim is refused, and takes nothing': async (place) => {
    const { db, jobs } = await jobsAt(place.path(), 2)
    await using _ = db
    const set = { state: 'taken' }
    const bad: readonly [object, unknown][] = [
      [{ ...waiting, set }, TypeError],
      [{ ...waiting, set, limit: 0 }, RangeError],
      [{ ...waiting, set, limit: 1.5 }, RangeError],
      [{ ...waiting, limit: 1 }, TypeError],
      [{ ...waiting, limit: 1, set: 5 }, TypeError],
      [{ ...waiting, limit: 1, set, offset: 1 }, TypeError],
      [{ limit: 1, set }, QueryError],
      [{ where: { AND: [] }, limit: 1, set }, QueryError],
      [{ where: { none: 1 }, limit: 1, set }, QueryError],
      [{ ...waiting, orderBy: { none: 'asc' }, limit: 1, set }, QueryError],
    ]
    for (const [query, kind] of bad)
      await expect(jobs.claimMany(query as never), JSON.stringify(query)).rejects.toThrow(kind as never)
    await expect(jobs.claimMany({ ...waiting, limit: 1, set: { rank: 'x' } as never })).rejects.toMatchObject(
      {
        code: 'VALIDATION',
      },
    )
    const signal = AbortSignal.abort(new Error('gone'))
    const right = { ...waiting, limit: 1, set: { state: 'taken' } } as const
    await expect(jobs.claimMany(right, { signal })).rejects.toThrow('gone')
    const create = { state: 'waiting', rank: 1 } as const
    await expect(jobs.upsert(0, { create, update: { state: 'taken' } }, { signal })).rejects.toThrow('gone')
    await expect(jobs.claimMany(right, { by: 'x' } as never)).rejects.toThrow(TypeError)
    expect(await jobs.count({ where: { state: 'waiting' } })).toBe(2)
    expect((await jobs.claimMany({ where: {}, limit: 1, set: { by: 'x' } })).count).toBe(1)
  },
}
