import { setTimeout as delay } from 'node:timers/promises'
import { id, QueryError, Valkeyrie } from 'valkeyrie'
import { liveChanges, liveQuery, serveLive } from 'valkeyrie/http'
import { defineSchema } from 'valkeyrie/schema'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { waitUntil } from '../waiting.ts'
import { openPlayers, type Players } from './live-server.ts'
import { asking, eventsOf, inJson } from './served.ts'

let open: Players
beforeEach(async () => {
  open = await openPlayers()
  await open.players.set('ada', { name: 'Ada', score: 3 })
  await open.players.set('bob', { name: 'Bob', score: 5 })
})
afterEach(() => open.db.close())

const pair = defineSchema(['pairs', '*', '*'], z.object({ n: z.int() }))
const number = defineSchema(['numbers', id.string()], z.object({ n: z.int() }))

const problemOf = async (response: Response) => {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  return (await response.json()) as { status: number; detail?: string; issues?: { path: unknown[] }[] }
}

describe('what a client may ask for', () => {
  it.each(['', '__proto__', 'constructor', 'toString', '%E0%A4%A', '..%2Fpodium', 'Podium', 'podium/'])(
    'answers 404 to a name that is not declared: %s',
    async (name) => {
      const response = await open.serve().fetch(asking(name))
      expect(await problemOf(response)).toEqual({ status: 404, title: 'Not Found' })
    },
  )

  it.each(['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'])('answers 405 to %s', async (method) => {
    const response = await open.serve().fetch(asking('all', {}, { method }))
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET'])
  })

  it('takes parameters that their schema takes, and nothing else', async () => {
    const { fetch } = open.serve()
    const ask = (name: string, params: string) =>
      fetch(asking(`${name}?params=${encodeURIComponent(params)}`, inJson))
    expect((await ask('podium', '{"places":1}')).status).toBe(200)
    expect(await problemOf(await ask('podium', '{"places":0}'))).toMatchObject({
      status: 400,
      issues: [{ path: ['places'] }],
    })
    expect((await problemOf(await fetch(asking('podium', inJson)))).status).toBe(400)
    expect((await problemOf(await ask('podium', '{places:1}'))).detail).toBe('The parameters are not JSON')
    expect((await problemOf(await ask('all', '{"where":{}}'))).detail).toBe('It has no parameters')
    expect((await problemOf(await ask('podium', `"${'x'.repeat(10_000)}"`))).status).toBe(414)
    const narrowed = await (await ask('podium', '{"places":1,"where":{},"__proto__":{"places":9}}')).json()
    expect((narrowed as { rows: unknown[] }).rows).toHaveLength(1)
  })
})

it('parameters that all have a default may be left out', async () => {
  const { players } = open
  const params = z.object({ least: z.int().default(4) })
  const strict = liveQuery(params.optional(), (given) => ReadableStream.from([given ?? 'none']))
  const best = liveQuery(params, ({ least }) => players.watchMany({ where: { score: { gte: least } } }))
  const { fetch } = serveLive({ best, strict }, { authorize: () => true })
  expect(await (await fetch(asking('best', inJson))).json()).toMatchObject({
    rows: [[expect.any(String), { id: 'bob' }]],
  })
  // What takes undefined is given it.
  expect(await (await fetch(asking('strict', inJson))).json()).toMatchObject({
    row: [expect.any(String), 'none'],
  })
})

