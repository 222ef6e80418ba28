import { AsyncLocalStorage } from 'node:async_hooks'
import { Channel, channel, tracingChannel } from 'node:diagnostics_channel'
import { type TracedCommit, Valkeyrie } from 'valkeyrie'
import { afterEach, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../temporary-folder.ts'

const inFolder = temporaryFolder()
const phases = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
const traced = ['call', 'query', 'commit'] as const
const plain = ['conflict', 'retry', 'wait'] as const
const names = [
  ...traced.flatMap((name) => phases.map((phase) => `tracing:valkeyrie:${name}:${phase}`)),
  ...plain.map((name) => `valkeyrie:${name}`),
]
const secret = 'sesame'

type Message = Readonly<Record<string, unknown>>

const stops: (() => void)[] = []
afterEach(() => {
  vi.restoreAllMocks()
  for (const stop of stops.splice(0)) stop()
})

/** Every message of every channel from now on: as it is when it is published. */
function listen(...only: readonly string[]): { readonly name: string; readonly message: Message }[] {
  const told: { name: string; message: Message }[] = []
  for (const name of only.length > 0 ? only : names) {
    const listener = (message: unknown) => void told.push({ name, message: { ...(message as Message) } })
    channel(name).subscribe(listener)
    stops.push(() => channel(name).unsubscribe(listener))
  }
  return told
}

const user = z.object({ name: z.string(), age: z.int(), tags: z.array(z.string()) })
const open = (path?: string) =>
  Valkeyrie.withSchema(['users', '*'], user, { indexes: [{ on: 'age' }] })
    .withSchema(['users', '*', 'posts', '*'], z.object({ title: z.string() }), { name: 'posts' })
    .open(path)

const ends = (told: readonly { readonly name: string; readonly message: Message }[], name: string) =>
  told
    .filter((one) => one.name === `tracing:valkeyrie:${name}:asyncEnd`)
    .map(({ message: { duration, took, ...rest } }) => {
      expect(duration).toBeTypeOf('number')
      return rest
    })

/** Does some of everything: each channel reports it. */
async function work(path: string): Promise<void> {
  await using db = await open(path)
  await using other = await open(path)
  const { users } = db.repositories
  const value = { name: secret, age: 41, tags: [secret] }
  await users.insert(secret, value)
  await users.insert(secret, value).catch(() => {})
  await users.set('bob', { name: 'x', age: 1, tags: [] })
  await db.get(['users', secret])
  await db.set([secret, 1], { secret })
  await users.findMany({
    where: { name: secret, OR: [{ age: { gt: 3 } }, { tags: { arrayContains: [secret] } }] },
  })
  await users.findMany({ where: { name: { startsWith: secret } }, with: { posts: { limit: 3 } } })
  await users.aggregate({ where: { age: { in: [41, 2] } }, sum: 'age', groupBy: 'name' })
  await users.count({ where: { age: { gte: 7 } } })
  for await (const _ of users.list({ prefix: [] })) break
  await db
    .atomic()
    .check({ key: ['users', secret], versionstamp: null })
    .set([secret], 1)
    .commit()
  await users.updateMany({ where: { name: secret }, set: { age: 8 } })
  let runs = 0
  await db.unitOfWork(async ({ repositories }) => {
    const { value } = await repositories.users.get(secret)
    runs += 1
    if (runs <= 3) await other.repositories.users.update(secret, { age: 100 + runs })
    if (value !== null) value.age = 1
  })
  await db.snapshot((view) => view.repositories.users.getMany([secret, 'nobody']))
  await db.stats()
  await db.clear()
}

it('publishes nothing, and makes nothing, while nobody listens', async () => {
  const publish = vi.spyOn(Channel.prototype, 'publish')
  const runStores = vi.spyOn(Channel.prototype, 'runStores')
  await work(inFolder())
  const used = [...publish.mock.contexts, ...runStores.mock.contexts] as Channel[]
  const own = used.filter(({ name }) => names.includes(String(name)))
  expect(own).toEqual([])
  vi.restoreAllMocks()
  // The same work makes every channel report something as soon as somebody listens: all of its phases, except for a thrown call.
  const told = listen()
  await work(inFolder())
  expect([...new Set(told.map(({ name }) => name))].sort()).toEqual(
    names.filter((name) => !/:(query|commit):error$/.test(name)).sort(),
  )
})

it('reports no value and no part of a key, whatever is called', async () => {
  const told = listen()
  await work(inFolder())
  expect(told.length).toBeGreaterThan(50)
  expect(JSON.stringify(told, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))).not.toContain(
    secret,
  )
})

