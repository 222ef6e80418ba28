import { Valkeyrie } from 'valkeyrie'
import { createClient } from 'valkeyrie/client'
import { liveQuery, serveLive } from 'valkeyrie/http'
import { afterEach, expect, it } from 'vitest'
import { z } from 'zod'
import { waitUntil } from '../waiting.ts'
import { openPlayers, type PlayersLive } from './live-server.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A `fetch` that asks a server without a network. */
const asking = (live: () => { fetch(request: Request): Promise<Response> }) =>
  ((url: string, init: RequestInit) => live().fetch(new Request(url, init))) as typeof fetch

it('a thousand clients have the newest result, over a storm of them all that come back at once, and leave nothing', async () => {
  const { db, players, serve } = await openPlayers()
  let live: PlayersLive = serve()
  const options = { fetch: asking(() => live), retry: { min: 1, max: 20 } }
  const clients = Array.from({ length: 1_000 }, () =>
    createClient<PlayersLive>('http://localhost/live', options),
  )
  closing.push(() => db.close())
  for (let i = 0; i < 20; i++) await players.set(`p${i}`, { name: `P${i}`, score: i })
  const followed = clients.map((client) => client.watch('podium', { places: 10 }))
  const ends = followed.map((one) => one.subscribe(() => {}))
  const best = (score: number) => () =>
    followed.every(({ state }) => state.status === 'live' && state.result[0]?.value.score === score)
  await waitUntil('the first result of all', best(19))
  const first = followed.map(({ state }) => state.result![5])

  const before = live
  live = serve()
  before.close()
  await players.set('p0', { name: 'P0', score: 100 })
  await waitUntil('the newest result of all', best(100))
  await waitUntil('all on the new server', () => live.streams === 1_000)
  expect(followed.every(({ state }, i) => state.result![6] === first[i])).toBe(true)
  expect(before.streams).toBe(0)
  for (const end of ends) end()
  await waitUntil('the end of all streams', () => live.streams === 0)
})

it('a client that was away while the log was trimmed is sent the whole result', async () => {
  const builder = Valkeyrie.withSchema(['points', '*'], z.object({ n: z.int() }))
  const db = await builder.open(undefined, { log: { keepRows: 10 } })
  const { points } = db.repositories
  const live = serveLive({ points: liveQuery(() => points.watchMany()) }, { authorize: () => true })
  let server: Pick<typeof live, 'fetch'> = live
  const client = createClient<typeof live>('http://localhost/live', {
    fetch: asking(() => server),
    retry: { min: 1, max: 5 },
  })
  closing.push(
    () => db.close(),
    () => client.close(),
  )
  for (const id of ['a', 'b', 'c']) await points.set(id, { n: 0 })
  const followed = client.watch('points')
  followed.subscribe(() => {})
  const before = await followed.first()
  server = { fetch: () => Promise.reject(new TypeError('fetch failed')) }
  live.close()
  await waitUntil('the loss', () => followed.state.status === 'stale')
  for (let n = 1; n <= 500; n++) await points.set('b', { n })
  await points.delete('c')
  server = serveLive(live.declarations, { authorize: () => true })
  await waitUntil('the result', () => followed.state.status === 'live' && followed.state.result.length === 2)
  expect(followed.state.result!.map(({ value }) => value.n)).toEqual([0, 500])
  expect(followed.state.result![0]).toBe(before[0])
})

it('parameters that change with every stroke leave no stream behind', async () => {
  const { db, players, serve } = await openPlayers()
  const live = serve()
  const client = createClient<PlayersLive>('http://localhost/live', { fetch: asking(() => live) })
  closing.push(
    () => db.close(),
    () => client.close(),
  )
  await players.set('ada', { name: 'Ada', score: 1 })
  let stop = () => {}
  for (let places = 1; places <= 50; places++) {
    stop()
    stop = client.watch('podium', { places }).subscribe(() => {})
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await client.watch('podium', { places: 50 }).first()).toHaveLength(1)
  await waitUntil('one stream', () => live.streams === 1)
  stop()
  await waitUntil('no stream', () => live.streams === 0)
})
