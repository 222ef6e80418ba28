import { renameSync, rmSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import Sqlite from 'better-sqlite3'
import { sql } from 'drizzle-orm'
import { KvU64, Valkeyrie } from 'valkeyrie'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { storeOf } from '../../src/api/database.ts'
import { checkPlace } from '../../src/studio/guard.ts'
import { readEvents } from '../../src/studio/page/data/read-events.ts'
import { notationOf } from '../../src/studio/page/value/notation.ts'
import { parseNotation } from '../../src/studio/page/value/parse-notation.ts'
import { jsonText, rowOf, valueJson } from '../../src/studio/page/value/wire.ts'
import { Refusal } from '../../src/studio/refusal.ts'
import { openStudio, type StudioOptions } from '../../src/studio/server.ts'
import { describeEngines } from '../engines.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { ask, askRaw } from './ask.ts'

const path = temporaryFolder()
const book = z.object({ title: z.string().min(2), year: z.int().optional(), sold: z.bigint().optional() })
const schemas = Valkeyrie.withSchema(['books', '*'], book, { indexes: [{ on: 'title' }] })

/** Makes databases with books, each where `newAddress` says. */
function shelves(newAddress: () => string) {
  return async (books = 3) => {
    const file = newAddress()
    const db = await schemas.open(file)
    onTestFinished(() => db.close())
    for (let n = 0; n < books; n++) await db.repositories.books.set(`b${n}`, { title: `Book ${n}`, year: n })
    return { file, db }
  }
}

const shelf = shelves(path)

async function open(file: string, options?: StudioOptions) {
  const studio = await openStudio(file, options)
  onTestFinished(() => studio[Symbol.asyncDispose]())
  return studio
}

describe('who is answered', () => {
  it('the page is served to everybody on this machine, and holds no data', async () => {
    const studio = await open((await shelf()).file)
    const { status, headers, text } = await askRaw(studio, '/', { method: 'GET', token: null })
    expect([status, text.includes('Book')]).toEqual([200, false])
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe-|\*|https?:/)
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-frame-options': 'DENY' })
    expect((await askRaw(studio, '/../package.json', { method: 'GET' })).status).toBe(404)
    expect((await askRaw(studio, '/%2e%2e/package.json', { method: 'GET' })).status).toBe(404)
  })

  it.each([
    ['no token', null],
    ['another token', 'nonsense'],
    ['the beginning of the token', 'PART'],
  ])('nobody with %s', async (_, token) => {
    const studio = await open((await shelf()).file)
    const part = token === 'PART' ? studio.url.split('=')[1]!.slice(0, -1) : token
    const { status, text } = await askRaw(studio, '/api/catalog', { token: part })
    expect([status, JSON.parse(text).error.code]).toEqual([401, 'TOKEN'])
  })

  it.each([
    ['a name that leads to this machine', { host: 'evil.example' }, 'HOST'],
    ['another port', { host: '127.0.0.1:1' }, 'HOST'],
    ['another page', { origin: 'http://evil.example' }, 'ORIGIN'],
    ['a page on another port', { origin: 'http://127.0.0.1:1' }, 'ORIGIN'],
    ['a page without an origin', { origin: 'null' }, 'ORIGIN'],
    ['a page elsewhere that asks without an origin', { 'sec-fetch-site': 'cross-site' }, 'ORIGIN'],
  ])('nobody from %s', async (_, headers, code) => {
    const studio = await open((await shelf()).file)
    for (const at of ['/api/catalog', '/']) {
      const { status, text } = await askRaw(studio, at, { headers, method: at === '/' ? 'GET' : 'POST' })
      expect([status, JSON.parse(text).error.code]).toEqual([403, code])
    }
  })

  it('a browser at port 80, which it leaves out', () => {
    const from = (headers: object, port: number) => checkPlace({ headers } as IncomingMessage, port)
    from({ host: '127.0.0.1', origin: 'http://127.0.0.1' }, 80)
    from({ host: 'localhost:80' }, 80)
    expect(() => from({ host: 'localhost' }, 8080)).toThrow(Refusal)
    expect(() => from({ host: 'evil.example' }, 80)).toThrow(Refusal)
    expect(() => from({ host: 'localhost', origin: 'http://localhost:8080' }, 80)).toThrow(Refusal)
  })

  it('listens on this machine only', async () => {
    const studio = await open((await shelf()).file)
    expect(new URL(studio.url).hostname).toBe('127.0.0.1')
    const socket = connect({ host: '127.0.0.2', port: Number(new URL(studio.url).port) })
    const failure = await new Promise((resolve) =>
      socket.on('error', resolve).on('connect', () => resolve(null)),
    )
    socket.destroy()
    expect(failure).toMatchObject({ code: 'ECONNREFUSED' })
  })
})

