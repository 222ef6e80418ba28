import { tracingChannel } from 'node:diagnostics_channel'
import Sqlite from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { newDatabasePath } from './temporary-folder.ts'

const job = z.object({ state: z.enum(['waiting', 'taken']), rank: z.int() })
const schemas = Valkeyrie.withSchema(['jobs', '*'], job, { indexes: [{ on: ['state', 'rank'] }] })
const first = { where: { state: 'waiting' }, orderBy: { rank: 'asc' }, limit: 1 } as const

test('a claim that lost a row to others prepares more of them, and no longer once nobody takes any', async () => {
  const path = newDatabasePath()
  await using db = await schemas.open(path)
  await using others = await schemas.open(path)
  const { jobs } = db.repositories
  await jobs.insertMany(Array.from({ length: 100 }, (_, rank) => [rank, { state: 'waiting', rank }] as const))
  let prepared = 0
  const claim = async () => {
    prepared = 0
    const { entries } = await jobs.claimMany({
      ...first,
      set(value) {
        prepared += 1
        return { ...value, state: 'taken' }
      },
    })
    return [entries[0]?.id, prepared]
  }
  expect(await claim()).toEqual([0, 1])

  let isTaken = false
  const { entries } = await jobs.claimMany({
    ...first,
    async set(value) {
      if (!isTaken) {
        isTaken = true
        await others.repositories.jobs.claimMany({ ...first, set: { state: 'taken' } })
      }
      return { ...value, state: 'taken' }
    },
  })
  expect(entries[0]?.id).toBe(2)
  expect(await claim()).toEqual([3, 2])
  for (let id = 4; id < 30; id++) await claim()
  expect(await claim()).toEqual([30, 1])
})

test('no function of the user runs while a claim holds the lock', async () => {
  const path = newDatabasePath()
  let other: InstanceType<typeof Sqlite> | undefined
  let checks = 0
  const by = z.string().refine(() => {
    other?.exec('BEGIN IMMEDIATE; ROLLBACK')
    checks += 1
    return true
  })
  await using db = await Valkeyrie.withSchema(
    ['jobs', '*'],
    z.object({ state: z.string(), rank: z.int(), by: by.optional() }),
    { indexes: [{ on: ['state', 'rank'] }] },
  ).open(path)
  const { jobs } = db.repositories
  await jobs.insertMany(Array.from({ length: 30 }, (_, rank) => [rank, { state: 'waiting', rank }] as const))
  other = new Sqlite(path)
  for (let rank = 0; rank < 10; rank++) {
    const { entries } = await jobs.claimMany({ ...first, set: { state: 'taken', by: 'me' } })
    expect(entries[0]?.id).toBe(rank)
  }
  expect(checks).toBeGreaterThanOrEqual(10)
  other.close()
})

test('claims prepare their rows in the commit, with a signal as well, until one finds none: then they only look', async () => {
  const path = newDatabasePath()
  await using db = await schemas.open(path)
  const { jobs } = db.repositories
  await jobs.insertMany(Array.from({ length: 8 }, (_, rank) => [rank, { state: 'waiting', rank }] as const))
  let queries = 0
  const count = () => {
    queries += 1
  }
  const channel = tracingChannel('valkeyrie:query').start
  channel.subscribe(count)
  const { signal } = new AbortController()
  const queriesOf = async (options?: { readonly signal: AbortSignal }) => {
    queries = 0
    const { entries } = await jobs.claimMany({ ...first, set: { state: 'taken' } }, options)
    return [entries[0]?.id, queries]
  }
  // The first ones learn that the query is fast.
  while (((await queriesOf())[1] as number) > 0) {}
  const next = (await jobs.findFirst({ ...first, orderBy: { rank: 'asc' } }))!.id
  expect(await queriesOf({ signal })).toEqual([next, 0])
  while ((await queriesOf())[0] !== undefined) {}
  const other = new Sqlite(path)
  other.exec('BEGIN IMMEDIATE')
  expect(await queriesOf()).toEqual([undefined, 1])
  other.exec('ROLLBACK')
  other.close()
  channel.unsubscribe(count)
})

test('a claim stores nothing that its schema has not seen, whatever the caller changes meanwhile', async () => {
  const task = z.object({
    state: z.string(),
    rank: z.int(),
    tags: z.array(z.string()).optional(),
    at: z.date().optional(),
  })
  await using db = await Valkeyrie.withSchema(['jobs', '*'], task, {
    indexes: [{ on: ['state', 'rank'] }],
  }).open(newDatabasePath())
  const { jobs } = db.repositories
  await jobs.insertMany(Array.from({ length: 20 }, (_, rank) => [rank, { state: 'waiting', rank }] as const))
  for (let ticks = 0; ticks < 12; ticks++) {
    const set = { state: 'taken', tags: ['a'], at: new Date(1_000) }
    const claimed = jobs.claimMany({ ...first, set }).catch(({ code }) => code)
    for (let tick = 0; tick < ticks; tick++) await undefined
    set.tags.push(7 as never)
    set.at.setTime(Number.NaN)
    await claimed
  }
  for await (const { value } of jobs.list()) expect(task.safeParse(value).success).toBe(true)
})

test('a pattern that another program declares costs later claims no attempt', async () => {
  const path = newDatabasePath()
  await using db = await schemas.open(path)
  const { jobs } = db.repositories
  await jobs.insertMany(Array.from({ length: 20 }, (_, rank) => [rank, { state: 'waiting', rank }] as const))
  const claim = () => jobs.claimMany({ ...first, set: { state: 'taken' } })
  for (let i = 0; i < 5; i++) await claim()
  await (await Valkeyrie.withSchema(['other', '*'], z.object({ n: z.int() })).open(path)).close()
  let commits = 0
  const count = () => {
    commits += 1
  }
  // The first one notices.
  await claim()
  const channel = tracingChannel('valkeyrie:commit').start
  channel.subscribe(count)
  for (let i = 0; i < 5; i++) expect((await claim()).count).toBe(1)
  channel.unsubscribe(count)
  expect(commits).toBe(5)
})
