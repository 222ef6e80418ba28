import { QueryError, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Cases } from '../suite.ts'

const job = z.object({ state: z.enum(['waiting', 'taken']), rank: z.int(), by: z.string().optional() })
const schemas = Valkeyrie.withSchema(['jobs', '*'], job, { indexes: [{ on: ['state', 'rank'] }] })
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