describe('who may ask', () => {
  it('is decided by a function, which is required', () => {
    expect(() => serveLive(open.declarations, {} as never)).toThrow('serveLive needs a function authorize')
    expect(() => serveLive(open.declarations, undefined as never)).toThrow(TypeError)
  })

  it.each([false, undefined, null, 0, '', 'yes', 1, [], ['read'], new Map(), new Date(0), () => true])(
    'refuses when it returns %s',
    async (answer) => {
      const live = open.serve({ authorize: () => answer as never })
      expect((await problemOf(await live.fetch(asking('all')))).status).toBe(403)
      expect(live.streams).toBe(0)
    },
  )

  it('gets the request, and what it asks for, checked', async () => {
    const asked: unknown[] = []
    const live = open.serve({
      authorize: (request, query) => {
        asked.push(request.headers.get('cookie'), query)
        return new Response('log in', { status: 401, headers: { 'www-authenticate': 'Bearer' } })
      },
    })
    const response = await live.fetch(asking('player?params={"id":"ada"}', { cookie: 'a=b' }))
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    expect(asked).toEqual(['a=b', { name: 'player', params: { id: 'ada' } }])
  })

  it('learns nothing of what there is, nor of its parameters, unless it lets them in', async () => {
    const asked: unknown[] = []
    const live = open.serve({
      authorize: (request, query) => {
        asked.push(query)
        return request.headers.get('cookie') === 'a=b'
      },
    })
    for (const [path, status] of [
      ['salaries', 404],
      ['player?params={"id":1}', 400],
      ['podium', 400],
      ['player?params={', 400],
      [`player?params="${'x'.repeat(10_000)}"`, 414],
      ['all?params={}', 400],
      ['scores', 406],
      ['scores?since=zz', 400],
    ] as const) {
      const headers = path.includes('since') ? {} : inJson
      const refused = await live.fetch(asking(path, headers))
      expect(await problemOf(refused), path).toEqual({ status: 403, title: 'Forbidden' })
      const told = await live.fetch(asking(path, { ...headers, cookie: 'a=b' }))
      expect([path, told.status]).toEqual([path, status])
      expect(asked.splice(0)).toEqual(Array(2).fill({ name: null, params: undefined }))
    }
    expect(live.streams).toBe(0)
  })

  it('may narrow the parameters', async () => {
    const live = open.serve({
      authorize: (_, query) => query.name === 'player' && { params: { id: 'bob' } },
    })
    const response = await live.fetch(asking('player?params={"id":"ada"}', inJson))
    expect(await response.json()).toMatchObject({ row: [expect.any(String), { id: 'bob' }] })
    expect((await live.fetch(asking('all'))).status).toBe(403)
  })

  it('lets nobody in with an object that is not a grant', async () => {
    const errors: unknown[] = []
    const user = { id: 'ada', params: undefined }
    const live = open.serve({ authorize: () => user as never, onError: (error) => errors.push(error) })
    const response = await live.fetch(asking('all', inJson))
    expect(await problemOf(response)).toEqual({ status: 500, title: 'Internal Server Error' })
    const numbered = open.serve({
      authorize: () => ({ client: 5 }) as never,
      onError: (error) => errors.push(error),
    })
    expect((await problemOf(await numbered.fetch(asking('all', inJson)))).status).toBe(500)
    expect(errors).toEqual([expect.any(TypeError), expect.any(TypeError)])
  })
})

