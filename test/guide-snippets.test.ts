import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type Key, KvU64, Valkeyrie } from 'valkeyrie'
import { KvU64 as KvU64OfSubpath } from 'valkeyrie/KvU64'
import { beforeEach, expect, expectTypeOf, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { stillClock } from './still-clock.ts'
import { temporaryFolder } from './temporary-folder.ts'

const path = temporaryFolder()

const open = () => Valkeyrie.open()
let db: Awaited<ReturnType<typeof open>>
beforeEach(async () => {
  db = await open()
  onTestFinished(() => db.close())
})

it('watches a key in a loop: the state now, then each change', async () => {
  const seen: unknown[] = []
  for await (const [entry] of db.watch([['lamp']])) {
    expect(entry.key).toEqual(['lamp'])
    seen.push(entry.value)
    if (entry.value === null) await db.set(['lamp'], 'on')
    else if (entry.value === 'on') await db.set(['lamp'], 'off')
    else break
  }
  expect(seen).toEqual([null, 'on', 'off'])
})

it('reads a watch through its reader', async () => {
  const reader = db.watch([['level']]).getReader()
  const read = async () => (await reader.read()).value?.[0].value
  expect(await read()).toBeNull()
  await db.set(['level'], 7)
  expect(await read()).toBe(7)
  await db.delete(['level'])
  expect(await read()).toBeNull()
  await reader.cancel()
  expect(await reader.read()).toEqual({ done: true, value: undefined })
})

it('types a watch of several keys one by one', async () => {
  await using typed = await Valkeyrie.withSchema(['cats', '*'], z.object({ lives: z.int() }))
    .withSchema(['dogs', '*'], z.object({ tricks: z.array(z.string()) }))
    .open()
  await typed
    .atomic()
    .set(['cats', 'tom'], { lives: 9 })
    .set(['dogs', 'rex'], { tricks: ['sit'] })
    .commit()
  for await (const [cat, dog] of typed.watch([
    ['cats', 'tom'],
    ['dogs', 'rex'],
  ])) {
    expectTypeOf(cat.value).toEqualTypeOf<{ lives: number } | null>()
    expectTypeOf(dog.value).toEqualTypeOf<{ tricks: string[] } | null>()
    expect([cat.value?.lives, dog.value?.tricks]).toEqual([9, ['sit']])
    break
  }
})

it('ends a loop over a watch when its reader is cancelled by a timer, and when the database is closed', async () => {
  const reader = db.watch([['quiet']]).getReader()
  await reader.read()
  setTimeout(() => reader.cancel(), 5)
  expect((await reader.read()).done).toBe(true)

  let rounds = 0
  for await (const _ of db.watch([['quiet']])) {
    rounds += 1
    queueMicrotask(() => db.close())
  }
  expect(rounds).toBe(1)
  const late = async () => Array.fromAsync(db.watch([['quiet']]))
  await expect(late()).rejects.toThrow('Database is closed')
})

it('tells who is online of several presence keys', async () => {
  const keys = ['ann', 'ben'].map((name) => ['presence', name])
  await db.set(['presence', 'ben'], { online: true, lastSeen: Date.now() })
  for await (const entries of db.watch(keys)) {
    const online = entries.filter(({ value }) => (value as { online?: boolean } | null)?.online)
    expect(online.map(({ key }) => key[1])).toEqual(['ben'])
    break
  }
})

it('commits sets and deletes together, and gives their versionstamp', async () => {
  await db.set(['temporary'], 1)
  const result = await db.atomic().set(['a'], 1).set(['b'], 2).delete(['temporary']).commit()
  if (!result.ok) throw new Error('there was nothing to conflict with')
  const entries = await db.getMany([['a'], ['b'], ['temporary']])
  expect(entries.map(({ value }) => value)).toEqual([1, 2, null])
  expect(entries.map(({ versionstamp }) => versionstamp)).toEqual([
    result.versionstamp,
    result.versionstamp,
    null,
  ])
})

it('refuses the second of two who have read the same version', async () => {
  await db.set(['points'], 100)
  const mine = await db.get(['points'])
  const yours = await db.get(['points'])
  const write = ({ versionstamp }: typeof mine, points: number) =>
    db
      .atomic()
      .check({ key: ['points'], versionstamp })
      .set(['points'], points)
      .commit()
  expect((await write(mine, 110)).ok).toBe(true)
  expect((await write(yours, 105)).ok).toBe(false)
  expect((await db.get(['points'])).value).toBe(110)
})

it('loses no update of those that check, and try again', async () => {
  const add = async (amount: number): Promise<void> => {
    for (;;) {
      const { key, value, versionstamp } = await db.get(['sum'])
      const result = await db
        .atomic()
        .check({ key, versionstamp })
        .set(key, Number(value ?? 0) + amount)
        .commit()
      if (result.ok) return
    }
  }
  await Promise.all([1, 2, 3, 4, 5].map(add))
  expect((await db.get(['sum'])).value).toBe(15)
})

it('checks several keys: one that has changed stops the commit', async () => {
  await db.set(['left'], 1)
  await db.set(['right'], 1)
  const [left, right] = await db.getMany([['left'], ['right']])
  await db.set(['right'], 2)
  const result = await db.atomic().check(left).check(right).set(['left'], 9).set(['right'], 9).commit()
  expect(result).toMatchObject({ ok: false, conflicts: [{ key: ['right'] }] })
  expect((await db.get(['left'])).value).toBe(1)
})

it('sums, and keeps the larger and the smaller, of a KvU64 from its own subpath', async () => {
  expect(KvU64OfSubpath).toBe(KvU64)
  await db.set(['hits'], new KvU64OfSubpath(0n))
  await db.atomic().sum(['hits'], 5n).sum(['hits'], -2n).commit()
  await db.atomic().max(['top'], 1_000n).min(['price'], 50n).commit()
  await db.atomic().max(['top'], 900n).min(['price'], 60n).commit()
  const entries = await db.getMany([['hits'], ['top'], ['price']])
  expect(entries.map(({ value }) => (value as KvU64).value)).toEqual([3n, 1_000n, 50n])
})

it('gives a counter that expires while it counts no new lease of life', async () => {
  const clock = stillClock()
  await db.set(['window'], new KvU64(0n), { expireIn: 400 })
  await db.atomic().sum(['window'], 1n).commit()
  const values: unknown[] = []
  for await (const [{ value }] of db.watch([['window']])) {
    values.push((value as KvU64 | null)?.value)
    if (value === null) break
    clock.advance(400)
  }
  expect(values).toEqual([1n, undefined])
})

it('shares a file between two databases, with versionstamps that grow across both', async () => {
  const file = path()
  await using one = await Valkeyrie.open(file)
  await using two = await Valkeyrie.open(file)
  const first = await one.set(['key'], 'of one')
  const second = await two.set(['key'], 'of two')
  expect(second.versionstamp > first.versionstamp).toBe(true)
  expect((await one.get(['key'])).value).toBe('of two')
})

it('claims a listed item for one of those who want it', async () => {
  await db.set(['jobs', 1], 'sweep')
  const claim = async (worker: string) => {
    const [job] = await Array.fromAsync(db.list({ prefix: ['jobs'] }, { limit: 1 }))
    if (job === undefined) return false
    const result = await db.atomic().check(job).delete(job.key).set(['taken', worker], job.value).commit()
    return result.ok
  }
  const claims = await Promise.all([claim('a'), claim('b'), claim('c')])
  expect(claims.filter((claimed) => claimed)).toHaveLength(1)
  expect(await Array.fromAsync(db.list({ prefix: ['jobs'] }))).toEqual([])
  const taken = await Array.fromAsync(db.list({ prefix: ['taken'] }), ({ value }) => value)
  expect(taken).toEqual(['sweep'])
})

it('expires a session, and prolongs it by setting it again', async () => {
  await db.set(['sessions', 's'], { user: 'ann' }, { expireIn: 30 })
  await db.set(['sessions', 't'], { user: 'ben' }, { expireIn: 30 })
  await db.set(['sessions', 't'], { user: 'ben' }, { expireIn: 60_000 })
  for await (const [{ value }] of db.watch([['sessions', 's']])) if (value === null) break
  const left = await Array.fromAsync(db.list({ prefix: ['sessions'] }), ({ key }) => key[1])
  expect(left).toEqual(['t'])
})

it('lists events in the order of their times, and deletes a prefix in a loop', async () => {
  for (const time of [30, 10, 20]) await db.set(['events', 'order', time, `id-${time}`], { time })
  const times = await Array.fromAsync(db.list({ prefix: ['events', 'order'] }), ({ key }) => key[2])
  expect(times).toEqual([10, 20, 30])
  for await (const { key } of db.list({ prefix: ['events'] })) await db.delete(key)
  expect(await Array.fromAsync(db.list({ prefix: ['events'] }))).toEqual([])
})

it('writes a batch in one commit', async () => {
  const batch = db.atomic()
  for (let n = 0; n < 500; n++) batch.set(['items', n], { n })
  expect(await batch.commit()).toMatchObject({ ok: true })
  const stamps = await Array.fromAsync(db.list({ prefix: ['items'] }), ({ versionstamp }) => versionstamp)
  expect([stamps.length, new Set(stamps).size]).toEqual([500, 1])
})

it('watches until a value says stop or the time is up, and may cancel once more', async () => {
  async function follow(key: Key, patience: number): Promise<unknown[]> {
    const reader = db.watch([key]).getReader()
    let timer: NodeJS.Timeout | undefined
    const seen: unknown[] = []
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return seen
        const [entry] = value
        seen.push(entry.value)
        timer ??= setTimeout(() => reader.cancel(), patience)
        if (entry.value === 'stop') return seen
        if (entry.value === 'go') await db.set(key, 'stop')
      }
    } finally {
      clearTimeout(timer)
      await reader.cancel()
    }
  }
  await db.set(['light'], 'go')
  expect(await follow(['light'], 60_000)).toEqual(['go', 'stop'])
  expect(await follow(['dark'], 5)).toEqual([null])
})

