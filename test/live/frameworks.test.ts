import { once } from 'node:events'
import { createServer, get, type ServerOptions, type ServerResponse } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { json } from 'node:stream/consumers'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { createClient } from 'valkeyrie/client'
import { nodeHandler } from 'valkeyrie/http'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { waitFor, waitUntil } from '../waiting.ts'
import { listening, openPlayers, type PlayersLive, stop } from './live-server.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** Serves at `/live` of a server of its own; gives the address. */
type Serving = (live: PlayersLive) => Promise<string>

const frameworks: Readonly<Record<string, Serving>> = {
  'node:http': async (live) => {
    const server = createServer(nodeHandler(live))
    closing.push(() => stop(server))
    return (await listening(server)).address
  },
  express: async (live) => {
    const app = express()
    app.use('/live', nodeHandler(live))
    const server = createServer(app)
    closing.push(() => stop(server))
    return (await listening(server)).address
  },
  fastify: async (live) => {
    const app = fastify({ forceCloseConnections: true })
    const handle = nodeHandler(live)
    app.get('/live/:name', (request, reply) => {
      reply.hijack()
      handle(request.raw, reply.raw)
    })
    closing.push(() => app.close())
    return `${await app.listen({ port: 0, host: '127.0.0.1' })}/live`
  },
  hono: async (live) => {
    const app = new Hono().get('/live/:name', ({ req }) => live.fetch(req.raw))
    const server = createServer(getRequestListener(app.fetch))
    closing.push(() => stop(server))
    return (await listening(server)).address
  },
}

describe.each(Object.entries(frameworks))('%s', (_, serve) => {
  it('serves results and changes, reports problems, and releases clients that are gone', async () => {
    const { db, players, serve: live } = await openPlayers()
    const server = live({ authorize: ({ headers }) => headers.get('authorization') === 'Bearer ada' })
    const address = await serve(server)
    const client = createClient<PlayersLive>(address, { headers: { authorization: 'Bearer ada' } })
    closing.push(() => db.close())
    await players.set('ada', { name: 'Ada', score: 3, since: new Date(5) })

    const results = client.watch('player', { id: 'ada' })[Symbol.asyncIterator]()
    expect((await waitFor('a result', results.next())).value).toMatchObject({
      id: 'ada',
      value: { since: new Date(5) },
    })
    const changes = client.changes('scores', undefined, { since: '0'.repeat(20) })
    expect((await waitFor('a change', changes.next())).value).toMatchObject({ type: 'set', id: 'ada' })
    await players.update('ada', { score: 4 })
    expect((await waitFor('a result', results.next())).value).toMatchObject({ value: { score: 4 } })
    expect((await waitFor('a change', changes.next())).value).toMatchObject({ value: { score: 4 } })
    expect(server.streams).toBe(2)

    await changes.return?.()
    await results.return?.()
    await waitUntil('the end of both streams', () => server.streams === 0)

    const refused = await fetch(`${address}/all`)
    expect([refused.status, refused.headers.get('content-type')]).toEqual([403, 'application/problem+json'])
    client.close()
  })

  it('stops reading for a client that does not read', async () => {
    const { db, players, serve: live } = await openPlayers()
    closing.push(() => db.close())
    const server = live({ heartbeat: 0 })
    const address = new URL(await serve(server))
    const long = 'x'.repeat(500_000)
    await players.set('ada', { name: long, score: 0 })
    const socket = connect(Number(address.port), '127.0.0.1')
    closing.push(() => socket.destroy())
    socket.pause()
    socket.write(`GET /live/player?params=${encodeURIComponent('{"id":"ada"}')} HTTP/1.1\r\nHost: a\r\n\r\n`)
    await waitUntil('the stream', () => server.streams === 1)
    let written = 0
    // As much as the sockets take, and then nothing: what the server holds does not grow.
    for (let score = 1; score <= 60; score++) {
      await players.set('ada', { name: long, score })
      written += long.length
    }
    const text = await untilText(socket, '"score":60')
    expect(text.length).toBeLessThan(written * 0.9)
    socket.destroy()
    await waitUntil('the end of the stream', () => server.streams === 0)
  })
})