describeEngines('what is asked', ({ name, newAddress }) => {
  const shelf = shelves(newAddress)
  it.each([
    ['no JSON', '/api/rows', '{'],
    ['a list', '/api/rows', '[]'],
    ['no repository', '/api/rows', '{}'],
    ['a name of every object', '/api/constructor', '{}'],
    ['a repository of every object', '/api/rows', '{"repository":"__proto__"}'],
    [
      'an operator that there is not',
      '/api/rows',
      '{"repository":"books","query":{"value":{"where":{"year":{"x":1}}}}}',
    ],
    [
      'SQL',
      '/api/rows',
      '{"repository":"books","query":{"value":{"orderBy":{"title; drop table kv":"asc"}}}}',
    ],
    ['an option that there is not', '/api/rows', '{"repository":"books","query":{"value":{"having":1}}}'],
    ['too many rows', '/api/rows', '{"repository":"books","limit":1000000}'],
    ['a cursor that is none', '/api/rows', '{"repository":"books","after":"x"}'],
    ['a key that is none', '/api/get', '{"keys":[[{"x":1}]]}'],
    ['no row', '/api/write', '{"ifVersion":null}'],
    ['no version', '/api/write', '{"row":{"key":["a"],"value":1}}'],
    [
      'a value that is damaged',
      '/api/write',
      '{"row":{"key":["a"],"value":1,"encoding":"bytes"},"ifVersion":null}',
    ],
    [
      'types of parts that a value does not have',
      '/api/write',
      '{"row":{"key":["a"],"value":{},"encoding":"superjson","types":{"values":{"x":["Date"]},"v":1}},"ifVersion":null}',
    ],
  ])('is refused with a sentence: %s', async (_, at, body) => {
    const { file, db } = await shelf()
    const { status, text } = await askRaw(await open(file), at, { body })
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
    expect(JSON.parse(text).error.message).toMatch(/\w+ \w+/)
    expect(await db.repositories.books.count()).toBe(3)
  })

  it('is neither a form of another page nor a GET', async () => {
    const studio = await open((await shelf()).file)
    const headers = { 'content-type': 'text/plain' }
    expect((await askRaw(studio, '/api/catalog', { headers })).status).toBe(415)
    expect((await askRaw(studio, '/api/catalog', { method: 'GET' })).status).toBe(405)
  })

  it('gives pages forwards, backwards and from the middle, which meet', async () => {
    const studio = await open((await shelf(9)).file)
    const page = (more: object) => ask(studio, 'rows', { repository: 'books', limit: 3, ...more })
    const ids = ({ rows }: { rows: { key: string[] }[] }) => rows.map(({ key }) => key[1])
    const first = await page({})
    const second = await page({ after: first.cursor })
    const last = await page({ backward: true })
    const before = await page({ backward: true, after: last.cursor })
    expect([first, second, before, last].map(ids)).toEqual([
      ['b0', 'b1', 'b2'],
      ['b3', 'b4', 'b5'],
      ['b3', 'b4', 'b5'],
      ['b6', 'b7', 'b8'],
    ])
    expect(ids(await page({ after: first.cursor, offset: 2 }))).toEqual(['b5', 'b6', 'b7'])
    for (const orderBy of [{}, [], [{}]])
      expect(ids(await page({ backward: true, query: valueJson({ orderBy }) }))).toEqual(['b6', 'b7', 'b8'])
  })

  it('tells the statement, the plan, and whether an index serves it', async () => {
    const studio = await open((await shelf()).file)
    const explain = (where: object) =>
      ask(studio, 'explain', { repository: 'books', query: valueJson({ where }) })
    const { served, plan } = await explain({ title: 'Book 1' })
    expect([served, plan.join('\n')]).toEqual([true, expect.stringContaining('kv_books_title')])
    expect(await explain({ year: 1 })).toMatchObject({ served: false })
  })

  it('finds words, whatever is asked for, the best first', async () => {
    const file = newAddress()
    const searched = Valkeyrie.withSchema(['books', '*'], book, { search: ['title'] })
    await using db = await searched.open(file)
    const titles = ['Green tea', 'Black tea', 'Tea, tea and more tea', 'Ink']
    for (const [n, title] of titles.entries()) await db.repositories.books.set(`b${n}`, { title })
    const studio = await open(file)
    const query = (query: object) => ({ repository: 'books', query: valueJson(query) })
    const found = async (asked: object, more: object = {}) => {
      const { rows } = await ask(studio, 'rows', { ...query(asked), ...more })
      return rows.map(({ key }: { key: string[] }) => key[1])
    }
    expect(await found({ where: { $search: 'tea' } })).toEqual(['b2', 'b0', 'b1'])
    expect(await found({ where: { $search: 'te* -green' }, orderBy: { title: 'asc' } })).toEqual(['b1', 'b2'])
    const ranked = { where: { $search: 'tea' }, orderBy: { $rank: 'desc' } }
    expect(await found(ranked, { backward: true })).toEqual(await found(ranked))
    expect(await ask(studio, 'count', query({ where: { $search: 'tea' } }))).toMatchObject({ count: 3 })
    expect(await ask(studio, 'explain', query({ where: { $search: 'tea' } }))).toMatchObject({ served: true })
    for (const $search of [
      '"',
      '" OR 1=1 --',
      "'; DROP TABLE kv",
      'title:(',
      'NEAR(a b',
      '*',
      '\0',
      '-',
      '😀',
      '^tea ^',
    ]) {
      const { status, count } = await ask(studio, 'count', query({ where: { $search } }))
      expect([status, $search, typeof count]).toEqual([200, $search, 'number'])
    }
    for (const $search of [5, null, {}, ['tea'], 'x'.repeat(10_001)]) {
      const { status, error } = await ask(studio, 'rows', query({ where: { $search } }))
      expect([status, error.code]).toEqual([400, 'QUERY'])
    }
    const plain = await open((await shelf()).file)
    expect(await ask(plain, 'rows', query({ where: { $search: 'tea' } }))).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining("'books' cannot be searched") },
    })
    const { repositories } = await ask(studio, 'catalog')
    expect(repositories).toMatchObject([{ name: 'books', searched: ['title'] }])
    expect(await db.repositories.books.count()).toBe(4)
  })

  it('shows a row that cannot be read among the others', async () => {
    const { file, db } = await shelf(5)
    if (name === 'sqlite') {
      const connection = new Sqlite(file)
      connection.prepare("UPDATE kv SET encoding = 9 WHERE value LIKE '%Book 2%'").run()
      connection.close()
    } else {
      const { kv } = db.as('postgres').tables
      const isBook = sql`${kv.value}::text like '%Book 2%'`
      await db.as('postgres').drizzle.update(kv).set({ encoding: 9 }).where(isBook)
    }
    await db.set(['other'], 1)
    const { rows, cursor } = await ask(await open(file), 'rows', { repository: 'books' })
    expect(rows).toHaveLength(5)
    expect(rows[2]).toMatchObject({
      key: ['books', 'b2'],
      damage: expect.stringContaining('cannot be decoded'),
    })
    expect(cursor).toBeNull()
  })

  it('gives keys without a pattern, and no others', async () => {
    const { file, db } = await shelf()
    await db.set(['z', 1n, new Uint8Array([255])], new Map([['a', 1n]]))
    await db.set(['a'], 'first')
    const { rows } = await ask(await open(file), 'keys')
    expect(rows.map(rowOf)).toMatchObject([
      { key: ['a'], value: 'first' },
      { key: ['z', 1n, new Uint8Array([255])], value: new Map([['a', 1n]]) },
    ])
  })
})