it('shows figures of this process on a board that is written by a timer', async () => {
  let requests = 0
  const measure = async () => {
    await db.set(['figures', 'cpu'], process.cpuUsage())
    await db.set(['figures', 'memory'], process.memoryUsage())
    await db.set(['figures', 'requests'], ++requests)
  }
  let measured = Promise.resolve()
  const timer = setInterval(() => {
    measured = measured.then(measure)
  }, 1)
  const names = ['cpu', 'memory', 'requests']
  const boards: unknown[][] = []
  for await (const figures of db.watch(names.map((name) => ['figures', name]))) {
    boards.push(figures.map(({ value }) => value))
    if (requests > 3 && figures.every(({ value }) => value !== null)) break
  }
  clearInterval(timer)
  await measured
  expect(boards[0]).toEqual([null, null, null])
  expect(boards.at(-1)).toEqual([
    { user: expect.any(Number), system: expect.any(Number) },
    expect.objectContaining({ heapUsed: expect.any(Number), rss: expect.any(Number) }),
    expect.any(Number),
  ])
})

it('lets a stream be cancelled after its loop, and a reader that waits when the database is closed', async () => {
  const stream = db.watch([['bell']])
  try {
    for await (const [bell] of stream) if (bell.value === null) break
  } finally {
    await stream.getReader().cancel()
  }

  const reader = db.watch([['bell']]).getReader()
  await reader.read()
  const waiting = reader.read()
  await reader.cancel()
  await db.close()
  expect((await waiting).done).toBe(true)
})

