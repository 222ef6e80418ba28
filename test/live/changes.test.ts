import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { Valkeyrie } from 'valkeyrie'
import { createClient } from 'valkeyrie/client'
import { liveChanges, serveLive } from 'valkeyrie/http'
import { afterEach, expect, it } from 'vitest'
import { z } from 'zod'
import { newAddress } from '../engine-of-project.ts'
import { extent } from '../extent.ts'
import { waitFor, waitUntil } from '../waiting.ts'
import { cutting } from './cutting.ts'
import { listen, openPlayers, type PlayersLive, stop } from './live-server.ts'
import { asking, eventsOf } from './served.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const soon = { min: 1, max: 5 }
const beginning = '0'.repeat(20)

async function start(options: Parameters<Awaited<ReturnType<typeof openPlayers>>['serve']>[0] = {}) {
  const players = await openPlayers()
  const live = players.serve(options)
  const { address, server } = await listen(live)
  closing.push(
    () => players.db.close(),
    () => stop(server),
  )
  return { ...players, live, address }
}

it('come once each and in order, however often and wherever the connection is cut, even within a commit', async () => {
  const { db, address } = await start({ heartbeat: 1 })
  let round = 0
  const commits = fc.array(fc.uniqueArray(fc.nat(5), { minLength: 1 }), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(commits, fc.infiniteStream(fc.nat(3_000)), async (given, cuts) => {
      round++
      const { fetch } = cutting(() => 150 + cuts.next().value)
      const client = createClient<PlayersLive>(address, { fetch, retry: soon })
      const { versionstamp: since } = await db.set(['other'], round)
      const changes = client.changes('scores', undefined, { since })
      const wanted: string[] = []
      const seen: string[] = []
      for (const ids of given) {
        const commit = db.atomic()
        for (const id of ids) commit.set(['players', `p${id}`], { name: 'P', score: round })
        const { versionstamp } = (await commit.commit()) as { versionstamp: string }
        wanted.push(...ids.map((id) => `${versionstamp} p${id}`))
        const { value } = await waitFor('a change', changes.next())
        seen.push(`${value!.versionstamp} ${value!.id}`)
      }
      while (seen.length < wanted.length) {
        const { value } = await waitFor('a change', changes.next())
        seen.push(`${value!.versionstamp} ${value!.id}`)
      }
      expect(seen).toEqual(wanted)
      await changes.return?.()
      client.close()
    }),
    { numRuns: extent('histories', 8, 25) },
  )
})

it('begin at the first connection, even if it is lost before anything has come', async () => {
  const { players, address, live } = await start({ heartbeat: 1 })
  await players.set('ada', { name: 'Ada', score: 1 })
  const { fetch, state, drop } = cutting(() => Number.POSITIVE_INFINITY)
  const client = createClient<PlayersLive>(address, { fetch, retry: soon })
  closing.push(() => client.close())
  const changes = client.changes('scores')
  const next = changes.next()
  await waitUntil('signs of life', () => state.chunks > 4)
  drop()
  await waitUntil('the loss', () => live.streams === 0)
  await players.set('bob', { name: 'Bob', score: 2 })
  state.isDown = false
  expect((await waitFor('the change', next)).value).toMatchObject({ id: 'bob' })
  await changes.return?.()
})

it('are read only as far as the loop asks for them', async () => {
  const { players, address, live } = await start({ heartbeat: 0 })
  const client = createClient<PlayersLive>(address, { retry: soon })
  closing.push(() => client.close())
  const long = 'x'.repeat(100_000)
  const changes = client.changes('scores', undefined, { since: beginning })
  for (let score = 0; score < 100; score++) await players.set(`p${score}`, { name: long, score })
  expect((await waitFor('a change', changes.next())).value).toMatchObject({ id: 'p0', value: { score: 0 } })
  // The others wait in the database: what is written over now has no value any more.
  await players.set('p99', { name: 'short', score: 100 })
  const scores: (number | undefined)[] = []
  while (scores.at(-1) !== 100) scores.push((await waitFor('a change', changes.next())).value!.value?.score)
  expect(scores).toHaveLength(100)
  expect(scores[98]).toBeUndefined()
  await changes.return?.()
  await waitUntil('the end', () => live.streams === 0)
})

it('that nobody asks for leave nothing on a signal that lives on', async () => {
  const { address } = await start()
  const client = createClient<PlayersLive>(address, { retry: soon })
  closing.push(() => client.close())
  const program = new AbortController()
  for (let i = 0; i < 10; i++) client.changes('scores', undefined, { signal: program.signal })
  expect(getEventListeners(program.signal, 'abort')).toHaveLength(0)
  const [asked, unasked] = [1, 2].map(() => client.changes('scores', undefined, { signal: program.signal }))
  const waiting = asked!.next()
  program.abort()
  expect(await waitFor('the end', Promise.all([waiting, unasked!.next()]))).toEqual(
    Array(2).fill({ done: true, value: undefined }),
  )
  await waitUntil('the listener to go', () => getEventListeners(program.signal, 'abort').length === 0)
})

