import { createClient, LiveError, type LiveState } from 'valkeyrie/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { waitFor, waitUntil } from '../waiting.ts'
import { cutting } from './cutting.ts'
import { listen, openPlayers, type PlayersLive, stop } from './live-server.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const close of closing.splice(0).reverse()) await close()
})

const soon = { min: 1, max: 10 }

async function start(options: Parameters<Awaited<ReturnType<typeof openPlayers>>['serve']>[0] = {}) {
  const players = await openPlayers()
  const live = players.serve(options)
  const { address, port, server } = await listen(live)
  const client = createClient<PlayersLive>(address, { retry: soon })
  closing.push(
    () => players.db.close(),
    () => stop(server),
    () => client.close(),
  )
  await players.players.set('ada', { name: 'Ada', score: 3, since: new Date(0) })
  await players.players.set('bob', { name: 'Bob', score: 1 })
  return { ...players, live, address, port, server, client }
}

/** Every state of a live query from now on. */
function statesOf<T>(result: { subscribe(listener: (state: LiveState<T>) => void): () => void }) {
  const states: LiveState<T>[] = []
  const end = result.subscribe((state) => states.push(state))
  closing.push(end)
  return states
}

/** Answers each request with these bodies in turn, which stay open, and after them with nothing. */
function answering(...bodies: (string | Response)[]) {
  const asked: Headers[] = []
  const answer = async (_: unknown, init?: RequestInit): Promise<Response> => {
    asked.push(new Headers(init?.headers))
    const body = bodies[asked.length - 1]
    if (body instanceof Response) return body
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        if (body !== undefined) controller.enqueue(new TextEncoder().encode(body))
        init?.signal?.addEventListener('abort', () => controller.error(init.signal!.reason))
      },
    })
    return new Response(stream, { headers: { 'content-type': 'text/event-stream' } })
  }
  return { asked, fetch: answer as typeof fetch }
}

