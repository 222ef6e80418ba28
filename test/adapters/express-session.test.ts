import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import session, { type SessionData } from 'express-session'
import { Valkeyrie } from 'valkeyrie'
import { sessionStore } from 'valkeyrie/express-session'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { newAddress } from '../engine-of-project.ts'
import { stillClock } from '../still-clock.ts'
import { waitFor } from '../waiting.ts'

declare module 'express-session' {
  interface SessionData {
    visits?: number
    at?: Date
  }
}

let db: Valkeyrie
let store: session.Store

beforeEach(async () => {
  db = await Valkeyrie.open(newAddress())
  store = sessionStore(db)
})
afterEach(() => db.close())

/** A session as express-session passes it to a store; `left`: how many milliseconds its cookie has left. */
function data(left: number | null, more: object = {}): SessionData {
  // Its types take nothing.
  const Cookie = session.Cookie as unknown as new (options: object) => session.Cookie
  const cookie = new Cookie({ maxAge: left })
  return { cookie, ...more } as SessionData
}

/** Calls a method that answers by a callback. */
function call<Value = unknown>(of: session.Store, name: string, ...args: unknown[]): Promise<Value> {
  return new Promise((resolve, reject) => {
    const method = (of as never)[name] as (...args: unknown[]) => void
    method.call(of, ...args, (error: unknown, value: Value) =>
      error ? reject(error as Error) : resolve(value),
    )
  })
}

describe('each method of a store', () => {
  it('get returns null for a missing session, and what was set', async () => {
    expect(await call(store, 'get', 's1')).toBeNull()
    await call(store, 'set', 's1', data(60_000, { visits: 1, at: new Date(0) }))
    expect(await call(store, 'get', 's1')).toMatchObject({
      visits: 1,
      at: '1970-01-01T00:00:00.000Z',
      cookie: { originalMaxAge: 60_000 },
    })
  })

  it('destroy removes a session, and accepts a missing one', async () => {
    await call(store, 'set', 's1', data(60_000))
    await call(store, 'destroy', 's1')
    await call(store, 'destroy', 's1')
    expect(await call(store, 'get', 's1')).toBeNull()
  })

  it('all, length and clear', async () => {
    for (const [i, sid] of ['a', 'b', 'c'].entries()) await call(store, 'set', sid, data(null, { visits: i }))
    await db.set(['beside'], 1)
    expect((await call<SessionData[]>(store, 'all')).map(({ visits }) => visits)).toEqual([0, 1, 2])
    expect(await call(store, 'length')).toBe(3)
    await call(store, 'clear')
    expect(await call(store, 'length')).toBe(0)
    expect((await db.get(['beside'])).value).toBe(1)
  })

  it('a session expires with its cookie, or after expireIn', async () => {
    const clock = stillClock()
    const short = sessionStore(db, { expireIn: 5_000 })
    await call(short, 'set', 'cookie', data(10_000))
    await call(short, 'set', 'own', data(null))
    clock.advance(6_000)
    expect(await call(short, 'get', 'own')).toBeNull()
    expect(await call(short, 'get', 'cookie')).not.toBeNull()
    clock.advance(5_000)
    expect(await call(short, 'get', 'cookie')).toBeNull()
  })

  it('set and touch remove a session whose cookie has expired', async () => {
    await call(store, 'set', 's1', data(60_000))
    await call(store, 'set', 's1', data(-1))
    expect(await call(store, 'length')).toBe(0)
    await call(store, 'set', 's1', data(60_000))
    await call(store, 'touch', 's1', data(-1))
    expect(await call(store, 'length')).toBe(0)
  })

  it('touch extends a session, with its new cookie, and changes nothing else', async () => {
    const clock = stillClock()
    await call(store, 'set', 's1', data(10_000, { visits: 1 }))
    const stale = data(10_000, { visits: 1 })
    await call(store, 'set', 's1', data(10_000, { visits: 2 }))
    clock.advance(9_000)
    stale.cookie.maxAge = 10_000
    await call(store, 'touch', 's1', stale)
    clock.advance(9_000)
    const expires = new Date(Date.now() + 1_000).toISOString()
    expect(await call(store, 'get', 's1')).toMatchObject({ visits: 2, cookie: { expires } })
  })

  it('touch neither restores a destroyed session nor undoes a concurrent set', async () => {
    await call(store, 'touch', 'none', data(60_000))
    expect(await call(store, 'length')).toBe(0)
    await call(store, 'set', 's1', data(60_000, { visits: 0 }))
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => [
        call(store, 'touch', 's1', data(60_000)),
        call(store, 'set', 's1', data(60_000, { visits: i })),
      ]).flat(),
    )
    expect(await call(store, 'get', 's1')).toMatchObject({ visits: 19 })
    await Promise.all([call(store, 'touch', 's1', data(60_000)), call(store, 'destroy', 's1')])
    expect(await call(store, 'get', 's1')).toBeNull()
  })
})