it('answers every call with the same message once it is closed', async () => {
  await db.close()
  const calls = [
    () => db.get(['k']),
    () => db.getMany([['k']]),
    () => db.set(['k'], 1),
    () => db.delete(['k']),
    () => db.atomic().set(['k'], 1).commit(),
    () => Array.fromAsync(db.list({ prefix: ['k'] })),
    async () => {
      for await (const _ of db.watch([['k']]));
    },
  ]
  for (const call of calls) await expect(call()).rejects.toThrow(/^Database is closed$/)
  await db.close()
})

it('creates, updates and deletes in one commit, and overwrites what is set without a check', async () => {
  await db.set(['sketches', 's1'], 'On rain')
  await db.set(['writers', 'ann', 'essays'], 4)
  const result = await db
    .atomic()
    .set(['essays', 'e1'], { title: 'On rain' })
    .set(['writers', 'ann', 'essays'], 5)
    .delete(['sketches', 's1'])
    .commit()
  expect(result).toEqual({ ok: true, versionstamp: expect.stringMatching(/^[0-9a-f]{20}$/) })
  expect(await Array.fromAsync(db.list({ prefix: [] }), ({ key, value }) => [key.join(), value])).toEqual([
    ['essays,e1', { title: 'On rain' }],
    ['writers,ann,essays', 5],
  ])

  const [mine, yours] = [
    await db.get(['writers', 'ann', 'essays']),
    await db.get(['writers', 'ann', 'essays']),
  ]
  await db.set(mine.key, Number(mine.value) + 10)
  await db.set(yours.key, Number(yours.value) + 1)
  expect((await db.get(['writers', 'ann', 'essays'])).value).toBe(6)
})