describeEngines('writing', ({ newAddress }) => {
  const shelf = shelves(newAddress)
  const row = { key: ['books', 'b0'], value: { title: 'Another' } }

  it('replaces the version that was read, and no other', async () => {
    const { file, db } = await shelf()
    const studio = await open(file)
    const [{ versionstamp }] = (await ask(studio, 'get', { keys: [row.key] })).rows
    await db.repositories.books.set('b0', { title: 'Theirs' })
    expect(await ask(studio, 'write', { row, ifVersion: versionstamp })).toMatchObject({
      status: 409,
      error: { code: 'CONFLICT', current: { value: { title: 'Theirs' } } },
    })
    const [{ versionstamp: now }] = (await ask(studio, 'get', { keys: [row.key] })).rows
    expect(await ask(studio, 'write', { row, ifVersion: now })).toMatchObject({ status: 200 })
    expect((await db.repositories.books.get('b0')).value).toEqual({ title: 'Another' })
    expect(await ask(studio, 'write', { row, ifVersion: null })).toMatchObject({ status: 409 })
    const removed = await ask(studio, 'write', { row, ifVersion: now, remove: true })
    expect(removed.error.code).toBe('CONFLICT')
  })

  it('is checked against the schema', async () => {
    const { file } = await shelf()
    const refused = await ask(await open(file), 'write', {
      row: { key: ['books', 'x'], value: { title: 'T' } },
      ifVersion: null,
    })
    expect(refused).toMatchObject({
      status: 422,
      error: { code: 'VALIDATION', issues: [{ path: ['title'] }] },
    })
  })

  it('is refused by a read-only server', async () => {
    const { file, db } = await shelf()
    const studio = await open(file, { readOnly: true })
    for (const remove of [false, true])
      expect(await ask(studio, 'write', { row, ifVersion: null, remove })).toMatchObject({
        status: 403,
        error: { code: 'READ_ONLY' },
      })
    expect((await db.repositories.books.get('b0')).value?.title).toBe('Book 0')
  })
})