it('a failure goes to the callback, or is an error of the store', async () => {
  await db.close()
  await expect(call(store, 'get', 's1')).rejects.toMatchObject({ code: 'DATABASE_CLOSED' })
  const told = once(store, 'error')
  store.destroy('s1')
  expect(await waitFor('the error', told)).toMatchObject([{ code: 'DATABASE_CLOSED' }])
})

it('refuses anything but a database, and an unknown option', () => {
  expect(() => sessionStore({} as never)).toThrow('sessionStore takes an open database')
  expect(() => sessionStore(db, { prefix: [] })).toThrow(TypeError)
  expect(() => sessionStore(db, { expireIn: 0 })).toThrow(RangeError)
  expect(() => sessionStore(db, { ttl: 1 } as never)).toThrow("did you mean 'expireIn'")
})

describe('behind a server', () => {
  /** A server whose sessions count visits; gives its address. */
  async function serve(options: Partial<session.SessionOptions> = {}) {
    const middleware = session({ store, secret: 's', resave: false, saveUninitialized: false, ...options })
    const server = createServer((request, response) => {
      middleware(request as never, response as never, (error) => {
        if (error) return response.writeHead(500).end(String(error))
        const { session } = request as never as { session: session.Session & SessionData }
        const done = (failed?: unknown) => response.end(failed ? String(failed) : String(session.visits ?? 0))
        if (request.url === '/logout') return session.destroy(done)
        if (request.url === '/login') return session.regenerate(done)
        if (request.url === '/count') session.visits = (session.visits ?? 0) + 1
        done()
      })
    })
    server.listen(0)
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const address = `http://localhost:${(server.address() as AddressInfo).port}`
    let cookie = ''
    return async (path: string) => {
      const response = await fetch(address + path, { headers: { cookie } })
      cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie
      return response.text()
    }
  }

  it('keeps a session from request to request, and in another server', async () => {
    const visit = await serve()
    expect([await visit('/count'), await visit('/count'), await visit('/')]).toEqual(['1', '2', '2'])
    expect(await call(store, 'length')).toBe(1)
  })

  it('a new id at login, and nothing left after logout', async () => {
    const visit = await serve()
    await visit('/count')
    const [before] = await Array.fromAsync(db.list({ prefix: ['sessions'] }), ({ key }) => key[1])
    await visit('/login')
    await visit('/count')
    const after = await Array.fromAsync(db.list({ prefix: ['sessions'] }), ({ key }) => key[1])
    expect(after).toHaveLength(1)
    expect(after).not.toEqual([before])
    await visit('/logout')
    expect(await call(store, 'length')).toBe(0)
    expect(await visit('/')).toBe('0')
  })

  it('an unchanged session is touched: it lives on, and so does a rolling cookie', async () => {
    const clock = stillClock()
    const visit = await serve({ rolling: true, cookie: { maxAge: 10_000 } })
    await visit('/count')
    for (let i = 0; i < 3; i += 1) {
      clock.advance(9_000)
      expect(await visit('/')).toBe('1')
    }
    clock.advance(11_000)
    expect(await visit('/')).toBe('0')
  })
})