describe('faults', () => {
  it.each(['authorize', 'fails'])('tells a client nothing about one in %s', async (where) => {
    const errors: Error[] = []
    const live = open.serve({
      onError: (error) => errors.push(error as Error),
      authorize: () => {
        if (where === 'authorize') throw new Error('secret of the server')
        return true
      },
    })
    const response = await live.fetch(asking('fails'))
    expect(await problemOf(response)).toEqual({ status: 500, title: 'Internal Server Error' })
    expect(errors.map(({ message }) => message)).toEqual(['secret of the server'])
    expect(live.streams).toBe(0)
  })

  it('ends a broken stream with a problem', async () => {
    const errors: Error[] = []
    const live = open.serve({ onError: (error) => errors.push(error as Error) })
    const events = eventsOf(await live.fetch(asking('breaks')))
    const { name, data } = (await events.next())!
    expect([name, JSON.parse(data)]).toEqual(['problem', { status: 500, title: 'Internal Server Error' }])
    expect(await events.next()).toBeNull()
    expect(errors.map(({ message }) => message)).toEqual(['secret of the server'])
    expect(live.streams).toBe(0)
  })

  it.each(['opened', 'read'])(
    'is none of the server if a query refuses its parameters when %s',
    async (when) => {
      const errors: unknown[] = []
      const refused = new QueryError('too many words')
      const found = liveQuery((): ReadableStream<number> => {
        if (when === 'opened') throw refused
        return new ReadableStream({ pull: (controller) => controller.error(refused) })
      })
      const live = serveLive({ found }, { authorize: () => true, onError: (error) => errors.push(error) })
      const problem = {
        status: 400,
        title: 'Bad Request',
        code: 'QUERY',
        detail: 'The query does not take these parameters',
      }
      expect(await problemOf(await live.fetch(asking('found', inJson)))).toEqual(problem)
      const response = await live.fetch(asking('found'))
      if (when === 'opened') expect(await problemOf(response)).toEqual(problem)
      else expect(JSON.parse((await eventsOf(response).next())!.data)).toEqual(problem)
      expect(errors).toEqual([refused, refused])
      expect(live.streams).toBe(0)
    },
  )

  it.each([
    ['one', '*'],
    ['one', '\ud800'],
    ['one', 'x'.repeat(2_100)],
    ['one', null],
    ['one', {}],
    ['one', [['a', 'b']]],
    ['entry', [['*']]],
    ['entry', [[]]],
    ['entry', 'ada'],
    ['below', ['*']],
    ['below', 'a'],
    ['below', ['a', 'b', 'c']],
    ['pair', 'a'],
    ['pair', ['a', 'b', 'c']],
    ['best', null],
    ['best', -1],
    ['best', 1.5],
    ['best', '1'],
    ['listed', { limit: 0 }],
    ['listed', { limit: '1' }],
    ['listed', { cursor: 'x' }],
    ['paged', 0],
    ['paged', null],
    ['after', 'x'],
    ['numbered', 1],
    ['between', ['b', 'a']],
  ])('is none of the server if %s gets %j', async (name, params) => {
    await using db = await Valkeyrie.withSchemas([pair, number]).open()
    const errors: unknown[] = []
    const { pairs, numbers } = db.repositories
    const { players } = open
    const once = (read: () => Promise<unknown>) =>
      new ReadableStream<unknown>({
        pull: async (controller) => {
          controller.enqueue(await read())
          controller.close()
        },
      })
    const any = z.any()
    const live = serveLive(
      {
        one: liveQuery(any, (id) => players.watch(id)),
        entry: liveQuery(any, (keys) => open.db.watch(keys)),
        below: liveQuery(any, (prefix) => pairs.watchMany({ prefix })),
        pair: liveQuery(any, (id) => pairs.watch(id)),
        best: liveQuery(any, (limit) => players.watchMany({ limit })),
        listed: liveQuery(any, (options) => once(() => players.list({}, options).next())),
        paged: liveQuery(any, (limit) => once(() => players.findPage({ limit }))),
        after: liveQuery(any, (after) => once(() => players.findPage({ after }))),
        numbered: liveQuery(any, (id) => numbers.watch(id)),
        between: liveQuery(any, ([start, end]) => once(() => Array.fromAsync(players.list({ start, end })))),
      },
      { authorize: () => true, onError: (error) => errors.push(error) },
    )
    const address = `${name}?params=${encodeURIComponent(JSON.stringify(params))}`
    const problem = { status: 400, title: 'Bad Request', detail: 'The query does not take these parameters' }
    expect(await problemOf(await live.fetch(asking(address, inJson)))).toMatchObject(problem)
    const response = await live.fetch(asking(address))
    const told = response.ok ? JSON.parse((await eventsOf(response).next())!.data) : await problemOf(response)
    expect(told).toMatchObject(problem)
    expect(errors).toHaveLength(2)
    expect(live.streams).toBe(0)
  })

  it.each([
    ['a TypeError', (): never => (undefined as never as { name: never }).name],
    ['a RangeError', () => 'x'.repeat(-1)],
    ['a wrong option', () => open.players.watchMany({ limits: 1 } as never)],
  ])('is one of the server if it throws %s of its own', async (_, fault) => {
    const errors: unknown[] = []
    const faulty = liveQuery(() => fault() as never as ReadableStream<number>)
    const live = serveLive({ faulty }, { authorize: () => true, onError: (error) => errors.push(error) })
    expect((await live.fetch(asking('faulty'))).status).toBe(500)
    expect(errors).toHaveLength(1)
  })

  it.each(['authorize', 'breaks', 'fails'])(
    'reports what `onError` throws, after the answer to one in %s',
    async (where) => {
      const log = vi.spyOn(console, 'error').mockImplementation(() => {})
      onTestFinished(() => log.mockRestore())
      const down = new Error('the logger is down')
      const errors: unknown[] = []
      const live = open.serve({
        onError: (error) => {
          errors.push(error)
          throw down
        },
        authorize: () => {
          if (where === 'authorize') throw new Error('secret of the server')
          return true
        },
      })
      const response = await live.fetch(asking(where === 'authorize' ? 'all' : where))
      const problem = { status: 500, title: 'Internal Server Error' }
      if (where === 'breaks') {
        const events = eventsOf(response)
        expect(JSON.parse((await events.next())!.data)).toEqual(problem)
        expect(await events.next()).toBeNull()
      } else {
        expect(await problemOf(response)).toEqual(problem)
      }
      expect(live.streams).toBe(0)
      await waitUntil('the report', () => log.mock.calls.length > 0)
      expect(log.mock.calls).toEqual([[down, errors[0]]])
    },
  )

  it('answers 500 if `authorize` makes a query that is refused', async () => {
    const authorize = (): never => {
      throw new QueryError('no such field')
    }
    const response = await open.serve({ authorize }).fetch(asking('all'))
    expect(response.status).toBe(500)
  })

  it('says that a closed database is unavailable', async () => {
    const live = open.serve()
    await open.db.close()
    const events = eventsOf(await live.fetch(asking('all')))
    expect(JSON.parse((await events.next())!.data)).toMatchObject({ status: 503 })
    expect((await live.fetch(asking('all', inJson))).status).toBe(503)
  })

  it('refuses invalid declarations and options', () => {
    const authorize = () => true
    expect(() => serveLive({ a: {} } as never, { authorize })).toThrow(
      "What serveLive serves as 'a' must be made with",
    )
    expect(() => serveLive({ 'a/b': open.declarations.all }, { authorize })).toThrow(
      'cannot name a live query',
    )
    expect(() => serveLive({}, { authorize, hartbeat: 1 } as never)).toThrow("did you mean 'heartbeat'")
    expect(() => serveLive({}, { authorize, lifetime: 2 ** 31 })).toThrow(RangeError)
    expect(() => serveLive({}, { authorize, heartbeat: -1 })).toThrow(RangeError)
    expect(() => liveQuery({} as never, () => new ReadableStream())).toThrow('must be a Standard Schema')
    expect(() => liveChanges(z.object({}) as never)).toThrow('a function that opens a stream')
    const { scores } = open.declarations
    expect(() => liveChanges(scores.open, { filtre: () => true } as never)).toThrow("did you mean 'filter'")
    expect(() => liveChanges(scores.open, { filter: 'ada' } as never)).toThrow(
      'must be a function of a change',
    )
    expect(() => liveChanges(z.object({}), scores.open as never, null as never)).toThrow(TypeError)
  })
})

