import fc from 'fast-check'
import { QueryError, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect } from 'vitest'
import { z } from 'zod'
import { extent } from '../../extent.ts'
import { stillClock } from '../../still-clock.ts'
import type { Cases, Place } from '../suite.ts'
import { isPending, next } from '../watching.ts'

const game = Valkeyrie.withSchema(
  ['players', '*'],
  z.object({ name: z.string(), score: z.int(), team: z.string().optional() }),
  { name: 'players', indexes: [{ on: 'score' }] },
)
  .withSchema(['players', '*', 'medals', '*'], z.object({ title: z.string() }), { name: 'medals' })
  .withSchema(['other', '*'], z.object({ n: z.int() }), { name: 'other' })

async function openGame({ path }: Place, count = 5) {
  const queries: string[] = []
  const logger = {
    logQuery(sql: string) {
      if (/collection = 'players'/.test(sql) || /collection" = 'players'/.test(sql)) queries.push(sql)
    },
  }
  const db = await game.open(path(), { logger })
  for (let i = 1; i <= count; i++) {
    await db.repositories.players.set(`p${i}`, { name: `P${i}`, score: i * 10 })
  }
  return { db, ...db.repositories, queries }
}

export const watchManyCases: Cases = {
  'gives the result at first, then each time a row enters, leaves, changes or moves': async (place) => {
    const { db, players } = await openGame(place)
    const reader = players
      .watchMany({ where: { score: { gte: 30 } }, orderBy: { score: 'desc' }, limit: 2 })
      .getReader()
    const names = async () => (await next(reader)).map(({ id, value }) => `${id} ${value.score}`)
    expect(await names()).toEqual(['p5 50', 'p4 40'])

    await players.set('p6', { name: 'P6', score: 60 })
    expect(await names()).toEqual(['p6 60', 'p5 50'])
    await players.delete('p6')
    expect(await names()).toEqual(['p5 50', 'p4 40'])
    await players.update('p4', { score: 45 })
    expect(await names()).toEqual(['p5 50', 'p4 45'])
    await players.update('p4', { score: 55 })
    expect(await names()).toEqual(['p4 55', 'p5 50'])
    await players.update('p4', { score: 0 })
    expect(await names()).toEqual(['p5 50', 'p3 30'])
    await db.clear()
    expect(await names()).toEqual([])
    await players.set('p1', { name: 'P1', score: 99 })
    expect(await names()).toEqual(['p1 99'])
    await db.close()
    expect(await reader.read()).toMatchObject({ done: true })
  },

  'a change that the query rules out neither emits nor runs it again': async (place) => {
    const { db, players, other, medals, queries } = await openGame(place)
    const query = { where: { score: { gte: 30 } }, orderBy: { score: 'desc' }, limit: 2 } as const
    const reader = players.watchMany(query).getReader()
    await next(reader)
    const read = next(reader)
    await isPending(read)
    queries.length = 0
    await players.update('p1', { score: 29 }) // not selected, before and after
    await players.update('p3', { score: 39 }) // selected, behind the limit
    await players.set('p9', { name: 'P9', score: 1 })
    await players.delete('p2')
    await other.set('o', { n: 1 })
    await medals.set(['p5', 'gold'], { title: 'Gold' })
    expect(await isPending(read)).toBe(true)
    expect(queries).toEqual([])
    await players.update('p3', { score: 41 })
    expect((await read).map(({ id }) => id)).toEqual(['p5', 'p3'])
    expect(queries.length).toBe(1)
    await db.close()
  },

  'with an offset, a row before the first one that leaves moves the others': async (place) => {
    const { db, players } = await openGame(place)
    const reader = players.watchMany({ orderBy: { score: 'asc' }, offset: 1, limit: 2 }).getReader()
    expect((await next(reader)).map(({ id }) => id)).toEqual(['p2', 'p3'])
    await players.delete('p1')
    expect((await next(reader)).map(({ id }) => id)).toEqual(['p3', 'p4'])
    await db.close()
  },

  'a row that expires leaves': async (place) => {
    const clock = stillClock()
    const { db, players } = await openGame(place)
    const reader = players.watchMany({ orderBy: { score: 'desc' }, limit: 1 }).getReader()
    await next(reader)
    await players.touch('p5', { expireIn: 50 })
    expect((await next(reader)).map(({ id }) => id)).toEqual(['p5'])
    const left = next(reader)
    clock.advance(49)
    expect(await isPending(left)).toBe(true)
    clock.advance(1)
    expect((await left).map(({ id }) => id)).toEqual(['p4'])
    await db.close()
  },

  'with is followed': async (place) => {
    const { db, players, medals } = await openGame(place)
    const reader = players.watchMany({ where: { score: { gte: 40 } }, with: { medals: true } }).getReader()
    const medalsOf = async () =>
      (await next(reader)).map(({ id, medals }) => `${id} ${medals.map(({ value }) => value.title).join()}`)
    expect(await medalsOf()).toEqual(['p4 ', 'p5 '])
    await medals.set(['p5', 'a'], { title: 'Gold' })
    expect(await medalsOf()).toEqual(['p4 ', 'p5 Gold'])
    await medals.set(['p5', 'a'], { title: 'Silver' })
    expect(await medalsOf()).toEqual(['p4 ', 'p5 Silver'])
    const read = medalsOf()
    await medals.set(['p1', 'a'], { title: 'of another player' })
    expect(await isPending(read)).toBe(true)
    await medals.delete(['p5', 'a'])
    expect(await read).toEqual(['p4 ', 'p5 '])
    await db.close()
  },

  'a row that a field refers to is followed, also where it is missing at first': async (place) => {
    const people = defineSchema(['people', '*'], z.object({ name: z.string() }))
    const teams = defineSchema(['teams', '*'], z.object({ captain: z.string() }), {
      references: { captain: people },
    })
    await using db = await Valkeyrie.withSchemas([people, teams]).open(place.path())
    const { people: rows, teams: owners } = db.repositories
    await owners.set('red', { captain: 'ada' })
    const reader = owners.watchMany({ with: { captain: true } }).getReader()
    const captains = async () => (await next(reader)).map(({ captain }) => captain?.value.name ?? null)
    expect(await captains()).toEqual([null])
    await rows.set('ada', { name: 'Ada' })
    expect(await captains()).toEqual(['Ada'])
    const read = captains()
    await rows.set('bob', { name: 'Bob' })
    expect(await isPending(read)).toBe(true)
    await rows.update('ada', { name: 'Ada L.' })
    expect(await read).toEqual(['Ada L.'])
  },

  'a slow reader gets the newest result, and an unchanged one is not repeated': async (place) => {
    const { db, players } = await openGame(place)
    const reader = players.watchMany({ where: { score: { gt: 40 } } }).getReader()
    await next(reader)
    await players.set('p6', { name: 'P6', score: 60 })
    await players.delete('p6')
    const read = next(reader)
    expect(await isPending(read)).toBe(true)
    for (let score = 50; score < 60; score++) await players.set('p7', { name: 'P7', score })
    expect((await read).at(-1)).toMatchObject({ id: 'p7' })
    await reader.cancel()
    await db.close()
  },

  'whatever is written, the result that is read last is what findMany gives': (place) =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          least: fc.integer({ min: 0, max: 5 }),
          limit: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
          offset: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
          direction: fc.constantFrom('asc' as const, 'desc' as const),
        }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.option(fc.integer({ min: 0, max: 9 }))), {
          maxLength: 25,
        }),
        async ({ least, limit, offset, direction }, writes) => {
          const { db, players } = await openGame(place)
          const query = {
            where: { score: { gte: least * 10 } },
            orderBy: { score: direction },
            ...(limit !== undefined && { limit }),
            ...(offset !== undefined && { offset }),
          }
          const reader = players.watchMany(query).getReader()
          let result = await next(reader)
          let read = reader.read()
          for (const [id, tens] of writes) {
            if (tens === null) await players.delete(`p${id}`)
            else await players.set(`p${id}`, { name: `P${id}`, score: tens * 10 })
            const expected = await players.findMany(query)
            if (JSON.stringify(expected) === JSON.stringify(result)) continue
            result = (await read).value!
            expect(result).toEqual(expected)
            read = reader.read()
          }
          expect(await isPending(read)).toBe(true)
          await db.close()
        },
      ),
      { numRuns: extent('histories', 4, 30) },
    ),

  'an invalid query is a QueryError': async (place) => {
    const { db, players } = await openGame(place)
    const call = players.watchMany as (query: unknown) => unknown
    expect(() => call.call(players, { where: { nothing: 1 } })).toThrow(QueryError)
    expect(() => call.call(players, { Where: {} })).toThrow(TypeError)
    await db.close()
    await expect(players.watchMany().getReader().read()).rejects.toThrow('Database is closed')
  },
}