const opened = 'event: open\ndata: {"heartbeat":15000}\n\n'
const told = (name: string, data: unknown, id = 'x') =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`

describe('a live query', () => {
  it('gives a result, then each new one', async () => {
    const { players, client } = await start()
    const results = client.watch('podium', { places: 2 })[Symbol.asyncIterator]()
    const next = async () => (await waitFor('a result', results.next())).value!
    const first = await next()
    expect(first[0]!.value).toEqual({ name: 'Ada', score: 3, since: new Date(0) })
    expect(Object.keys(first[0]!)).toEqual(['id', 'key', 'value', 'versionstamp', 'expiresAt'])
    await players.set('bob', { name: 'Bob', score: 5 })
    const second = await next()
    expect(second.map(({ id }) => id)).toEqual(['bob', 'ada'])
    expect(second[1]).toBe(first[0])
    expect(() => Object.assign(second[1]!.value, { score: 1 })).toThrow(TypeError)
    await results.return?.()
    expect(await results.next()).toEqual({ done: true, value: undefined })
  })

  it('has entries of the key-value face as the database gives them', async () => {
    const { client, db } = await start()
    const [round, ada] = await client.watch('round').first()
    expect(round).toEqual({ key: ['round'], value: null, versionstamp: null, expiresAt: null })
    expect(ada.value).toMatchObject({ name: 'Ada' })
    await db.set(['round'], new Map([[1n, new Set(['a'])]]))
    const [later] = await client.watch('round').first()
    for await (const [entry] of client.watch('round')) if (entry.value !== null) break
    expect(later.key).toEqual(['round'])
  })

  it('is one stream for all followers, until shortly after the last has left', async () => {
    const { client, live } = await start()
    const both = [client.watch('podium', { places: 2 }), client.watch('podium', { places: 2 })]
    const [first, second] = await Promise.all(both.map((one) => one.first()))
    expect(second).toBe(first)
    const ends = both.map((one) => one.subscribe(() => {}))
    expect(live.streams).toBe(1)
    expect(both[0]!.state).toBe(both[1]!.state)
    ends[0]!()
    ends[0]!()
    expect(both[1]!.state.status).toBe('live')
    ends[1]!()
    // A reader that unsubscribes and subscribes again at once, like a component that is drawn again, keeps the stream.
    const again = both[0]!.subscribe(() => {})
    expect(both[0]!.state.result).toBe(first)
    again()
    await waitUntil('the end of the stream', () => live.streams === 0)
    await waitUntil('the end of the state', () => both[0]!.state.status === 'pending')
  })

  it('is one stream in whatever order its parameters are named, but for an order within them', async () => {
    const { fetch, asked } = answering()
    const client = createClient('http://localhost/live', { fetch, retry: soon })
    const keyOf = (params: unknown) => client.watch('open' as never, params as never).key
    expect(keyOf({ team: 'red', limit: 1 })).toBe(keyOf({ limit: 1, team: 'red' }))
    // The second name of an order decides only where the first one does not.
    const orders = [{ orderBy: { a: 'asc', b: 'asc' } }, { orderBy: { b: 'asc', a: 'asc' } }]
    expect(new Set(orders.map(keyOf)).size).toBe(2)
    expect(new Set([['b', 'a'], ['a', 'b'], new Date(0), 'b', null, undefined].map(keyOf)).size).toBe(6)
    expect(keyOf(new Date(0))).toContain('1970')
    expect(asked).toEqual([])
    client.close()
  })

  it('gives a slow reader the newest result', async () => {
    const { players, client } = await start()
    const results = client.watch('player', { id: 'ada' })[Symbol.asyncIterator]()
    await waitFor('a result', results.next())
    for (let score = 10; score <= 30; score++) await players.update('ada', { score })
    const scores: number[] = []
    while (scores.at(-1) !== 30) scores.push((await waitFor('a result', results.next())).value!.value!.score)
    expect(scores.length).toBeLessThan(20)
    await results.return?.()
  })

  it('continues when the server is back: nothing unchanged is sent again, and each row stays the same object', async () => {
    const { players, client, port, server, live, serve } = await start()
    const podium = client.watch('podium', { places: 2 })
    const states = statesOf(podium)
    const first = await podium.first()
    live.close()
    await stop(server)
    await waitUntil('the loss', () => podium.state.status === 'stale')
    expect(podium.state.result).toBe(first)

    const second = await listen(serve(), port)
    closing.push(() => stop(second.server))
    await waitUntil('the connection', () => podium.state.status === 'live')
    expect(podium.state.result).toBe(first)

    await stop(second.server)
    await waitUntil('the loss', () => podium.state.status === 'stale')
    await players.set('bob', { name: 'Bob', score: 9 })
    const third = await listen(serve(), port)
    closing.push(() => stop(third.server))
    await waitUntil('the other result', () => podium.state.status === 'live' && podium.state.result !== first)
    expect(podium.state.result!.map(({ id }) => id)).toEqual(['bob', 'ada'])
    expect(podium.state.result![1]).toBe(first[0])
    const results = new Set(states.map(({ result }) => result).filter((result) => result !== undefined))
    expect(results.size).toBe(2)
  })

  it('converges however often and wherever its connection is cut', async () => {
    const { players, address } = await start()
    let seed = 7
    const random = () => (seed = (seed * 48_271) % 2_147_483_647)
    const { fetch, state, drop } = cutting(() => random() % 6_000)
    const client = createClient<PlayersLive>(address, { retry: soon, fetch })
    closing.push(() => client.close())
    const all = client.watch('all')
    const states = statesOf(all)
    for (let i = 0; i < 40; i++) {
      await players.set(`p${i % 7}`, { name: `P${i}`, score: i })
      if (i % 10 === 4) drop()
      if (i % 10 === 8) state.isDown = false
      if (!state.isDown) await all.first()
    }
    state.isDown = false
    const wanted = JSON.stringify((await players.findMany()).map(({ versionstamp }) => versionstamp))
    await waitUntil(
      'the newest result',
      () => JSON.stringify(all.state.result?.map(({ versionstamp }) => versionstamp)) === wanted,
    )
    expect(state.requests).toBeGreaterThan(5)
    // No result comes twice in a row, and no equal row is another object.
    const results = [...new Set(states.map(({ result }) => result))].filter((result) => result !== undefined)
    for (const [i, result] of results.entries()) {
      const before = results[i - 1] ?? []
      for (const row of result) {
        const same = before.find((one) => one.versionstamp === row.versionstamp)
        if (same !== undefined) expect(row).toBe(same)
      }
      expect(result).not.toEqual(before)
    }
  })
})

it('a listener that throws keeps nothing from the others', async () => {
  const { players, client } = await start()
  const thrown: unknown[] = []
  const { queueMicrotask } = globalThis
  const catching = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((task) =>
    queueMicrotask(() => {
      try {
        task()
      } catch (error) {
        thrown.push(error)
      }
    }),
  )
  const all = client.watch('all')
  closing.push(
    all.subscribe(() => {
      throw new Error('of the listener')
    }),
  )
  const states = statesOf(all)
  await all.first()
  await players.delete('bob')
  await waitUntil('the next result', () => all.state.result?.length === 1)
  expect(states.map(({ status }) => status)).toEqual(['live', 'live'])
  expect(thrown).toEqual([new Error('of the listener'), new Error('of the listener')])
  catching.mockRestore()
})

describe('a server that refuses', () => {
  it('fails a query, which is tried again when somebody asks for it or follows it again', async () => {
    let isLetIn = false
    const { client } = await start({ authorize: () => isLetIn })
    const all = client.watch('all')
    const stop = all.subscribe(() => {})
    await expect(all.first()).rejects.toMatchObject({ code: 'REFUSED', problem: { status: 403 } })
    expect(all.state.status).toBe('failed')
    isLetIn = true
    expect(await all.first()).toHaveLength(2)
    stop()
    await waitUntil('the end of the stream', () => all.state.status === 'pending')
    isLetIn = false
    await expect(all.first()).rejects.toMatchObject({ code: 'REFUSED' })
    isLetIn = true
    const states = statesOf(all)
    expect(await all.first()).toHaveLength(2)
    expect(states.map(({ status }) => status)).toEqual(['live'])
  })

  it('fails a loop', async () => {
    const { client } = await start()
    const loop = async () => {
      for await (const _ of client.watch('podium', { places: 0 }));
    }
    await expect(loop()).rejects.toMatchObject({
      name: 'LiveError',
      code: 'REFUSED',
      problem: { status: 400, issues: [{ path: ['places'] }] },
    })
  })

  it('is asked with new headers for each connection', async () => {
    const seen: (string | null)[] = []
    const { address } = await start({
      lifetime: 50,
      authorize: ({ headers }) => {
        seen.push(headers.get('authorization'))
        return true
      },
    })
    let token = 0
    const client = createClient<PlayersLive>(address, {
      retry: soon,
      headers: async () => ({ authorization: `Bearer ${token++}` }),
    })
    closing.push(() => client.close())
    const states = statesOf(client.watch('all'))
    await waitUntil('a result, and three connections', () => states.length > 0 && seen.length >= 3)
    expect(seen.slice(0, 3)).toEqual(['Bearer 0', 'Bearer 1', 'Bearer 2'])
    // A stream that ends as it should is not a loss.
    expect(states.map(({ status }) => status)).toEqual(['live'])
  })

  it('fails if the answer is not a stream', async () => {
    const { fetch } = answering(new Response('<html>', { headers: { 'content-type': 'text/html' } }))
    const client = createClient<PlayersLive>('http://localhost/wrong', { fetch })
    await expect(client.watch('all').first()).rejects.toMatchObject({ code: 'REFUSED' })
    client.close()
  })
})

it.each(['{', 'null', '"no"', '{"status":200}'])(
  'a refusal without a problem becomes one: %s',
  async (text) => {
    const headers = { 'content-type': 'application/problem+json' }
    const { fetch } = answering(new Response(text, { status: 403, headers }))
    const client = createClient<PlayersLive>('http://localhost/live', { fetch })
    await expect(client.watch('all').first()).rejects.toMatchObject({
      code: 'REFUSED',
      problem: { status: 403 },
    })
    client.close()
  },
)

describe('a server that cannot answer', () => {
  it.each([500, 503, 429, 408])('is asked again after status %s', async (status) => {
    const problem = new Response(JSON.stringify({ status, title: 'No' }), {
      status,
      headers: { 'content-type': 'application/problem+json' },
    })
    const { fetch, asked } = answering(problem, opened + told('result', { rows: [] }))
    const client = createClient<PlayersLive>('http://localhost/live', { fetch, retry: soon })
    expect(await client.watch('all').first()).toEqual([])
    expect(asked).toHaveLength(2)
    client.close()
  })

  it('is left alone for as long as it says, and longer each time it fails again', async () => {
    vi.useFakeTimers()
    const busy = () => new Response(null, { status: 503, headers: { 'retry-after': '60' } })
    const { fetch, asked } = answering(busy(), busy())
    const client = createClient<PlayersLive>('http://localhost/live', { fetch, retry: soon })
    const states = statesOf(client.watch('all'))
    await vi.advanceTimersByTimeAsync(59_000)
    expect([asked.length, states.map(({ status }) => status)]).toEqual([1, ['stale']])
    await vi.advanceTimersByTimeAsync(1_500)
    expect(asked).toHaveLength(2)
    client.close()
  })

  it('is left alone if it asks for more than a timer can wait', async () => {
    vi.useFakeTimers()
    const month = new Response(null, { status: 503, headers: { 'retry-after': '2592000' } })
    const { fetch, asked } = answering(month)
    const client = createClient<PlayersLive>('http://localhost/live', { fetch, retry: soon })
    const states = statesOf(client.watch('all'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect([asked.length, states.map(({ status }) => status)]).toEqual([1, ['stale']])
    client.close()
  })

  it('is left alone if retry asks for more than a timer can wait', async () => {
    vi.useFakeTimers()
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const { fetch, asked } = answering(new Response(null, { status: 503 }))
    const retry = { min: 2 ** 40, max: 2 ** 40 }
    const client = createClient<PlayersLive>('http://localhost/live', { fetch, retry })
    const states = statesOf(client.watch('all'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect([asked.length, states.map(({ status }) => status)]).toEqual([1, ['stale']])
    random.mockRestore()
    client.close()
  })

  it('may send heartbeats more rarely than a timer can wait', async () => {
    vi.useFakeTimers()
    const open = 'event: open\ndata: {"heartbeat":2147483647}\n\n'
    const { fetch, asked } = answering(open + told('result', { rows: [] }))
    const client = createClient<PlayersLive>('http://localhost/live', { fetch, retry: soon })
    const states = statesOf(client.watch('all'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect([asked.length, states.map(({ status }) => status)]).toEqual([1, ['live']])
    client.close()
  })

  it('waits at random up to twice as long each time, up to the longest', async () => {
    vi.useFakeTimers()
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const times: number[] = []
    const fetch = (async () => {
      times.push(Date.now())
      throw new TypeError('fetch failed')
    }) as unknown as typeof globalThis.fetch
    const client = createClient<PlayersLive>('http://localhost/live', {
      fetch,
      retry: { min: 100, max: 1_000 },
    })
    client.watch('all').subscribe(() => {})
    await vi.advanceTimersByTimeAsync(3_000)
    const waits = times.slice(1).map((time, i) => time - times[i]!)
    expect(waits.slice(0, 6)).toEqual([50, 100, 200, 400, 500, 500])
    random.mockRestore()
    client.close()
  })

  it('is given up when nothing comes any more, not even a heartbeat', async () => {
    vi.useFakeTimers()
    const { fetch, asked } = answering(opened + told('result', { rows: [] }, 'first'))
    const client = createClient<PlayersLive>('http://localhost/live', { fetch, retry: soon })
    const states = statesOf(client.watch('all'))
    await vi.advanceTimersByTimeAsync(30_000)
    expect(states.map(({ status }) => status)).toEqual(['live'])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(states.map(({ status }) => status)).toEqual(['live', 'stale'])
    expect(asked[1]!.get('last-event-id')).toBe('first')
    // Nor of the next one.
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked.length).toBeGreaterThanOrEqual(3)
    client.close()
  })
})

it('headers that never come are a lost connection, and are asked for again', async () => {
  vi.useFakeTimers()
  let calls = 0
  const headers = () => (++calls === 1 ? new Promise<never>(() => {}) : { authorization: 'Bearer 2' })
  const { fetch, asked } = answering(opened + told('result', { rows: [] }))
  const client = createClient<PlayersLive>('http://localhost/live', { fetch, retry: soon, headers })
  const states = statesOf(client.watch('all'))
  await vi.advanceTimersByTimeAsync(50_000)
  expect(states.map(({ status }) => status)).toEqual(['stale', 'live'])
  expect(states[0]!.error).toMatchObject({ code: 'CONNECTION' })
  expect(asked.map((sent) => sent.get('authorization'))).toEqual(['Bearer 2'])
  client.close()
})

describe('what a server sends', () => {
  it.each([
    [[[0, 9]]],
    [
      [
        ['t', 1],
        [1, 1],
      ],
    ],
  ])('is requested as a whole if it does not fit what came before: %j', async (delta) => {
    const first = opened + told('result', { rows: [['a', 'A']] }, 'first') + told('delta', delta, 'second')
    const { fetch, asked } = answering(first, opened + told('result', { rows: [['b', 'B']] }))
    const client = createClient<PlayersLive>('http://localhost/live', { fetch, retry: soon })
    const all = client.watch('all')
    statesOf(all)
    await waitUntil('the whole', () => (all.state.result as unknown as string[])?.[0] === 'B')
    expect(asked.map((headers) => headers.get('last-event-id'))).toEqual([null, null])
    client.close()
  })

  it('fails changes if it cannot be read, so that none are lost', async () => {
    const change = (n: number) => ['t', { key: ['players', `p${n}`], versionstamp: `${n}`.padStart(20, '0') }]
    const broken = `id: 1\nevent: change\ndata: <html>\n\n`
    const { fetch, asked } = answering(
      opened + told('change', change(1), '0') + broken,
      opened + told('change', change(3), '2'),
    )
    const client = createClient<PlayersLive>('http://localhost/live', { fetch, retry: soon })
    const changes = client.changes('scores')
    expect((await waitFor('a change', changes.next())).value).toMatchObject({ key: ['players', 'p1'] })
    await expect(waitFor('the failure', changes.next())).rejects.toMatchObject({ code: 'VALUE' })
    expect(asked).toHaveLength(1)
    client.close()
  })

  it('fails a query if the client lacks its type', async () => {
    const types = JSON.stringify({ values: [['custom', 'Money']], v: 1 })
    const { fetch } = answering(opened + told('result', { rows: [['a', 'A', types]] }))
    const client = createClient<PlayersLive>('http://localhost/live', { fetch })
    const failure = client.watch('all').first()
    await expect(failure).rejects.toMatchObject({
      code: 'VALUE',
      message: expect.stringContaining("'Money'"),
    })
    client.close()
  })

  it('may come in any pieces', async () => {
    const text = `\r\n: hello\r\n${opened.replaceAll('\n', '\r\n')}${told('result', { rows: [['a', 'ü€𝄞']] })}`
    const bytes = new TextEncoder().encode(text)
    const body = ReadableStream.from(Array.from(bytes, (byte) => Uint8Array.of(byte)))
    const { fetch } = answering(
      new Response(body as ReadableStream<Uint8Array>, { headers: { 'content-type': 'text/event-stream' } }),
    )
    const client = createClient<PlayersLive>('http://localhost/live', { fetch, retry: soon })
    expect(await client.watch('all').first()).toEqual(['ü€𝄞'])
    client.close()
  })
})

describe('close', () => {
  it('ends everything that is followed, now and later', async () => {
    const { client, live } = await start()
    const results = client.watch('all')[Symbol.asyncIterator]()
    await waitFor('a result', results.next())
    const waiting = results.next()
    const changes = client.changes('scores')
    const change = changes.next()
    client.close()
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(change).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(client.watch('all').first()).rejects.toBeInstanceOf(LiveError)
    const { state } = client.watch('round')
    expect(state).toMatchObject({ status: 'failed', error: { code: 'CLOSED' } })
    const later = client.watch('round')[Symbol.asyncIterator]().next()
    await expect(waitFor('the failure', later)).rejects.toBe(state.error)
    expect(client.watch('round').state).toBe(state)
    const states = statesOf(client.watch('round'))
    expect([client.watch('round').state, states]).toEqual([state, []])
    await expect(client.changes('scores').next()).rejects.toMatchObject({ code: 'CLOSED' })
    await waitUntil('the end of the streams', () => live.streams === 0)
  })

  it('ends changes that nobody has asked for yet', async () => {
    const { fetch, asked } = answering(new Response(null, { status: 403 }))
    const client = createClient<PlayersLive>('http://localhost/live', { fetch, retry: soon })
    const changes = client.changes('scores')
    client.close()
    await expect(changes.next()).rejects.toMatchObject({ code: 'CLOSED' })
    expect(await changes.next()).toEqual({ done: true, value: undefined })
    expect(asked).toEqual([])
  })

  it('ends a loop that waits, when it is left from outside', async () => {
    const { client, live } = await start()
    const results = client.watch('all')[Symbol.asyncIterator]()
    await waitFor('a result', results.next())
    const waiting = results.next()
    await results.return?.()
    expect(await waitFor('the end', waiting)).toEqual({ done: true, value: undefined })
    await waitUntil('the end of the stream', () => live.streams === 0)
  })
})

it('refuses anything but a client', () => {
  expect(() => createClient('/live?x=1')).toThrow('must not have a query')
  expect(() => createClient('/live', { header: {} } as never)).toThrow("did you mean 'headers'")
  expect(() => createClient('/live', { retry: { min: 0 } })).toThrow(RangeError)
  expect(() => createClient<PlayersLive>('/live').watch('' as 'all')).toThrow(
    'Name a live query as it is declared',
  )
})