it('end with the loop, and with the signal', async () => {
  const { players, address, live } = await start()
  const client = createClient<PlayersLive>(address, { retry: soon })
  closing.push(() => client.close())
  await players.set('ada', { name: 'Ada', score: 1 })
  for await (const { id } of client.changes('scores', undefined, { since: beginning })) {
    expect(id).toBe('ada')
    break
  }
  await waitUntil('the end', () => live.streams === 0)
  const leaving = new AbortController()
  const seen = []
  for await (const { id } of client.changes('scores', undefined, {
    since: beginning,
    signal: leaving.signal,
  })) {
    seen.push(id)
    leaving.abort()
  }
  expect(seen).toEqual(['ada'])
  for await (const { id } of client.changes('scores', undefined, { signal: AbortSignal.abort() }))
    seen.push(id)
  expect(seen).toEqual(['ada'])
})

const point = z.object({ n: z.int() })

async function startTrimmed() {
  const db = await Valkeyrie.withSchema(['points', '*'], point).open(newAddress(), { log: { keepRows: 10 } })
  const { points } = db.repositories
  type PointChange = ReturnType<typeof points.changes> extends ReadableStream<infer C> ? C : never
  const live = serveLive(
    {
      points: liveChanges((_, { since }) => points.changes({ since })),
      one: liveChanges(z.string(), (_, { since }) => points.changes({ since }), {
        filter: ({ id }, wanted) => id === wanted,
      }),
      piped: liveChanges((_, { since }) =>
        points.changes({ since }).pipeThrough(
          new TransformStream<PointChange, PointChange>({
            transform: (change, controller) => {
              if (change.id !== 'other') controller.enqueue(change)
            },
          }),
        ),
      ),
    },
    { authorize: () => true, heartbeat: 1 },
  )
  closing.push(() => db.close())
  let drop = () => {}
  const ask = (input: string, init: RequestInit) => {
    const connection = new AbortController()
    drop = () => connection.abort()
    const signal = AbortSignal.any([connection.signal, init.signal!])
    return live.fetch(new Request(input, { ...init, signal }))
  }
  const client = createClient<typeof live>('http://localhost/live', {
    fetch: ask as typeof fetch,
    retry: soon,
  })
  closing.push(() => client.close())
  const trim = async () => {
    for (let n = 0; n < 500; n++) await db.set(['other', n], n)
  }
  return { db, points, live, client, trim, drop: () => drop() }
}

it('fail with TRIMMED if the log no longer has them, and for a position of another database', async () => {
  const { db, client, trim } = await startTrimmed()
  await db.repositories.points.set('a', { n: 1 })
  await trim()
  await expect(client.changes('points', undefined, { since: beginning }).next()).rejects.toMatchObject({
    code: 'TRIMMED',
    problem: { status: 410, code: 'LOG_TRIMMED' },
  })
  await expect(
    client.changes('points', undefined, { since: 'f'.repeat(13).padStart(20, '0') }).next(),
  ).rejects.toMatchObject({
    code: 'TRIMMED',
    problem: { code: 'UNKNOWN_VERSION' },
  })
  await expect(client.changes('points', undefined, { since: "' OR 1=1" }).next()).rejects.toMatchObject({
    code: 'REFUSED',
    problem: { status: 400 },
  })
})

it('report a position while only other keys change, so that the log may be trimmed', async () => {
  const { db, live, trim } = await startTrimmed()
  const { versionstamp } = await db.repositories.points.set('a', { n: 1 })
  const events = eventsOf(await live.fetch(asking('points', { 'last-event-id': beginning })))
  expect((await events.next())!.name).toBe('change')
  let id = versionstamp
  let isTrimmed = false
  const trimmed = trim().then(() => {
    isTrimmed = true
  })
  while (!isTrimmed || id <= versionstamp) {
    const event = await events.raw()
    expect(event).toMatchObject({ name: '' })
    id = event!.id ?? id
  }
  await trimmed
  events.cancel()
  await db.repositories.points.set('b', { n: 2 })
  const later = eventsOf(await live.fetch(asking('points', { 'last-event-id': id })))
  expect(JSON.parse((await later.next())!.data)).toMatchObject([expect.any(String), { id: 'b' }])
  later.cancel()
})