describe('a result as it is now', () => {
  it('is JSON, with an ETag for caches', async () => {
    const { fetch } = open.serve()
    const first = await fetch(asking('all', inJson))
    expect([first.status, first.headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(await first.json()).toMatchObject({
      rows: [
        [expect.any(String), { id: 'ada', value: { name: 'Ada', score: 3 } }],
        [expect.any(String), { id: 'bob' }],
      ],
    })
    const known = { ...inJson, 'if-none-match': `"other", ${first.headers.get('etag')}` }
    expect((await fetch(asking('all', known))).status).toBe(304)
    // A proxy that compresses an answer weakens its tag.
    for (const tags of [`W/${first.headers.get('etag')}`, `W/"other" , W/${first.headers.get('etag')}`, '*'])
      expect((await fetch(asking('all', { ...inJson, 'if-none-match': tags }))).status).toBe(304)
    await open.players.delete('ada')
    expect((await fetch(asking('all', known))).status).toBe(200)
  })

  it('does not exist for changes', async () => {
    expect((await open.serve().fetch(asking('scores', inJson))).status).toBe(406)
  })
})

describe('a stream', () => {
  it('sends the whole result, and then what is new in the next', async () => {
    const live = open.serve()
    const response = await live.fetch(asking('podium?params={"places":2}'))
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
    })
    const events = eventsOf(response)
    const whole = (await events.next())!
    expect(whole.name).toBe('result')
    expect(JSON.parse(whole.data)).toMatchObject({
      rows: [
        [expect.any(String), { id: 'bob' }],
        [expect.any(String), { id: 'ada' }],
      ],
    })
    await open.players.set('eve', { name: 'Eve', score: 4 })
    const delta = (await events.next())!
    expect(delta.name).toBe('delta')
    expect(JSON.parse(delta.data)).toMatchObject([
      [0, 1],
      [expect.any(String), { id: 'eve' }],
    ])
    expect(delta.id).not.toBe(whole.id)
    events.cancel()
    await waitUntil('the end of the stream', () => live.streams === 0)
  })

  it('tells a reader that its result is still current, and otherwise sends the whole', async () => {
    const { fetch } = open.serve()
    const { id } = (await eventsOf(await fetch(asking('all'))).next())!
    // Another server, as after a restart.
    const other = open.serve()
    const again = eventsOf(await other.fetch(asking('all', { 'last-event-id': id! })))
    expect(await again.next()).toEqual({ name: 'same', data: '{}', id })
    await open.players.set('eve', { name: 'Eve', score: 1 })
    expect(await again.named()).toBe('delta')
    const late = eventsOf(await other.fetch(asking('all', { 'last-event-id': id! })))
    expect(await late.named()).toBe('result')
  })

  it('includes a commit between the snapshot and the subscription', async () => {
    const { fetch } = open.serve()
    const events = eventsOf(await fetch(asking('all')))
    const first = events.next()
    const writes = Array.from({ length: 20 }, (_, i) => open.players.set(`p${i}`, { name: 'P', score: i }))
    await first
    await Promise.all(writes)
    let rows = 0
    const count = ({ name, data }: { name: string; data: string }) =>
      name === 'result'
        ? JSON.parse(data).rows.length
        : JSON.parse(data).reduce(
            (n: number, step: unknown[]) => n + (typeof step[0] === 'number' ? (step[1] as number) : 1),
            0,
          )
    rows = count((await first)!)
    while (rows < 22) rows = count((await events.next())!)
    expect(rows).toBe(22)
  })

  it('gives a slow reader the newest state, and reads nothing for it meanwhile', async () => {
    const { fetch } = open.serve({ heartbeat: 1 })
    const response = await fetch(asking('player?params={"id":"ada"}'))
    const reader = response.body!.getReader()
    const read = async () => new TextDecoder().decode((await reader.read()).value)
    expect(await read()).toContain('event: open')
    expect(await read()).toMatch(/event: result|^:/)
    for (let score = 10; score < 60; score++) await open.players.update('ada', { score })
    // Signs of life do not gather either.
    await delay(20)
    const texts: string[] = []
    while (!texts.at(-1)?.includes('"score":59')) texts.push(await read())
    expect(texts.filter((text) => text.includes('event: result')).length).toBeLessThanOrEqual(2)
    expect(texts.filter((text) => text === ':\n\n').length).toBeLessThanOrEqual(2)
    await reader.cancel()
  })

  it('sends heartbeats while nothing changes', async () => {
    const response = await open.serve({ heartbeat: 1 }).fetch(asking('all'))
    const reader = response.body!.getReader()
    const texts: string[] = []
    while (texts.filter((text) => text === ':\n\n').length < 3)
      texts.push(new TextDecoder().decode((await reader.read()).value))
    expect(texts[0]).toBe('event: open\ndata: {"heartbeat":1}\n\n')
    await reader.cancel()
  })

  it('makes its client ask again when its lifetime is over', async () => {
    const live = open.serve({ lifetime: 1 })
    const events = eventsOf(await live.fetch(asking('all')))
    const names = []
    for (let name = await events.named(); name !== null; name = await events.named()) names.push(name)
    expect(names.at(-1)).toBe('renew')
    expect(live.streams).toBe(0)
  })

  it.each(['cancel', 'abort', 'close', 'close of the database'])(
    'releases everything that it reads: %s',
    async (end) => {
      const opened: AbortSignal[] = []
      let cancelled = 0
      const declared = {
        counted: liveQuery((_, { signal }) => {
          opened.push(signal)
          const states = open.players.watchMany()
          return new ReadableStream({
            start: () => {},
            pull: async (controller) => {
              reader ??= states.getReader()
              const { done, value } = await reader.read()
              if (done) controller.close()
              else controller.enqueue(value)
            },
            cancel: () => {
              cancelled++
              return reader?.cancel()
            },
          })
        }),
      }
      let reader: ReadableStreamDefaultReader<unknown> | undefined
      const live = serveLive(declared, { authorize: () => true })
      const leaving = new AbortController()
      const events = eventsOf(await live.fetch(asking('counted', {}, { signal: leaving.signal })))
      expect(await events.named()).toBe('result')
      expect(live.streams).toBe(1)
      if (end === 'cancel') events.cancel()
      else if (end === 'abort') leaving.abort()
      else if (end === 'close') live.close()
      else await open.db.close()
      if (end === 'close of the database') expect(await events.next()).toBeNull()
      await waitUntil('the end', () => live.streams === 0)
      if (end === 'close') expect(await events.named()).toBe('renew')
      if (end !== 'cancel') expect(await events.next()).toBeNull()
      expect(opened[0]!.aborted).toBe(true)
      if (end !== 'close of the database') expect(cancelled).toBe(1)
      if (end === 'close') expect((await live.fetch(asking('counted'))).status).toBe(503)
    },
  )

  it('is refused beyond the limit, in all and for one client', async () => {
    const client = (request: Request) => ({ client: request.headers.get('x-user')! })
    const live = open.serve({ streams: 3, streamsPerClient: 2, authorize: client })
    const ask = (user: string) => live.fetch(asking('all', { 'x-user': user }))
    const [first] = [await ask('ada'), await ask('ada')]
    const refused = await ask('ada')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    expect((await ask('bob')).status).toBe(200)
    expect((await ask('eve')).status).toBe(503)
    await first!.body!.cancel()
    expect((await ask('eve')).status).toBe(200)
    expect(live.streams).toBe(3)
    live.close()
    expect(live.streams).toBe(0)
  })
})

