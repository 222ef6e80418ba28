import { once } from 'node:events'
import { type Kv as Client, KvU64 as ClientU64, openKv as connect } from '@deno/kv'
import fc from 'fast-check'
import { Hono } from 'hono'
import { Valkeyrie } from 'valkeyrie'
import { type Kv, KvU64, openKv, type ServeHandler, serve } from 'valkeyrie/deno'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { atomicWrite, mutation, snapshotRead, watch } from '../../src/deno/connect/messages.ts'
import { decode, encode } from '../../src/deno/connect/protobuf.ts'
import { newAddress } from '../engine-of-project.ts'
import { sharedAddresses } from '../shared-addresses.ts'
import { waitFor } from '../waiting.ts'
import { type Served, served } from './served.ts'

const path = sharedAddresses()
const token = 'a token for the tests'
let kv: Kv
let server: Served
let client: Client

beforeEach(async () => {
  kv = await openKv(newAddress())
  server = await served(serve(kv, { token }))
  client = await connect(`${server.url}/some/path`, { accessToken: token, maxRetries: 1 })
})
afterEach(() => {
  client.close()
  server.close()
  kv[Symbol.dispose]()
})

it('serves at a path of Hono', async () => {
  const handler = serve(kv, { token })
  const app = new Hono().post('/kv/*', ({ req }) => handler(req.raw))
  const mounted = await served(async (request) => app.fetch(request))
  onTestFinished(() => mounted.close())
  const connected = await connect(`${mounted.url}/kv`, { accessToken: token, maxRetries: 1 })
  onTestFinished(() => connected.close())
  await connected.set(['a'], 1)
  expect((await kv.get(['a'])).value).toBe(1)
})

