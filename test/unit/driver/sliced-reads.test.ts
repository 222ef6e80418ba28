import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { collectionOf } from '../../../src/catalog/collection-of.ts'
import type { SetMutation } from '../../../src/commit/write.ts'
import type { Session, StoredRow } from '../../../src/driver/driver.ts'
import { openSqlite } from '../../../src/driver/sqlite/open.ts'
import { encodeKey } from '../../../src/key/codec.ts'
import { relate } from '../../../src/query/planner.ts'
import { plannerOf } from '../../../src/repository/find/planner-of.ts'
import { defineSchema } from '../../../src/schema.ts'
import { Encoding } from '../../../src/value/encoding.ts'
import { driverOptions } from '../../driver-options.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()
const count = 30_000
const rows = defineSchema(['rows', '*'], z.object({ n: z.int(), text: z.string() }), {
  name: 'rows',
  indexes: [{ on: 'n' }],
})
const find = (query: object) => ({ type: 'find', query: plannerOf(rows).find(query, null) }) as const
const all = find({})

let sqlite: Awaited<ReturnType<typeof openSqlite>>

beforeAll(async () => {
  sqlite = await openSqlite([collectionOf(rows)], {
    path: path(),
    ...driverOptions,
    durability: 'normal',
  })
  await commit(Array.from({ length: count }, (_, place) => setting(place, place)))
})
afterAll(() => sqlite.driver.close())

/** Sets the row at this place. */
function setting(place: number, n: number): SetMutation {
  const value = JSON.stringify({ n, text: 'x'.repeat(200) })
  const stored = { value, encoding: Encoding.json, types: null } as const
  return { type: 'set', key: encodeKey(['rows', place]), collection: 'rows', stored }
}