it('reports each call once: its method, its repository, how many rows, and what has failed', async () => {
  const path = inFolder()
  await using db = await open(path)
  const { users } = db.repositories
  const told = listen()
  const value = { name: 'Ada', age: 41, tags: [] }
  await users.insert('ada', value)
  await users.insert('ada', value).catch(() => {})
  await users.create(value)
  await users.findMany({ where: { age: 41 } })
  await users.findFirst({ where: { age: 42 } })
  await users.findPage({ limit: 1 })
  await users.prepare({ where: { age: 41 } }).execute()
  await users.updateMany({ where: { age: 41 }, set: { age: 42 } })
  await users.get('nobody')
  await users.count()
  await db.getMany([['users', 'ada']])
  await db.atomic().set(['a'], 1).commit()
  await db.unitOfWork(({ repositories }) => repositories.users.delete('ada')).catch(() => {})
  const of = { database: path, repository: 'users', pattern: ['users', '*'] }
  const database = { database: path, repository: null, pattern: null }
  expect(ends(told, 'call')).toEqual([
    { ...of, call: 'insert' },
    { ...of, call: 'insert', errorType: 'KEY_EXISTS' },
    { ...of, call: 'create' },
    { ...of, call: 'findMany', rows: 2 },
    { ...of, call: 'findFirst', rows: 0 },
    { ...of, call: 'findPage', rows: 1 },
    { ...of, call: 'execute', rows: 2 },
    { ...of, call: 'updateMany', rows: 2 },
    { ...of, call: 'get', rows: 0 },
    { ...of, call: 'count' },
    { ...database, call: 'getMany', rows: 1 },
    { ...database, call: 'commit' },
    { ...of, call: 'delete' },
    { ...database, call: 'unitOfWork' },
  ])
})

it('reports a query by its shape', async () => {
  const path = inFolder()
  await using db = await open(path)
  const { users } = db.repositories
  await users.set('ada', { name: 'Ada', age: 41, tags: ['a'] })
  const told = listen()
  await users.findMany({
    where: { age: { gte: 18 }, name: { like: 'A%' } },
    orderBy: { name: 'desc' },
    limit: 5,
  })
  await users.findMany({
    where: {
      NOT: { OR: [{ age: { in: [1] } }, { name: { isNull: true } }] },
      tags: { arrayContains: ['a'] },
    },
    with: { posts: { limit: 2 } },
  })
  await users.aggregate({
    sum: 'age',
    groupBy: 'name',
    having: { sum: { age: { gt: 1 } } },
    orderBy: { sum: { age: 'desc' } },
  })
  await users.count({ where: { name: { icontains: 'd', endsWith: 'a' } } })
  await users.count({ where: { $id: { gte: 'a' } } })
  await Array.fromAsync(users.list({}, { reverse: true }))
  await Array.fromAsync(db.list({ prefix: ['users'] }))
  const shapes = ends(told, 'query').map(({ query, repository, shape, rows }) => [
    query,
    repository,
    shape,
    rows,
  ])
  expect(shapes).toMatchInlineSnapshot(`
    [
      [
        "find",
        "users",
        "where (age gte ? and name like ?) order by name desc limit ?",
        1,
      ],
      [
        "find",
        "users",
        "where (not (age in ? or name isNull) and tags arrayContains ?)",
        1,
      ],
      [
        "related",
        "posts",
        "below ? limit ?",
        0,
      ],
      [
        "aggregate",
        "users",
        "sum(age) group by name having sum(age) gt ? order by sum(age) desc",
        1,
      ],
      [
        "count",
        "users",
        "where (name icontains ? and name endsWith ?)",
        1,
      ],
      [
        "count",
        "users",
        "where $id gte ?",
        1,
      ],
      [
        "scan",
        "users",
        "range ? reverse limit ?",
        1,
      ],
      [
        "scan",
        null,
        "range ? limit ?",
        1,
      ],
    ]
  `)
})

