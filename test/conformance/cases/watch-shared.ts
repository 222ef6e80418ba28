import fc from 'fast-check'
import { QueryError, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect } from 'vitest'
import { z } from 'zod'
import { extent } from '../../extent.ts'
import type { Cases, Place } from '../suite.ts'
import { Follower, isPending, next } from '../watching.ts'

const game = Valkeyrie.withSchema(
  ['players', '*'],
  z.object({ name: z.string(), score: z.int(), team: z.string().optional(), seen: z.date().optional() }),
  { name: 'players', indexes: [{ on: 'score' }] },
).withSchema(['players', '*', 'medals', '*'], z.object({ title: z.string() }), { name: 'medals' })

async function openGame({ path }: Place) {
  const statements: string[] = []
  const logger = {
    logQuery(sql: string) {
      if (/collection"? = 'players'/.test(sql)) statements.push(sql)
    },
  }
  const db = await game.open(path(), { logger })
  const { players, medals } = db.repositories
  for (let i = 1; i <= 5; i++) await players.set(`p${i}`, { name: `P${i}`, score: i * 10 })
  statements.length = 0
  /** How many statements on players there were since the last call. */
  const ran = () => statements.splice(0).length
  return { db, players, medals, ran }
}

export const watchSharedCases: Cases = {
  'equal queries run once for all readers, however they are written': async (place) => {
    const { db, players, ran } = await openGame(place)
    await using _ = db
    const since = new Date(0)
    const streams = () => [
      players.watchMany({ where: { score: { gte: 20 }, team: 'red' }, orderBy: { score: 'desc' }, limit: 2 }),
      players.watchMany({
        limit: 2,
        orderBy: { score: 'desc' },
        where: { team: { eq: 'red' }, score: { gte: 20 } },
      }),
      players.watchMany({
        where: { AND: [{ team: 'red' }, { score: { gte: 20 } }] },
        orderBy: [{ score: 'desc' }],
        limit: 2,
      }),
      players.watchMany({
        where: { $id: { in: ['p1', 'p2'] } },
        columns: { name: true, score: true },
        with: { medals: { where: { title: { in: ['a', 'b'] } } } },
      }),
      players.watchMany({
        with: { medals: { where: { title: { in: ['b', 'a'] } } } },
        columns: { score: true, name: true },
        where: { $id: { in: ['p2', 'p1'] } },
      }),
      players.watchMany({ where: { seen: { gt: since }, score: { in: [1, 50] } } }),
      players.watchMany({ where: { score: { in: [50, 1] }, seen: { gt: new Date(0) } } }),
    ]
    const readers = [...streams(), ...streams(), ...streams()].map((stream) => stream.getReader())
    await Promise.all(readers.map((reader) => next(reader)))
    expect(ran()).toBe(3)

    const reads = readers.map((reader) => next<readonly { readonly id: string }[]>(reader as never))
    await isPending(reads[0]!)
    ran()
    await players.set('p2', { name: 'P2', score: 50, team: 'red', seen: new Date(1) })
    for (const rows of await Promise.all(reads)) expect(rows.map(({ id }) => id)).toContain('p2')
    expect(ran()).toBe(3)
  },

  'queries that differ in one operand or option do not share': async (place) => {
    const { db, players, ran } = await openGame(place)
    await using _ = db
    const streams = [
      players.watchMany(),
      players.watchMany({ limit: 1 }),
      players.watchMany({ limit: 2 }),
      players.watchMany({ where: { score: 10 } }),
      players.watchMany({ where: { score: 20 } }),
      players.watchMany({ where: { name: '10' } }),
      players.watchMany({ where: { NOT: { score: 10 } } }),
      players.watchMany({ where: { name: { startsWith: 'P' } } }),
      players.watchMany({ where: { name: { endsWith: 'P' } } }),
      players.watchMany({ where: { name: { contains: 'P' } } }),
      players.watchMany({ where: { name: { icontains: 'P' } } }),
      players.watchMany({ where: { OR: [{ score: 10 }, { score: 20 }] } }),
      players.watchMany({ orderBy: { score: 'desc' } }),
      players.watchMany({ orderBy: { score: 'asc' } }),
      players.watchMany({ orderBy: { score: 'asc', name: 'asc' } }),
      players.watchMany({ orderBy: { name: 'asc', score: 'asc' } }),
      players.watchMany({ distinct: ['team'] }),
      players.watchMany({ columns: { name: true } }),
      players.watchMany({ columns: { name: false } }),
      players.watchMany({ columns: {} }),
      players.watchMany({ with: { medals: true } }),
      players.watchMany({ with: { medals: { limit: 1 } } }),
    ]
    await Promise.all(streams.map((stream) => next(stream.getReader() as never)))
    expect(ran()).toBe(streams.length)
  },

  'a query that its caller changes afterwards stays what it was': async (place) => {
    const { db, players, medals } = await openGame(place)
    await using _ = db
    await medals.set(['p1', 'a'], { title: 'Gold' })
    const query = {
      where: { score: 10 },
      columns: { name: true },
      with: { medals: { where: { title: 'Gold' } } },
    }
    const [reader, other] = [players.watchMany(query).getReader(), players.watchMany(query).getReader()]
    query.where.score = 20
    query.columns.name = false
    query.with.medals.where.title = 'Silver'
    for (const one of [reader, other]) {
      expect(await next(one)).toMatchObject([
        { id: 'p1', value: { name: 'P1' }, medals: [{ id: ['p1', 'a'] }] },
      ])
    }
  },

  'a row that has not changed is the same object in the next result, for every reader': async (place) => {
    const { db, players } = await openGame(place)
    await using _ = db
    for (const columns of [undefined, { name: true } as const]) {
      const open = () =>
        players.watchMany({ where: { score: { gte: 30 } }, ...(columns && { columns }) }).getReader()
      const [fast, slow] = [open(), open()]
      const before = await next(fast)
      const seenBySlow = await next(slow)
      expect(seenBySlow).not.toBe(before)
      expect(seenBySlow.every((row, i) => row === before[i])).toBe(true)

      await players.update('p4', { name: 'Four' })
      const after = await next(fast)
      expect(after.map((row, i) => row === before[i])).toEqual([true, false, true])
      await players.touch('p5', { expireIn: 60_000 })
      const touched = await next(fast)
      expect(touched.map((row, i) => row === after[i])).toEqual([true, true, false])
      // One that was away while others read on, and a row that left meanwhile and came back.
      await players.update('p4', { name: 'P4' })
      await next(fast)
      expect((await next(slow)).map((row, i) => row === seenBySlow[i])).toEqual([true, false, false])
      await players.touch('p5', { expireIn: null })
      await Promise.all([fast.cancel(), slow.cancel()])
    }
  },

  'a row that left a result and is in a later one is the same object': async (place) => {
    const { db, players } = await openGame(place)
    await using _ = db
    const reader = players.watchMany({ orderBy: { score: 'desc' }, limit: 2 }).getReader()
    const [, fourth] = await next(reader)
    await players.set('p6', { name: 'P6', score: 60 })
    expect((await next(reader)).map(({ id }) => id)).toEqual(['p6', 'p5'])
    await players.delete('p6')
    expect((await next(reader))[1]).toBe(fourth)
  },

  'with related rows, it is the same object if none of them has changed': async (place) => {
    const people = defineSchema(['people', '*'], z.object({ name: z.string() }))
    const tags = defineSchema(['people', '*', 'tags', '*'], z.object({ n: z.int() }), { name: 'tags' })
    const teams = defineSchema(['teams', '*'], z.object({ name: z.string(), captain: z.string() }), {
      references: { captain: people },
    })
    const goals = defineSchema(['teams', '*', 'goals', '*'], z.object({ by: z.string() }), {
      name: 'goals',
      references: { by: people },
    })
    await using db = await Valkeyrie.withSchemas([people, tags, teams, goals]).open(place.path())
    const { repositories: rows } = db
    for (const id of ['ada', 'bob']) await rows.people.set(id, { name: id })
    await rows.tags.set(['ada', 't'], { n: 1 })
    for (const id of ['blue', 'green', 'red'])
      await rows.teams.set(id, { name: id, captain: id === 'red' ? 'bob' : 'ada' })
    await rows.goals.set(['red', '1'], { by: 'ada' })
    await rows.goals.set(['red', '2'], { by: 'bob' })
    const reader = rows.teams
      .watchMany({ with: { captain: { with: { tags: true } }, goals: { with: { by: true } } } })
      .getReader()
    let last = await next(reader)
    expect(last[0]!.captain!.tags).toHaveLength(1)
    const sameAfter = async (write: Promise<unknown>) => {
      await write
      const before = last
      last = await next(reader)
      return { same: last.map((row, i) => row === before[i]), before, last }
    }
    expect((await sameAfter(rows.teams.update('blue', { name: 'Blue' }))).same).toEqual([false, true, true])
    expect((await sameAfter(rows.people.set('ada', { name: 'Ada' }))).same).toEqual([false, false, false])
    expect((await sameAfter(rows.tags.set(['ada', 't'], { n: 2 }))).same).toEqual([false, false, true])
    const goal = await sameAfter(rows.goals.set(['red', '2'], { by: 'ada' }))
    expect(goal.same).toEqual([true, true, false])
    // What it has in common with what it was is shared.
    expect(goal.last[2]!.captain).toBe(goal.before[2]!.captain)
    expect(goal.last[2]!.goals[0]).toBe(goal.before[2]!.goals[0])
    expect(goal.last[2]!.goals[1]).not.toBe(goal.before[2]!.goals[1])
    const renamed = await sameAfter(rows.teams.update('red', { name: 'Red' }))
    expect(renamed.same).toEqual([true, true, false])
    expect(renamed.last[2]!.goals).toBe(renamed.before[2]!.goals)
    expect((await sameAfter(rows.people.delete('bob'))).same).toEqual([true, true, false])
    expect(last[2]!.captain).toBeNull()
    expect(last).toEqual(
      await rows.teams.findMany({
        with: { captain: { with: { tags: true } }, goals: { with: { by: true } } },
      }),
    )
  },

  'each reader gets its own list; the rows are shared and frozen': async (place) => {
    const { db, players, medals } = await openGame(place)
    await using _ = db
    await medals.set(['p1', 'a'], { title: 'Gold' })
    const open = () => players.watchMany({ with: { medals: true } }).getReader()
    const [reader, other] = [open(), open()]
    const mine = await next(reader)
    mine.reverse()
    mine.length = 1
    expect((await next(other)).map(({ id }) => id)).toEqual(['p1', 'p2', 'p3', 'p4', 'p5'])
    const [row] = await next(players.watchMany({ where: { $id: 'p1' }, with: { medals: true } }).getReader())
    for (const change of [
      () => Object.assign(row!, { value: null }),
      () => Object.assign(row!.value, { name: 'other' }),
      () => row!.medals.pop(),
      () => Object.assign(row!.medals[0]!.value, { title: 'Silver' }),
      () => (row!.key as unknown as unknown[]).push('more'),
    ]) {
      expect(change).toThrow(TypeError)
    }
    // The value of a frozen row can be written like any other.
    await players.set('p9', row!.value)
    expect((await players.get('p9')).value).toEqual(row!.value)
  },

  'each reader has its own end and pace, and a later one sees the current result': async (place) => {
    const { db, players } = await openGame(place)
    await using _ = db
    const query = () => ({ where: { score: { gte: 50 } } })
    const names = (rows: readonly { readonly value: { readonly name: string } }[]) =>
      rows.map(({ value }) => value.name).join()
    const controller = new AbortController()
    const aborted = players.watchMany(query(), { signal: controller.signal }).getReader()
    const [cancelled, left, slow, fast] = Array.from({ length: 4 }, () =>
      players.watchMany(query()).getReader(),
    )
    for (const reader of [aborted, cancelled!, left!, slow!, fast!])
      expect(names(await next(reader))).toBe('P5')
    const ended = [aborted.read(), cancelled!.read()]
    const dropped = left!.read()
    dropped.catch(() => {})
    const pending = fast!.read()
    await isPending(pending)
    controller.abort()
    await cancelled!.cancel()
    left!.releaseLock()
    expect(await Promise.all(ended)).toEqual([{ done: true }, { done: true }])
    expect(await isPending(pending)).toBe(true)
    for (const name of ['A', 'B', 'C']) {
      const write = players.update('p5', { name })
      await write
      const late = players.watchMany(query()).getReader()
      expect(names(await next(late))).toBe(name)
      await late.cancel()
    }
    expect((await pending).value).toHaveLength(1)
    expect(names(await next(slow!))).toBe('C')
    const last = slow!.read()
    await isPending(last)
    await db.close()
    expect(await last).toEqual({ done: true })
  },

  'a read that begins while the query runs sees what was written before it': async (place) => {
    const { db, players } = await openGame(place)
    await using _ = db
    const open = () => players.watchMany({ where: { $id: 'p1' } }).getReader()
    for (let score = 0; score < 50; score++) {
      const [early, late] = [open(), open()]
      const first = early.read()
      for (let turn = 0; turn < score % 7; turn++) await null
      await players.update('p1', { score })
      expect((await next(late))[0]!.value.score).toBe(score)
      await first
      await Promise.all([early.cancel(), late.cancel()])
    }
  },

  'whatever is written, and whoever comes and goes, all who share read what findMany gives in the end': (
    place,
  ) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            {
              weight: 4,
              arbitrary: fc.record({
                write: fc.integer({ min: 1, max: 7 }),
                score: fc.integer({ min: 0, max: 9 }),
              }),
            },
            fc.record({ remove: fc.integer({ min: 1, max: 7 }) }),
            fc.record({ award: fc.integer({ min: 1, max: 7 }), title: fc.constantFrom('Gold', 'Silver') }),
            { weight: 2, arbitrary: fc.record({ join: fc.nat(2) }) },
            fc.record({ leave: fc.nat(20), by: fc.constantFrom('abort' as const, 'cancel' as const) }),
            fc.record({ pause: fc.nat(3) }),
          ),
          { maxLength: 40 },
        ),
        async (steps) => {
          const { db, players, medals } = await openGame(place)
          const queries = [
            { where: { score: { gte: 4 } }, orderBy: { score: 'desc' }, limit: 3 },
            { orderBy: { score: 'asc' }, offset: 1, limit: 3 },
            { where: { score: { gt: 1 } }, with: { medals: { orderBy: { title: 'asc' } } } },
          ] as const
          const join = (query: number) =>
            new Follower((signal) => players.watchMany(queries[query] as object, { signal }), query)
          const followers = [join(0), join(0), join(1), join(1), join(2), join(2)]
          for (const step of steps) {
            if ('write' in step) await players.set(`p${step.write}`, { name: 'P', score: step.score })
            else if ('remove' in step) await players.delete(`p${step.remove}`)
            else if ('award' in step) await medals.set([`p${step.award}`, step.title], { title: step.title })
            else if ('join' in step) followers.push(join(step.join))
            else if ('leave' in step) await followers[step.leave % followers.length]!.leave(step.by)
            else for (let turn = 0; turn < step.pause; turn++) await new Promise(setImmediate)
          }
          for (const [query, expected] of (
            await Promise.all(queries.map((query) => players.findMany(query as object)))
          ).entries()) {
            for (const follower of followers) if (follower.query === query) await follower.reaches(expected)
          }
          await db.close()
        },
      ),
      { numRuns: extent('histories', 4, 30) },
    ),

  'an error reaches each waiting reader, and a later one looks again': async (place) => {
    const mixed = Valkeyrie.withSchema(['mixed', '*'], z.object({ n: z.any() }), { name: 'mixed' })
    await using db = await mixed.open(place.path())
    const { mixed: rows } = db.repositories
    await rows.set('a', { n: 1 })
    const readers = Array.from({ length: 3 }, () => rows.watchMany({ orderBy: { n: 'asc' } }).getReader())
    await Promise.all(readers.map((reader) => next(reader)))
    const reads = readers.map((reader) => reader.read())
    const failures = Promise.all(reads.map((read) => expect(read).rejects.toThrow(QueryError)))
    await rows.set('b', { n: 2n })
    await failures
    const later = () => rows.watchMany({ orderBy: { n: 'asc' } }).getReader()
    await expect(later().read()).rejects.toThrow(QueryError)
    await rows.delete('b')
    expect((await next(later())).map(({ id }) => id)).toEqual(['a'])
  },

  'watchers of the same keys share a read, and each has its own values': async (place) => {
    const { db, players } = await openGame(place)
    await using _ = db
    const keys = [['players', 'p1'], ['bytes']] as const
    await db.set(['bytes'], new Uint8Array([1]))
    const readers = Array.from({ length: 3 }, () => db.watch(keys).getReader())
    const byId = players.watch(['p1']).getReader()
    const results = await Promise.all(readers.map((reader) => next(reader)))
    const [row] = await next(byId)
    Object.assign(results[0]![0].value!, { name: 'other' })
    ;(results[0]![1].value as Uint8Array)[0] = 9
    for (const [player, bytes] of results.slice(1)) {
      expect(player.value).toMatchObject({ name: 'P1' })
      expect(bytes.value).toEqual(new Uint8Array([1]))
    }
    expect(row!.value).toMatchObject({ name: 'P1' })
  },
}