async function commit(mutations: readonly SetMutation[]): Promise<void> {
  const { driver, catalog } = sqlite
  const outcome = await driver.commit({
    catalogVersion: catalog.version,
    writes: [{ checks: [], mutations }],
  })
  expect(outcome).toMatchObject({ type: 'done', outcomes: [{ type: 'committed' }] })
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Whether it takes several turns of the event loop. */
async function lasts(work: Promise<unknown>): Promise<boolean> {
  let turns = 0
  let over = false
  const done = () => {
    over = true
  }
  work.then(done, done)
  while (!over) {
    await turn()
    turns += 1
  }
  return turns > 2
}

it('a session reads a query of many rows in slices', async () => {
  const session = sqlite.driver.session('held')
  const reading = session.read(all)
  expect(await lasts(reading)).toBe(true)
  expect(await reading).toHaveLength(count)
  session.end()
})

it('the reads that a session begins meanwhile wait, and are of its state', async () => {
  const session = sqlite.driver.session('held')
  const { version } = await session.state()
  const reading = session.read(all)
  await commit([setting(0, -1)])
  onTestFinished(() => commit([setting(0, 0)]))
  const later = session.read({ type: 'get', key: encodeKey(['rows', 0]) })
  const again = session.read(find({ orderBy: { n: 'desc' } }))
  const state = session.state()
  expect((await later)?.value).toContain('"n":0')
  expect(await reading).toHaveLength(count)
  expect((await again).at(-1)?.key).toEqual(['rows', 0])
  expect(await state).toMatchObject({ version })
  session.end()
})

it('a session that ends, and a signal that is aborted, end the reading', async () => {
  const session = sqlite.driver.session('held')
  // What was never run is read in slices, however fast the machine is.
  const reading = session.read(find({ orderBy: { n: 'asc' } }))
  await turn()
  session.end()
  await expect(reading).rejects.toThrow('await every call')
  const other = sqlite.driver.session('held')
  const aborted = other.read(find({ orderBy: { text: 'asc' } }), AbortSignal.abort(new Error('enough')))
  await expect(aborted).rejects.toThrow('enough')
  expect(await other.read({ type: 'exists', key: encodeKey(['rows', 1]) })).toBe(true)
  other.end()
})

it('sessions that share a snapshot each get all of their rows, even if one of them ends', async () => {
  const sessions = Array.from({ length: 4 }, () => sqlite.driver.session('held'))
  const readings = sessions.map((session) => session.read(find({ orderBy: { text: 'desc' } })))
  await turn()
  sessions.at(-1)!.end()
  const outcomes = await Promise.allSettled(readings)
  for (const outcome of outcomes.slice(0, -1))
    expect(outcome.status === 'fulfilled' && outcome.value.length).toBe(count)
  for (const session of sessions) session.end()
})

it('reads a query of many rows in slices although the last ones of its shape found few', async () => {
  const above = (n: number) => find({ where: { n: { gte: n } } })
  const { driver } = sqlite
  for (let time = 0; time < 3; time++) expect(await driver.read(above(count - 1))).toHaveLength(1)
  const reading = driver.read(above(-1))
  expect(await lasts(reading)).toBe(true)
  expect(await reading).toHaveLength(count)
})

it('a query finds the same however often it runs', async () => {
  const order = { orderBy: { n: 'desc' } }
  for (const query of [
    find({ where: { n: { lt: 1_500 } }, ...order }),
    find({ limit: 1_500, offset: 10, ...order }),
    find({ where: { n: { lt: 2_000 } }, limit: 1_999, ...order }),
    find({ where: { n: { lt: 3 } }, limit: 2_000, ...order }),
  ]) {
    const found = await sqlite.driver.read(query)
    expect(found.length).toBeGreaterThan(0)
    for (let time = 0; time < 3; time++) expect(await sqlite.driver.read(query)).toEqual(found)
  }
})

const keys = Array.from({ length: count }, (_, n) => encodeKey(['rows', n]))
const related = () =>
  ({ type: 'related', query: relate(plannerOf(rows).find({ orderBy: [] }, null), 'at', keys) }) as const

it.each([
  ['the rows under many keys', () => sqlite.driver.read({ type: 'getMany', keys })],
  ['the rows under many keys in a session', (session: Session) => session.read({ type: 'getMany', keys })],
  ['the rows that many others refer to', (session: Session) => session.read(related())],
])('reads %s in slices', async (_, read) => {
  const session = sqlite.driver.session('held')
  const reading: Promise<readonly (StoredRow | null)[]> = read(session)
  expect(await lasts(reading)).toBe(true)
  const numbers = (await reading).map((row) => JSON.parse(row!.value as string).n)
  expect(numbers).toEqual(keys.map((_, n) => n))
  const places = (await session.read(related())).map(({ parent }) => parent)
  expect(places).toEqual(keys.map((_, n) => n))
  session.end()
})

it('few rows are read in slices, too, if they are large', async () => {
  const { driver, catalog } = await openSqlite([collectionOf(rows)], {
    path: path(),
    ...driverOptions,
    durability: 'normal',
  })
  onTestFinished(() => driver.close())
  const large = 300
  const stored = {
    value: JSON.stringify({ n: 1, text: 'x'.repeat(300_000) }),
    encoding: Encoding.json,
    types: null,
  } as const
  const keys = Array.from({ length: large }, (_, place) => encodeKey(['rows', place]))
  const mutations = keys.map((key) => ({ type: 'set', key, collection: 'rows', stored }) as const)
  await driver.commit({ catalogVersion: catalog.version, writes: [{ checks: [], mutations }] })
  for (const request of [find({ limit: large }), { type: 'getMany', keys }] as const) {
    const reading = driver.read(request)
    expect(await lasts(reading)).toBe(true)
    expect(await reading).toHaveLength(large)
  }
})

it('the rows that two others refer to stay one statement, although the first time it was slow', async () => {
  let statements = 0
  const logger = {
    logQuery(text: string) {
      if (!text.includes('as parent')) return
      statements += 1
      for (const end = performance.now() + 5; performance.now() < end; );
    },
  }
  const { driver } = await openSqlite([collectionOf(rows)], {
    path: path(),
    ...driverOptions,
    durability: 'normal',
    logger,
  })
  onTestFinished(() => driver.close())
  const two = relate(plannerOf(rows).find({ orderBy: [] }, null), 'at', keys.slice(0, 2))
  for (let time = 1; time <= 3; time++) {
    const session = driver.session('held')
    await session.read({ type: 'related', query: two })
    session.end()
    expect(statements).toBe(time)
  }
})