it('runs what follows a start in the context that a subscriber gives, for calls and units of work', async () => {
  await using db = await open()
  const storage = new AsyncLocalStorage<string>()
  const seen: (string | undefined)[] = []
  const calls = tracingChannel<Message & { run?: unknown }>('valkeyrie:call')
  const start = (message: unknown) => {
    const { call, run } = message as { call: string; run?: <T>(begin: () => T) => T }
    const path = [storage.getStore(), call].filter(Boolean).join(' > ')
    const own = <T>(begin: () => T): T => storage.run(path, () => (run === undefined ? begin() : run(begin)))
    Object.assign(message as object, { run: own })
  }
  calls.start.subscribe(start)
  stops.push(() => calls.start.unsubscribe(start))
  await db.unitOfWork(async ({ repositories: { users } }) => {
    seen.push(storage.getStore())
    await users.set('ada', { name: 'Ada', age: 1, tags: [] })
    await users.update('ada', (value) => {
      seen.push(storage.getStore())
      return value
    })
    seen.push(storage.getStore())
  })
  expect(seen).toEqual(['unitOfWork', 'unitOfWork > update', 'unitOfWork'])
  expect(storage.getStore()).toBeUndefined()
})

it('reports conflicts, retries and waits', async () => {
  const path = inFolder()
  await using db = await open(path)
  await using other = await open(path)
  const told = listen('valkeyrie:conflict', 'valkeyrie:retry', 'valkeyrie:wait')
  let runs = 0
  await db.unitOfWork(async ({ repositories: { users } }) => {
    await users.get('ada')
    runs += 1
    if (runs === 1) await other.repositories.users.set('ada', { name: 'Ada', age: runs, tags: [] })
    await users.set('ada', { name: 'Ada', age: 0, tags: [] })
  })
  const waited = expect.any(Number)
  expect(told.map(({ name, message }) => [name, message])).toEqual([
    ['valkeyrie:conflict', { database: path, keys: 1, repositories: ['users'] }],
    ['valkeyrie:wait', { database: path, for: 'retry', duration: waited }],
    ['valkeyrie:retry', { database: path, attempt: 1 }],
  ])
})

it('reports a conflict over a damaged key of the log, which changes nothing', async () => {
  const outcome = async () => {
    const path = inFolder()
    await using db = await open(path)
    await db.set(['a'], 0)
    let runs = 0
    await db.unitOfWork(async (unit) => {
      for await (const _ of unit.list({ prefix: [] }));
      runs += 1
      if (runs === 1)
        db.drizzle.$client.exec("INSERT INTO kv_log SELECT max(version) + 1, 0, x'01020261' FROM kv_log")
      await unit.set(['a'], runs)
    })
    return [runs, (await db.get(['a'])).value]
  }
  const unheard = await outcome()
  const told = listen('valkeyrie:conflict')
  expect(await outcome()).toEqual(unheard)
  expect(unheard).toEqual([2, 2])
  expect(told.map(({ message }) => message['repositories'])).toEqual([[null]])
})

it('reports a wait for the lock of another connection', async () => {
  const path = inFolder()
  await using db = await open(path)
  const { default: Database } = await import('better-sqlite3')
  const holder = new Database(path)
  const told = listen('valkeyrie:wait')
  holder.exec('BEGIN IMMEDIATE')
  const begun = new Promise((resolve) => {
    channel('tracing:valkeyrie:commit:start').subscribe(resolve)
    stops.push(() => channel('tracing:valkeyrie:commit:start').unsubscribe(resolve))
  })
  const write = db.set(['a'], 1)
  // It is tried in the same turn, in vain.
  await begun
  await new Promise((resolve) => setImmediate(resolve))
  holder.exec('COMMIT')
  holder.close()
  await write
  expect(told.map(({ message }) => message)).toEqual([
    { database: path, for: 'lock', duration: expect.any(Number) },
  ])
})

it('reports a transaction and the outcomes of its writes', async () => {
  const path = inFolder()
  await using db = await open(path)
  const told = listen()
  await Promise.all([
    db.set(['a'], 1),
    db.delete(['b']),
    db
      .atomic()
      .check({ key: ['a'], versionstamp: '0000000000000000000a' })
      .set(['c'], 1)
      .commit(),
  ])
  // If the turn has already lasted long, they are committed in several transactions.
  const commits = ends(told, 'commit') as unknown as TracedCommit[]
  const sum = (of: (commit: TracedCommit) => number | undefined) =>
    commits.reduce((total, commit) => total + (of(commit) ?? 0), 0)
  expect([sum(({ writes }) => writes), sum((it) => it.conflicts), sum((it) => it.failures)]).toEqual([
    3, 1, 0,
  ])
  expect([sum(({ mutations }) => mutations['set']), sum(({ mutations }) => mutations['delete'])]).toEqual([
    2, 1,
  ])
  expect(new Set(commits.map(({ database }) => database))).toEqual(new Set([path]))
})