it('gives up an update after as many tries as it is allowed', async () => {
  async function add(key: Key, amount: number, tries: number, meanwhile?: () => Promise<unknown>) {
    for (let tried = 0; tried < tries; tried++) {
      const { value, versionstamp } = await db.get(key)
      await meanwhile?.()
      const sum = ((value as number | null) ?? 0) + amount
      const { ok } = await db.atomic().check({ key, versionstamp }).set(key, sum).commit()
      if (ok) return true
      await delay(2 ** tried)
    }
    return false
  }
  expect(await add(['tally'], 3, 1)).toBe(true)
  expect(await add(['tally'], 3, 3, () => db.set(['tally'], 100))).toBe(false)
  let disturbances = 2
  expect(await add(['tally'], 3, 3, async () => disturbances-- > 0 && db.set(['tally'], disturbances))).toBe(
    true,
  )
  expect((await db.get(['tally'])).value).toBe(3)
})

it('counts up and down behind a class, from a key that is not there', async () => {
  class Tally {
    readonly db: Valkeyrie
    readonly key: Key

    constructor(db: Valkeyrie, key: Key) {
      this.db = db
      this.key = key
    }

    add = (n = 1n) => this.db.atomic().sum(this.key, n).commit()
    take = (n = 1n) => this.db.atomic().sum(this.key, -n).commit()
    clear = () => this.db.set(this.key, new KvU64OfSubpath(0n))
    read = async () => ((await this.db.get(this.key)).value as KvU64 | null)?.value ?? 0n
  }
  const views = new Tally(db, ['tallies', 'views'])
  expect(await views.read()).toBe(0n)
  await Promise.all(Array.from({ length: 20 }, () => views.add()))
  await views.add(5n)
  await views.take()
  await views.take(4n)
  expect(await views.read()).toBe(20n)
  await views.clear()
  expect(await views.read()).toBe(0n)
  await expect(views.take()).rejects.toThrow(RangeError)
})

it('admits so many of a window that expires, counted up step by step', async () => {
  async function mayPass(client: string, most: bigint, window: number): Promise<boolean> {
    const key = ['passes', client]
    if ((await db.get(key)).value === null) await db.set(key, new KvU64(0n), { expireIn: window })
    await db.atomic().sum(key, 1n).commit()
    const { value } = await db.get(key)
    return (value as KvU64).value <= most
  }
  const answers: boolean[] = []
  for (let n = 0; n < 5; n++) answers.push(await mayPass('ann', 3n, 60_000))
  expect(answers).toEqual([true, true, true, false, false])

  await db.set(['passes', 'ben'], new KvU64(3n), { expireIn: 20 })
  for await (const [{ value }] of db.watch([['passes', 'ben']])) if (value === null) break
  expect(await mayPass('ben', 3n, 60_000)).toBe(true)
})

it('lets worker threads write to one file, each under numbers of its own', async () => {
  const file = path()
  await using shared = await Valkeyrie.open(file)
  const program = new URL('processes/fixtures/thread-presence.ts', import.meta.url)
  const workers = Array.from({ length: 3 }, () => new Worker(program, { workerData: file, execArgv: [] }))
  const ids = workers.map(({ threadId }) => threadId)
  const codes = await Promise.all(workers.map((worker) => once(worker, 'exit')))
  expect(codes.flat()).toEqual([0, 0, 0])
  const written = await Array.fromAsync(
    shared.list({ prefix: ['thread', process.pid] }),
    ({ key, value }) => ({
      key,
      value,
    }),
  )
  expect(written).toEqual(
    ids.map((id) => ({
      key: ['thread', process.pid, id],
      value: { process: process.pid, state: 'at work' },
    })),
  )
  expect((await shared.get(['threads'])).value).toEqual(new KvU64(3n))
})

it('empties a queue with several takers, each job done by one of them', async () => {
  const jobs = Array.from({ length: 12 }, (_, n) => `job ${n}`)
  for (const [n, job] of jobs.entries()) await db.set(['waiting', n], job)
  const done: string[] = []
  async function takeAll(taker: string): Promise<void> {
    for (;;) {
      const [job] = await Array.fromAsync(db.list({ prefix: ['waiting'] }, { limit: 1 }))
      if (job === undefined) return
      const claim = db.atomic().check({ key: job.key, versionstamp: job.versionstamp }).delete(job.key)
      const { ok } = await claim.set(['at work', taker], job.value).commit()
      if (!ok) continue
      done.push(job.value as string)
      await db.delete(['at work', taker])
    }
  }
  await Promise.all(['x', 'y', 'z'].map(takeAll))
  expect(done.toSorted()).toEqual(jobs.toSorted())
  expect(await Array.fromAsync(db.list({ prefix: [] }))).toEqual([])
})