describeEngines('the feed', ({ name, newAddress }) => {
  const shelf = shelves(newAddress)
  async function feed(url: string, lastId?: string) {
    const { origin, hash } = new URL(url)
    const left = new AbortController()
    onTestFinished(() => left.abort())
    const response = await fetch(`${origin}/api/feed`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${hash.replace('#token=', '')}`,
        'content-type': 'application/json',
        ...(lastId !== undefined && { 'last-event-id': lastId }),
      },
      body: '{}',
      signal: left.signal,
    })
    const events = readEvents(response.body!)
    const next = async (wanted: string) => {
      for (;;) {
        const { value, done } = await events.next()
        if (done) throw new Error('The feed has ended')
        if (value.event === wanted) return { ...value, data: JSON.parse(value.data) }
      }
    }
    return { next, leave: () => left.abort() }
  }

  it('continues after a lost connection, and misses nothing', async () => {
    const { file, db } = await shelf()
    const studio = await open(file)
    const first = await feed(studio.url)
    await first.next('open')
    const told: string[] = []
    for (const n of [1, 2, 3]) await db.set(['n', n], n)
    let id = ''
    for (let n = 0; n < 2; n++) {
      const event = await first.next('commit')
      id = event.id
      told.push(event.data.changes[0].key[1])
    }
    first.leave()
    for (const n of [4, 5]) await db.set(['n', n], n)
    const second = await feed(studio.url, id)
    while (told.at(-1) !== (5 as never)) told.push((await second.next('commit')).data.changes[0].key[1])
    expect([...new Set(told)]).toEqual([1, 2, 3, 4, 5])
  })

  it('reports all changes of a commit, however many there are', async () => {
    const { file, db } = await shelf()
    const { next } = await feed((await open(file)).url)
    await next('open')
    const operation = db.atomic()
    for (let n = 0; n < 450; n++) operation.set(['n', n], n)
    await operation.commit()
    const keys = new Set<number>()
    while (keys.size < 450) for (const { key } of (await next('commit')).data.changes) keys.add(key[1])
    expect(keys.size).toBe(450)
  })

  it('reports that a program declares more, and that the file is gone', async () => {
    const { file } = await shelf()
    const studio = await open(file)
    const { next } = await feed(studio.url)
    const { id: firstId } = await next('open')
    await (await Valkeyrie.withSchema(['pens', '*'], book).open(file)).close()
    await next('catalog')
    expect((await ask(studio, 'catalog')).repositories.map(({ name }: { name: string }) => name)).toContain(
      'pens',
    )
    const { rows, log } = (await next('process')).data
    expect([rows > 0, log > 0]).toEqual([true, true])
    if (name === 'postgres') return
    renameSync(file, `${file}.away`)
    await next('gone')
    // So does a reader who has lost the connection meanwhile.
    const again = await askRaw(studio, '/api/feed', { headers: { 'last-event-id': firstId } })
    expect(again).toMatchObject({ status: 410, text: expect.stringContaining('FILE_GONE') })
    expect(await ask(studio, 'catalog')).toMatchObject({ status: 410, error: { code: 'FILE_GONE' } })
    renameSync(`${file}.away`, file)
    expect(await ask(studio, 'catalog')).toMatchObject({ status: 200 })
  })
})

describeEngines('the state of a database', ({ name, newAddress }) => {
  const shelf = shelves(newAddress)

  it('is told by its name, its counts, its figures and its doctor, without a password', async () => {
    const { file, db } = await shelf()
    await db.set(['other'], 1)
    const studio = await open(file)
    const told = await ask(studio, 'catalog')
    expect(told).toMatchObject({ engine: name, readOnly: false })
    expect(told.path.startsWith(storeOf(db)!.path)).toBe(true)
    expect(JSON.stringify(told)).not.toContain('@')
    expect(told.path.endsWith(told.name)).toBe(true)
    expect(await ask(studio, 'counts')).toMatchObject({ repositories: { books: 3 }, others: 1 })
    const stats = await ask(studio, 'stats')
    expect(stats.repositories).toContainEqual(expect.objectContaining({ repository: 'books', rows: 3 }))
    expect(await ask(studio, 'doctor')).toMatchObject({ status: 200, sound: true, rows: 4 })
  })

  it('is not shown of a database that is not there', async () => {
    await expect(openStudio(newAddress())).rejects.toMatchObject({ code: 'DATABASE_OPEN' })
  })
})

describe('the notation of values', () => {
  it.each([
    [{ a: 1, 'b c': [true, null, undefined], __proto__x: -0 }],
    [JSON.parse('{"__proto__":{"a":1}}')],
    [
      new Map<unknown, unknown>([
        [1n, new Set(['x'])],
        ['d', new Date(0)],
      ]),
    ],
    [[Number.NaN, -Infinity, 1e300, 12345678901234567890n]],
    [{ text: 'it\'s "x" \\ \n \u2028 \u202e \ud800' }],
    [[/a\/[/]b/gi, new URL('https://example.com/?q#h')]],
    [new Uint8Array([0, 255])],
    [{ n: new Float64Array([1.5, -0]), b: new BigInt64Array([-1n]), v: new Uint8Array([1]).buffer }],
    [new KvU64(2n ** 64n - 1n)],
  ])('%o is parsed back and sent unchanged', (value) => {
    for (const lines of [false, true]) expect(parseNotation(notationOf(value, { lines }))).toEqual(value)
    const crossed = JSON.parse(jsonText(valueJson(value)))
    expect(rowOf({ repository: null, key: [], ...crossed }).value).toEqual(value)
  })

  it.each([
    'alert(1)',
    'new Function("x")',
    '`x`',
    '{ a: b }',
    '[1',
    "'",
    'new Date("x")',
    '(() => 1)()',
    'constructor',
  ])('runs nothing, and says what is wrong: %s', (text) => {
    expect(() => parseNotation(text)).toThrow(/\w+ \w+/)
  })
})

it('ends, and frees its port', async () => {
  const { file } = await shelf()
  const studio = await openStudio(file)
  await studio[Symbol.asyncDispose]()
  await expect(askRaw(studio, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  const port = Number(new URL(studio.url).port)
  const again = await open(file, { port })
  await expect(openStudio(file, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  expect((await ask(again, 'catalog')).status).toBe(200)
  rmSync(file)
})