it('come once each from a stream made of changes too, from the first one on', async () => {
  const { points, live, client, drop } = await startTrimmed()
  const changes = client.changes('piped')
  const next = async () => (await waitFor('a change', changes.next())).value?.id
  const first = next()
  await waitUntil('the stream', () => live.streams === 1)
  await points.set('a', { n: 1 })
  expect(await first).toBe('a')
  drop()
  await waitUntil('the loss', () => live.streams === 0)
  await points.set('b', { n: 2 })
  await points.set('other', { n: 0 })
  await points.set('c', { n: 3 })
  expect([await next(), await next()]).toEqual(['b', 'c'])
  await changes.return?.()
})

it('fail with TRIMMED for a position of another database, from a stream made of changes too', async () => {
  const { client } = await startTrimmed()
  const changes = client.changes('piped', undefined, { since: 'f'.repeat(13).padStart(20, '0') })
  await expect(waitFor('the failure', changes.next())).rejects.toMatchObject({
    code: 'TRIMMED',
    problem: { code: 'UNKNOWN_VERSION' },
  })
})

it('are those that a filter lets through, for the parameters of a client', async () => {
  const { points, client, drop, live } = await startTrimmed()
  for (const id of ['a', 'b', 'a', 'c', 'b']) await points.set(id, { n: 1 })
  const changes = client.changes('one', 'b', { since: beginning })
  const next = async () => (await waitFor('a change', changes.next())).value?.versionstamp
  const seen = [await next()]
  drop()
  await waitUntil('the loss', () => live.streams === 0)
  seen.push(await next())
  const { versionstamp } = await points.get('b')
  expect(seen).toEqual([expect.any(String), versionstamp])
  await points.set('a', { n: 2 })
  const deleted = waitFor('a change', changes.next())
  await points.delete('b')
  expect((await deleted).value).toMatchObject({ type: 'delete', id: 'b' })
  await changes.return?.()
})

it('keep the place of a reader whom a filter gives nothing, while the log is trimmed', async () => {
  const { points, live } = await startTrimmed()
  const { versionstamp } = await points.set('a', { n: 0 })
  const address = `one?params=${encodeURIComponent('"b"')}`
  const events = eventsOf(await live.fetch(asking(address, { 'last-event-id': versionstamp })))
  let id = versionstamp
  // The log keeps ten rows: the reader must not be further behind.
  for (let round = 1; round <= 100; round++) {
    let newest = ''
    for (let n = 1; n <= 5; n++) newest = (await points.set('a', { n })).versionstamp
    while (id < newest) {
      const event = await events.raw()
      expect(event).toMatchObject({ name: expect.stringMatching(/^(open)?$/) })
      id = event!.id ?? id
    }
  }
  events.cancel()
  await points.set('b', { n: 1 })
  const later = eventsOf(await live.fetch(asking(address, { 'last-event-id': id })))
  expect(JSON.parse((await later.next())!.data)).toMatchObject([expect.any(String), { id: 'b' }])
  later.cancel()
  const lost = eventsOf(await live.fetch(asking(address, { 'last-event-id': versionstamp })))
  expect(JSON.parse((await lost.next())!.data)).toMatchObject({ code: 'LOG_TRIMMED' })
})

it.each([undefined, null, 1, Promise.resolve(false)])(
  'end if their filter returns %s, which does not say whether to send a change',
  async (returned) => {
    const { db, players } = await openPlayers()
    closing.push(() => db.close())
    await players.set('ada', { name: 'Ada', score: 1 })
    const errors: unknown[] = []
    const filter = (() => returned) as never
    const live = serveLive(
      { scores: liveChanges((_, { since }) => players.changes({ since }), { filter }) },
      { authorize: () => true, onError: (error) => errors.push(error) },
    )
    const events = eventsOf(await live.fetch(asking('scores', { 'last-event-id': beginning })))
    expect(JSON.parse((await events.next())!.data)).toMatchObject({ status: 500 })
    expect(errors).toEqual([
      new TypeError('filter of liveChanges must return whether to send the change: true or false'),
    ])
  },
)

it('end if their filter fails, which is a fault of the server', async () => {
  const { db, players } = await openPlayers()
  closing.push(() => db.close())
  await players.set('ada', { name: 'Ada', score: 1 })
  const errors: unknown[] = []
  const live = serveLive(
    {
      scores: liveChanges((_, { since }) => players.changes({ since }), {
        filter: () => {
          throw new Error('secret of the server')
        },
      }),
    },
    { authorize: () => true, onError: (error) => errors.push(error) },
  )
  const events = eventsOf(await live.fetch(asking('scores', { 'last-event-id': beginning })))
  expect(JSON.parse((await events.next())!.data)).toEqual({ status: 500, title: 'Internal Server Error' })
  expect(errors).toEqual([new Error('secret of the server')])
})