it('keeps logins for a day, prolongs and ends them', async () => {
  const day = 24 * 60 * 60 * 1_000
  const token = crypto.randomUUID()
  const prolong = async (token: string) => {
    const { key, value } = await db.get(['logins', token])
    if (value === null) return false
    await db.set(key, value, { expireIn: day })
    return true
  }
  await db.set(['logins', token], { user: 'ann', since: Date.now(), cart: { tea: 2 } }, { expireIn: day })
  expect((await db.get(['logins', token])).value).toMatchObject({ user: 'ann', cart: { tea: 2 } })
  expect([await prolong(token), await prolong('unknown')]).toEqual([true, false])
  await db.delete(['logins', token])
  expect((await db.get(['logins', token])).value).toBeNull()
  expect(await prolong(token)).toBe(false)
})

it('fetches what a store of copies does not have, and forgets one copy or all below a prefix', async () => {
  const below = (...rest: Key) => ['copies', 'pages', ...rest]
  let fetched = 0
  async function page(id: number, language: string): Promise<unknown> {
    const { value } = await db.get(below(language, id))
    if (value !== null) return value
    fetched += 1
    const fresh = { id, language }
    await db.set(below(language, id), fresh, { expireIn: 300_000 })
    return fresh
  }
  const readAll = () => Promise.all([page(1, 'en'), page(2, 'en'), page(1, 'fr')])
  expect(await readAll()).toEqual(await readAll())
  expect(fetched).toBe(3)
  await db.delete(below('en', 1))
  await readAll()
  expect(fetched).toBe(4)
  for await (const { key } of db.list({ prefix: below('en') })) await db.delete(key)
  await readAll()
  expect(fetched).toBe(6)
})

it('appends events under time and id, reads them in order through a generator, and sums them up', async () => {
  async function append(stream: string, time: number, amount: number): Promise<void> {
    const id = crypto.randomUUID()
    await db.set(['ledger', stream, time, id], { amount, time, id })
  }
  async function* amounts(stream: string) {
    for await (const { value } of db.list({ prefix: ['ledger', stream] }))
      yield (value as { amount: number }).amount
  }
  const now = Date.now()
  await Promise.all([
    append('a', now, 10),
    append('a', now + 2, -3),
    append('a', now + 1, 5),
    append('b', now, 99),
  ])
  expect(await Array.fromAsync(amounts('a'))).toEqual([10, 5, -3])

  expect((await db.get(['sums', 'a'])).value).toBeNull()
  await db.set(['sums', 'a'], { sum: 12, until: now + 2 })
  expect((await db.get(['sums', 'a'])).value).toEqual({ sum: 12, until: now + 2 })
})

it('reads through a Map that is keyed by the text of a key', async () => {
  const memory = new Map<string, unknown>()
  let reads = 0
  async function lookUp(key: Key): Promise<unknown> {
    const text = JSON.stringify(key)
    if (memory.has(text)) return memory.get(text)
    reads += 1
    const { value } = await db.get(key)
    if (value !== null) memory.set(text, value)
    return value
  }
  await db.set(['rooms', 7], { beds: 2 })
  expect([await lookUp(['rooms', 7]), await lookUp(['rooms', 7])]).toEqual([{ beds: 2 }, { beds: 2 }])
  expect([await lookUp(['rooms', 8]), await lookUp(['rooms', 8])]).toEqual([null, null])
  expect(reads).toBe(3)
  await db.set(['rooms', 7], { beds: 3 })
  memory.delete(JSON.stringify(['rooms', 7]))
  expect(await lookUp(['rooms', 7])).toEqual({ beds: 3 })
})

it('opens one file again and again, hands the connections round, and closes them together', async () => {
  const file = path()
  const spare: Valkeyrie[] = []
  const lend = async () => spare.pop() ?? (await Valkeyrie.open(file))
  const lent = await Promise.all([lend(), lend(), lend()])
  await Promise.all(lent.map((one, n) => one.set(['desks', n], n)))
  for (const one of lent) expect(await Array.fromAsync(one.list({ prefix: ['desks'] }))).toHaveLength(3)
  spare.push(...lent)
  expect(lent).toContain(await lend())
  await Promise.all(lent.map((one) => one.close()))
  await expect(lent[0]!.get(['desks', 0])).rejects.toThrow('Database is closed')
})