it('answers by HTTP/2', async () => {
  const { db, players, serve: live } = await openPlayers()
  closing.push(() => db.close())
  await players.set('ada', { name: 'Ada', score: 3 })
  const server = createHttp2Server(
    nodeHandler(live({ authorize: ({ headers }) => headers.get('authorization') === 'Bearer ada' })) as never,
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  closing.push(
    () => server.close(),
    () => session.destroy(),
  )
  const request = session.request({
    ':path': '/live/all',
    accept: 'application/json',
    authorization: 'Bearer ada',
  })
  const [headers] = await waitFor('an answer', once(request, 'response'))
  expect(headers[':status']).toBe(200)
  expect(await json(request)).toMatchObject({ rows: [[expect.any(String), { value: { name: 'Ada' } }]] })
})

it.each(['x/all?', 'x\\all?', 'x/all#', '[', 'a b'])(
  'answers 400 to the host %s, which is none',
  async (host) => {
    const { db, serve: live } = await openPlayers()
    closing.push(() => db.close())
    const server = createServer(nodeHandler(live()))
    closing.push(() => stop(server))
    const { port } = await listening(server)
    const ask = async (headers: Record<string, string>) => {
      const [answer] = await once(get({ port, path: '/nothing', headers, agent: false }), 'response')
      return answer.resume().statusCode
    }
    expect(await ask({ host, accept: 'application/json' })).toBe(400)
    expect(await ask({ host: '', accept: 'application/json' })).toBe(404)
  },
)

it('sends each cookie of an answer', async () => {
  const { db, serve: live } = await openPlayers()
  closing.push(() => db.close())
  const headers: [string, string][] = [
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
    ['location', '/login'],
  ]
  const server = createServer(
    nodeHandler(live({ authorize: () => new Response(null, { status: 302, headers }) })),
  )
  closing.push(() => stop(server))
  const { address } = await listening(server)
  const answer = await fetch(`${address}/all`, { redirect: 'manual' })
  expect([answer.status, answer.headers.getSetCookie(), answer.headers.get('location')]).toEqual([
    302,
    ['a=1', 'b=2'],
    '/login',
  ])
})

/** A server that this handler answers, and its first response. */
async function servedBy(handle: ReturnType<typeof nodeHandler>, options: ServerOptions = {}) {
  const { promise: responding, resolve } = Promise.withResolvers<ServerResponse>()
  const server = createServer(options, (request, response) => {
    resolve(response)
    handle(request, response)
  })
  closing.push(() => stop(server))
  const { port } = await listening(server)
  return { server, port, responding }
}

it('closes the connection of a client that does not read when its stream is over', async () => {
  const { db, players, serve: live } = await openPlayers()
  closing.push(() => db.close())
  const serving = live()
  const handle = nodeHandler(serving)
  const { server, port, responding } = await servedBy(handle)
  const long = 'x'.repeat(500_000)
  for (let i = 0; i < 40; i++) await players.set(`player ${i}`, { name: long, score: i })
  const socket = connect(port, '127.0.0.1')
  closing.push(() => socket.destroy())
  socket.pause()
  socket.write('GET /live/all HTTP/1.1\r\nHost: a\r\n\r\n')
  await waitUntil('the stream', () => serving.streams === 1)
  const response = await waitFor('the response', responding)
  await waitUntil('what it does not read', () => response.writableNeedDrain)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  serving.close()
  expect(serving.streams).toBe(0)
  const closed = new Promise((resolve) => server.close(resolve))
  vi.advanceTimersByTime(5_000)
  await waitFor('the end of the server', closed)
})

it('closes the connection of a client that does not take the last of its response', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const bytes = 20_000_000
  const handle = nodeHandler({ fetch: async () => new Response(new Uint8Array(bytes)) })
  // All of it is taken into a buffer, and nothing waits for that to drain.
  const { port, responding } = await servedBy(handle, { highWaterMark: 2 * bytes })
  const socket = connect(port, '127.0.0.1')
  closing.push(() => socket.destroy())
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const response = await waitFor('the response', responding)
  await waitUntil('the end of the response', () => response.writableEnded)
  expect(response.writableFinished).toBe(false)
  const closed = once(response, 'close')
  vi.advanceTimersByTime(30_000)
  await waitFor('the end of the connection', closed)
  expect(response.destroyed).toBe(true)
})

it('keeps nothing of a client that has gone', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { db, serve: live } = await openPlayers()
  closing.push(() => db.close())
  const serving = live({ lifetime: 0 })
  const handle = nodeHandler(serving)
  const { port, responding } = await servedBy(handle)
  const socket = connect(port, '127.0.0.1')
  socket.write('GET /live/all HTTP/1.1\r\nHost: a\r\n\r\n')
  const response = await waitFor('the response', responding)
  await waitUntil('the stream', () => serving.streams === 1)
  const timers = vi.getTimerCount()
  const closed = once(response, 'close')
  socket.destroy()
  await waitFor('the end of the response', closed)
  await nextTurn()
  expect([serving.streams, vi.getTimerCount()]).toEqual([0, timers])
})

/** Reads until a text has come. */
function untilText(socket: Socket, wanted: string): Promise<string> {
  let text = ''
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.setEncoding('latin1')
  socket.on('data', (more) => {
    const from = Math.max(0, text.length - wanted.length)
    text += more
    if (text.includes(wanted, from)) resolve(text)
  })
  socket.resume()
  return waitFor(`${wanted} of a slow reader`, promise)
}

describe('hostile requests', () => {
  it.each([
    'GET //evil.example/live/all HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /live/all HTTP/1.1\r\nHost: a b/c?d\r\n\r\n',
    'GET http://evil.example/live/nothing HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /live/%00%ff HTTP/1.1\r\nHost: a\r\n\r\n',
    'TRACE /live/all HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /live/all?params=%7B HTTP/1.1\r\nHost: a\r\nLast-Event-ID: \x00\r\n\r\n',
  ])('are answered, and nothing falls: %j', async (text) => {
    const { db, serve: live } = await openPlayers()
    const server = createServer(nodeHandler(live()))
    closing.push(
      () => stop(server),
      () => db.close(),
    )
    const { port } = await listening(server)
    const socket = connect(port, '127.0.0.1')
    closing.push(() => socket.destroy())
    socket.write(text, 'latin1')
    const answer = await untilText(socket, '\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 (200|400|404|405)/)
    socket.destroy()
    expect(
      (
        await fetch(`http://127.0.0.1:${port}/live/player?params={"id":"ada"}`, {
          headers: { accept: 'application/json' },
        })
      ).status,
    ).toBe(200)
  })
})