it('serves a single value, and values that are not entries', async () => {
  await using db = await Valkeyrie.open()
  const live = serveLive(
    { count: liveQuery(() => ReadableStream.from([1, 1, 2, undefined])) },
    { authorize: () => true },
  )
  const events = eventsOf(await live.fetch(asking('count')))
  const data = []
  for (let event = await events.next(); event !== null; event = await events.next())
    data.push(JSON.parse(event.data).row)
  expect(data.map((row) => row.slice(1))).toEqual([[1], [2], [null, '{"values":["undefined"],"v":1}']])
  await db.close()
})

it('serves what a search finds, with highlights, and follows it, whatever a client searches for', async () => {
  await using db = await Valkeyrie.withSchema(
    ['notes', '*'],
    z.object({ text: z.string(), team: z.string() }),
    {
      search: ['text'],
    },
  ).open()
  const { notes } = db.repositories
  await notes.set('a', { text: 'Green tea', team: 'ours' })
  await notes.set('b', { text: 'Black tea', team: 'theirs' })
  const words = z.object({ words: z.string().max(100) })
  const live = serveLive(
    {
      found: liveQuery(words, ({ words }) =>
        notes.watchMany({ where: { $search: words, team: 'ours' }, highlight: true }),
      ),
    },
    { authorize: () => true },
  )
  const ask = (words: unknown, headers: Record<string, string> = inJson) =>
    live.fetch(asking(`found?params=${encodeURIComponent(JSON.stringify({ words }))}`, headers))
  const rowsOf = async (words: string) => {
    const { rows } = (await (await ask(words)).json()) as { rows: [string, { id: string }][] }
    return rows.map(([, { id }]) => id)
  }
  expect(await rowsOf('te*')).toEqual(['a'])
  for (const hostile of [
    '"',
    "' OR 1=1 --",
    'team:theirs',
    'text:tea OR black',
    '{theirs}',
    '(',
    '*',
    '\0',
    '-tea',
    'NOT',
  ])
    expect(await rowsOf(hostile)).toEqual([])
  for (const refused of [5, null, { $search: 'tea' }, ['tea'], 'x'.repeat(101)])
    expect((await ask(refused)).status).toBe(400)
  const events = eventsOf(await ask('tea', {}))
  const first = JSON.parse((await events.next())!.data)
  expect(first.rows[0][1].highlights).toEqual({
    text: [
      { text: 'Green ', hit: false },
      { text: 'tea', hit: true },
    ],
  })
  await notes.set('c', { text: 'Tea', team: 'ours' })
  expect((await events.next())?.data).toContain('"id":"c"')
  await events.cancel()
})