describe('the client @deno/kv', () => {
  it.each<[string, unknown]>([
    ['text', 'hellö'],
    ['number', -1.5],
    ['bigint', 2n ** 70n],
    ['null', null],
    ['undefined', undefined],
    ['date', new Date(0)],
    ['bytes', new Uint8Array([1, 2, 3])],
    ['bytes within', { a: new Uint8Array([1, 2]), b: new Float64Array([1.5]) }],
    ['map', new Map([['a', new Set([1n])]])],
    ['sparse array', Object.assign(new Array(3), { 2: 3 })],
    ['object', { a: { b: [1, { c: null }] } }],
  ])('writes and reads %s', async (_, value) => {
    const { versionstamp } = await client.set(['a', 1], value)
    expect(await client.get(['a', 1])).toEqual({ key: ['a', 1], value, versionstamp })
    // What Node.js writes of bytes is a Buffer of its own to itself.
    expect((await kv.get(['a', 1])).value).toEqual(value)
    await kv.set(['a', 2], value)
    expect((await client.get(['a', 2])).value).toEqual(value)
  })

  it('reads many, lists and deletes', async () => {
    for (let i = 0; i < 5; i += 1) await client.set(['list', i], i)
    const [two, none] = await client.getMany([['list', 2], ['none']])
    expect([two.value, none.value, none.versionstamp]).toEqual([2, null, null])
    const listed = (options: object) =>
      Array.fromAsync(client.list<number>({ prefix: ['list'] }, options), ({ value }) => value)
    expect(await listed({})).toEqual([0, 1, 2, 3, 4])
    expect(await listed({ reverse: true, limit: 3, batchSize: 2 })).toEqual([4, 3, 2])
    await client.delete(['list', 0])
    expect(await listed({ limit: 1 })).toEqual([1])
  })

  it('commits what is checked, and numbers of 64 bits', async () => {
    const { versionstamp } = await client.set(['a'], 1)
    const update = () =>
      client
        .atomic()
        .check({ key: ['a'], versionstamp })
        .set(['a'], 2)
        .commit()
    expect((await update()).ok).toBe(true)
    expect((await update()).ok).toBe(false)
    expect(
      (
        await client
          .atomic()
          .check({ key: ['none'], versionstamp: null })
          .set(['none'], 1)
          .commit()
      ).ok,
    ).toBe(true)
    await client.atomic().sum(['n'], 2n).sum(['n'], 3n).max(['m'], 7n).min(['m'], 6n).commit()
    expect((await client.get<ClientU64>(['n'])).value?.value).toBe(5n)
    expect((await kv.get(['m'])).value).toStrictEqual(new KvU64(6n))
    await kv.set(['k'], new KvU64(2n ** 64n - 1n))
    expect((await client.get<ClientU64>(['k'])).value).toEqual(new ClientU64(2n ** 64n - 1n))
  })

  it('gives values an expiry', async () => {
    await client.set(['a'], 1, { expireIn: 60_000 })
    const database = await Valkeyrie.open(path('expiring.db'))
    onTestFinished(() => database.close())
    const other = await served(serve(database, { token }))
    onTestFinished(() => other.close())
    const connected = await connect(other.url, { accessToken: token })
    onTestFinished(() => connected.close())
    await connected.set(['a'], 1, { expireIn: 60_000 })
    const { expiresAt } = await database.get(['a'])
    expect(expiresAt).toBeGreaterThan(Date.now())
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 60_000)
  })

  it('watches', async () => {
    await kv.set(['a'], 0)
    const reader = client.watch<[unknown, unknown]>([['a'], ['b']]).getReader()
    const next = async () => (await waitFor('a state', reader.read())).value?.map(({ value }) => value)
    expect(await next()).toEqual([0, null])
    await kv.set(['a'], { n: 1 })
    expect(await next()).toEqual([{ n: 1 }, null])
    await client.set(['b'], 'other')
    expect(await next()).toEqual([{ n: 1 }, 'other'])
    await kv.delete(['a'])
    expect(await next()).toEqual([null, 'other'])
    await reader.cancel()
  })

  it('enqueues', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    const listener = kv.listenQueue(resolve)
    await client.enqueue({ to: 'alice' })
    expect(await waitFor('the message', promise)).toEqual({ to: 'alice' })
    kv.close()
    await waitFor('the end of the listener', listener)
  })

  it('learns what is wrong with a write', async () => {
    await kv.set(['a'], 'no number')
    await expect(client.atomic().sum(['a'], 1n).commit()).rejects.toThrow(
      "400 Failed to perform 'sum' mutation on a non-U64 value in the database",
    )
    await expect(client.set(['a'], 'x'.repeat(65_536))).rejects.toThrow(
      '400 Value too large (max 65536 bytes)',
    )
    const keysIfUndelivered = Array.from({ length: 11 }, (_, n) => ['undelivered', n])
    await expect(client.enqueue('message', { keysIfUndelivered })).rejects.toThrow(
      '400 Too many keysIfUndelivered (max 10)',
    )
  })

  it('with another token is refused', async () => {
    const refused = connect(server.url, { accessToken: `${token}!`, maxRetries: 0 })
    await expect(refused).rejects.toThrow('401 The access token is not valid')
  })

  it('writes what a schema takes, and no more', async () => {
    await using users = await Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() })).open(
      newAddress(),
    )
    const other = await served(serve(users, { token }))
    onTestFinished(() => other.close())
    const connected = await connect(other.url, { accessToken: token, maxRetries: 0 })
    onTestFinished(() => connected.close())
    await connected.set(['users', 'alice'], { name: 'Alice' })
    expect((await users.repositories.users.get('alice')).value).toEqual({ name: 'Alice' })
    await expect(connected.set(['users', 'bob'], { nme: 'Bob' })).rejects.toThrow('400')
  })
})

describe('the handler', () => {
  const authorization = `Bearer ${token}`
  let handler: ServeHandler
  beforeEach(() => {
    handler = serve(kv, { token })
  })
  const post = (url: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    handler(new Request(url, { method: 'POST', body, headers: { authorization, ...headers } }))
  const databaseHeaders = async () => {
    const metadata = (await (await post('http://x/', '{"supportedVersions":[3]}')).json()) as {
      databaseId: string
    }
    return { 'x-denokv-database-id': metadata.databaseId }
  }

  it('says where to continue, by the newest version that both know', async () => {
    const metadata = async (url: string, versions: number[]) =>
      (await post(url, JSON.stringify({ supportedVersions: versions }))).json()
    expect(await metadata('http://x/', [1, 2, 3, 4])).toMatchObject({
      version: 3,
      endpoints: [{ url: '/v3', consistency: 'strong' }],
    })
    expect(await metadata('http://x/deep/kv/', [1, 2])).toMatchObject({
      version: 2,
      endpoints: [{ url: '/deep/kv/v2', consistency: 'strong' }],
    })
  })

  it.each([
    ['another method', new Request('http://x/', { headers: { authorization } }), 405],
    ['no token', new Request('http://x/', { method: 'POST' }), 401],
    ['version 1', new Request('http://x/', { method: 'POST', headers: { authorization } }), 400],
    ['no JSON', new Request('http://x/', { method: 'POST', headers: { authorization }, body: '{' }), 400],
    [
      'no versions',
      new Request('http://x/', { method: 'POST', headers: { authorization }, body: '{}' }),
      400,
    ],
    [
      'no database',
      new Request('http://x/v3/snapshot_read', { method: 'POST', headers: { authorization } }),
      400,
    ],
  ])('refuses %s', async (_, request, status) => {
    const response = await handler(request)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toMatch('text/plain')
    expect(await response.text()).not.toBe('')
  })

  it('answers any bytes with a status, and lives on', async () => {
    const headers = await databaseHeaders()
    const statuses = new Set<number>()
    const encoded = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .array(
          fc.record({
            key: fc.uint8Array({ maxLength: 20 }),
            type: fc.integer({ min: 0, max: 10 }),
            expireAtMs: fc.nat(),
            value: fc.record({
              data: fc.uint8Array({ maxLength: 30 }),
              encoding: fc.integer({ min: 0, max: 4 }),
            }),
          }),
          { maxLength: 3 },
        )
        .map((mutations) => encode(atomicWrite, { mutations })),
      fc
        .array(
          fc.record({
            start: fc.uint8Array({ maxLength: 20 }),
            end: fc.uint8Array({ maxLength: 20 }),
            limit: fc.integer({ min: 0, max: 1001 }),
            reverse: fc.boolean(),
          }),
          { maxLength: 12 },
        )
        .map((ranges) => encode(snapshotRead, { ranges })),
    )
    const actions = fc.constantFrom('snapshot_read', 'atomic_write', 'watch')
    await fc.assert(
      fc.asyncProperty(encoded, actions, async (body, action) => {
        const response = await post(`http://x/v3/${action}`, body as Uint8Array<ArrayBuffer>, headers)
        statuses.add(response.status)
        await response.body?.cancel()
      }),
      { numRuns: 200 },
    )
    expect(statuses).toEqual(new Set([200, 400]))
    const long = await post('http://x/v3/atomic_write', new Uint8Array(5_000_000), headers)
    expect(long.status).toBe(413)
  })

  it('ends a watch with the database, and with its client', async () => {
    const headers = await databaseHeaders()
    const keys = encode(watch, { keys: [{ key: new Uint8Array([2, 0x61, 0]) }] }) as Uint8Array<ArrayBuffer>
    const open = async () => (await post('http://x/v3/watch', keys, headers)).body!.getReader()
    const [left, kept] = [await open(), await open()]
    await waitFor('the first state', Promise.all([left.read(), kept.read()]))
    await left.cancel()
    await kv.set(['a'], 1)
    expect((await waitFor('the next state', kept.read())).value?.length).toBeGreaterThan(20)
    kv.close()
    await waitFor(
      'the end',
      (async () => {
        while (!(await kept.read()).done);
      })(),
    )
  })

  it('says of a closed database that it may be tried again', async () => {
    const headers = await databaseHeaders()
    kv.close()
    const response = await post('http://x/v3/snapshot_read', '', headers)
    expect(response.status).toBe(503)
  })

  it('answers a failure without a text with 500, and reports it as a warning', async () => {
    const warned = once(process, 'warning')
    const body = new ReadableStream({ start: (controller) => controller.error(Object.create(null)) })
    const init = { method: 'POST', headers: { authorization }, body, duplex: 'half' }
    const response = await handler(new Request('http://x/', init as RequestInit))
    expect(response.status).toBe(500)
    expect(await warned).toMatchObject([{ name: 'ServeWarning', code: 'SERVE_REQUEST' }])
  })

  it('refuses what is not a database, and a short token', () => {
    expect(() => serve({} as never, { token })).toThrow('serve takes the result of openKv')
    expect(() => serve(kv, { token: 'short' })).toThrow(RangeError)
    expect(() => serve(kv, {} as never)).toThrow(TypeError)
  })
})

it('a message is read as it was written', () => {
  const mutations = fc.record({
    key: fc.uint8Array(),
    value: fc.option(fc.record({ data: fc.uint8Array(), encoding: fc.nat() })),
    type: fc.nat(),
    expireAtMs: fc.maxSafeNat(),
  })
  fc.assert(
    fc.property(mutations, (values) => {
      expect(decode(mutation, encode(mutation, values))).toEqual(values)
    }),
  )
})

it('numbers of a list stand packed or apart, and unknown fields are skipped', () => {
  const { enqueues } = decode(
    atomicWrite,
    Uint8Array.from([0x1a, 9, 0x20, 5, 0x22, 2, 100, 7, 0x98, 0x06, 1]),
  )
  expect(enqueues[0]?.backoffSchedule).toEqual([5, 100, 7])
})
