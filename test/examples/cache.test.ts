import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { Cache, type CacheId, openCachedValues } from '../../examples/cache/cache.ts'
import { startChild } from '../concurrency/child.ts'
import { randomOf, seedOfThisRun } from '../concurrency/random.ts'
import { stillClock } from '../still-clock.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { enginesOf, runExample } from './run-example.ts'

const path = temporaryFolder()
const times = { ttl: 60_000, lease: 60_000 }
const id: CacheId = ['group', 'key']

/** A cache over a file, as another process would have it too. */
async function openCache<V>(values: z.ZodType<V, V>, file: string | undefined, cacheTimes = times) {
  const db = await openCachedValues(values, file)
  return {
    db,
    cache: new Cache(db, cacheTimes),
    [Symbol.asyncDispose]: () => db.close(),
  }
}

/** A fetch that stays open until the test ends it, and a count of those that have begun. */
function pendingFetch<V>() {
  const begun = Promise.withResolvers<AbortSignal>()
  const { promise, resolve, reject } = Promise.withResolvers<V>()
  let count = 0
  const fetch = (signal: AbortSignal) => {
    count += 1
    begun.resolve(signal)
    return promise
  }
  return { fetch, begun: begun.promise, resolve, reject, count: () => count }
}

it.each(enginesOf('cache'))(
  'fetches once for many, survives a death, caches null, and drops what was invalidated, on %s',
  async (engine) => {
    const lines = (await runExample('cache', engine)).trimEnd().split('\n')
    expect(lines).toEqual([
      '4 processes asked 10 times each, all at once: 1 fetch',
      'A process died of SIGKILL while it fetched; the next asked when its lease was over: 4 °C',
      'There is no forecast (null), and that is cached as well: { value: null }',
      'While Oslo is fetched, all of Oslo is invalidated: 2 rows',
      'Who asked before gets -40 °C, and cached is null',
    ])
  },
)

it('fetches once for all that miss a key at the same time, in four processes', async () => {
  const children = Array.from({ length: 4 }, () =>
    startChild('examples/programs/cache-asker.ts', { path: path('once.db'), questions: 10, lease: 60_000 }),
  )
  for (const child of children) expect(await child.message()).toBe('ready')
  for (const child of children) child.send('ask')
  // All have looked, and found nothing, before the first answer is there.
  for (const child of children) expect(await child.message()).toHaveProperty('asking')
  for (const child of children) child.send('answer')

  interface Report {
    readonly fetches: number
    readonly answers: readonly string[]
  }
  const reports: Report[] = []
  for (const child of children) {
    let message = await child.message<Report | { readonly fetching: number }>()
    while ('fetching' in message) message = await child.message<Report | { readonly fetching: number }>()
    reports.push(message)
    expect(await child.ended).toEqual([0, null])
  }
  expect(reports.reduce((sum, { fetches }) => sum + fetches, 0)).toBe(1)
  const answers = reports.flatMap((report) => report.answers)
  expect(answers).toHaveLength(40)
  expect(new Set(answers).size).toBe(1)
})

it('waits for a process that is killed while it fetches until its lease is over, and no longer', async () => {
  const file = path('killed.db')
  const lease = 1_000
  // Its own lease must not be over before a slow process has looked at it.
  await using here = await openCache(z.string(), file, { ttl: 60_000, lease: 600_000 })
  const child = startChild('examples/programs/cache-asker.ts', { path: file, questions: 1, lease })
  await child.message()
  child.send('ask')
  const { asking } = await child.message<{ readonly asking: number }>()
  expect(await child.message()).toEqual({ fetching: child.process.pid })

  const fetches: number[] = []
  const answers = Array.from({ length: 10 }, () =>
    here.cache.getOrFetch(id, async () => {
      fetches.push(Date.now())
      return 'fetched here'
    }),
  )
  child.process.kill('SIGKILL')
  expect(await child.ended).toEqual([null, 'SIGKILL'])
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['fetched here']))
  expect(fetches).toHaveLength(1)
  expect(fetches[0]).toBeGreaterThanOrEqual(asking + lease)
})

it('gives a failure to those of the process who wait for it, and stores nothing', async () => {
  const file = path()
  await using here = await openCache(z.string(), file)
  await using there = await openCache(z.string(), file)
  const failing = pendingFetch<string>()
  const waiting = Array.from({ length: 5 }, () => here.cache.getOrFetch(id, failing.fetch))
  await failing.begun
  // All others have asked again by then, and a read that begins after theirs ends after them.
  await nextTurn()
  await here.cache.get(id)
  await nextTurn()
  const elsewhere = there.cache.getOrFetch(id, async () => 'fetched there')

  const failure = new Error('The service is down')
  failing.reject(failure)
  const outcomes = await Promise.allSettled(waiting)
  expect(outcomes).toEqual(Array.from({ length: 5 }, () => ({ status: 'rejected', reason: failure })))
  expect(failing.count()).toBe(1)
  expect(await elsewhere).toBe('fetched there')
  expect(await here.cache.getOrFetch(id, failing.fetch)).toBe('fetched there')
})

it('stores no value that its schema refuses, and lets the next one fetch', async () => {
  await using here = await openCache(z.int().min(0), undefined)
  await expect(here.cache.getOrFetch(id, async () => -1)).rejects.toMatchObject({ code: 'VALIDATION' })
  expect(await here.cache.get(id)).toBeNull()
  expect(await here.cache.getOrFetch(id, async () => 1)).toBe(1)
})

const invalidations: Record<string, (cache: Cache<string>) => Promise<unknown>> = {
  'of its key': (cache) => cache.invalidate(id),
  'of its group': (cache) => cache.invalidateAll(['group']),
  'of everything': (cache) => cache.invalidateAll(),
}
for (const [name, invalidate] of Object.entries(invalidations)) {
  it(`an invalidation ${name} while it is fetched is not overwritten, and who asks later gets something new`, async () => {
    const file = path()
    await using here = await openCache(z.string(), file)
    await using there = await openCache(z.string(), file)
    const [first, second] = [pendingFetch<string>(), pendingFetch<string>()]
    const early = here.cache.getOrFetch(id, first.fetch)
    await first.begun
    await invalidate(there.cache)

    const late = here.cache.getOrFetch(id, second.fetch)
    await second.begun
    first.resolve('old')
    expect(await early).toBe('old')
    expect(await here.cache.get(id)).toBeNull()
    second.resolve('new')
    expect(await late).toBe('new')
    expect(await there.cache.get(id)).toEqual({ value: 'new' })
  })
}

it('a value that is set while it is fetched stays, and serves those who wait elsewhere', async () => {
  const file = path()
  await using here = await openCache(z.string(), file)
  await using there = await openCache(z.string(), file)
  const fetching = pendingFetch<string>()
  const early = here.cache.getOrFetch(id, fetching.fetch)
  await fetching.begun
  const waiting = there.cache.getOrFetch(id, fetching.fetch)
  await here.cache.set(id, 'set')
  expect(await waiting).toBe('set')
  fetching.resolve('old')
  expect(await early).toBe('old')
  expect(await here.cache.get(id)).toEqual({ value: 'set' })
  expect(fetching.count()).toBe(1)
})

it('who asks after an invalidation does not join the fetch that was under way before it', async () => {
  const file = path()
  await using here = await openCache(z.string(), file)
  await using there = await openCache(z.string(), file)
  const [first, second, never] = [pendingFetch<string>(), pendingFetch<string>(), pendingFetch<string>()]
  const early = here.cache.getOrFetch(id, first.fetch)
  await first.begun
  await here.cache.invalidate(id)
  const elsewhere = there.cache.getOrFetch(id, second.fetch)
  await second.begun
  const late = here.cache.getOrFetch(id, never.fetch)
  first.resolve('old')
  expect(await early).toBe('old')
  second.resolve('new')
  expect(await Promise.all([elsewhere, late])).toEqual(['new', 'new'])
  expect(never.count()).toBe(0)
})

it('a fetch that fails takes nothing away that others have stored meanwhile', async () => {
  await using here = await openCache(z.string(), undefined)
  const failing = pendingFetch<string>()
  const early = here.cache.getOrFetch(id, failing.fetch)
  await failing.begun
  await here.cache.set(id, 'set')
  failing.reject(new Error('The service is down'))
  await expect(early).rejects.toThrow('The service is down')
  expect(await here.cache.get(id)).toEqual({ value: 'set' })
})

it('a fetch that outlasts its lease is aborted, and does not overwrite what others have fetched', async () => {
  const clock = stillClock()
  await using here = await openCache(z.string(), undefined, { ttl: 60_000, lease: 200 })
  const slow = pendingFetch<string>()
  const early = here.cache.getOrFetch(id, slow.fetch)
  const signal = await slow.begun
  expect(await here.cache.getOrFetch(['group', 'other'], async () => 'other')).toBe('other')
  clock.advance(200)
  expect(await here.cache.getOrFetch(id, async () => 'in time')).toBe('in time')
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
  slow.resolve('late')
  expect(await early).toBe('late')
  expect(await here.cache.get(id)).toEqual({ value: 'in time' })
})

it.each([null, undefined, 0, ''])('distinguishes a cached %o from a missing one', async (value) => {
  const anything = z.union([z.null(), z.undefined(), z.number(), z.string()])
  await using here = await openCache<string | number | null | undefined>(anything, undefined)
  const fetching = pendingFetch<string | number | null | undefined>()
  expect(await here.cache.get(id)).toBeNull()
  fetching.resolve(value)
  for (let n = 0; n < 3; n++) expect(await here.cache.getOrFetch(id, fetching.fetch)).toBe(value)
  expect(await here.cache.get(id)).toEqual({ value })
  expect(fetching.count()).toBe(1)
})

it('fetches again when the value has expired, once for all who ask then', async () => {
  const clock = stillClock()
  await using here = await openCache(z.int(), undefined)
  await here.cache.set(id, 1, 150)
  expect(await here.cache.get(id)).toEqual({ value: 1 })
  clock.advance(150)
  const again = pendingFetch<number>()
  again.resolve(2)
  const answers = await Promise.all(Array.from({ length: 8 }, () => here.cache.getOrFetch(id, again.fetch)))
  expect(answers).toEqual(Array(8).fill(2))
  expect(again.count()).toBe(1)
})

it('invalidates a group and nothing beside it', async () => {
  await using here = await openCache(z.string(), undefined)
  const { cache } = here
  const ids: CacheId[] = [
    ['a', 1],
    ['a', 'x'],
    ['a', 10n],
    ['ab', 1],
    [1, 'a'],
    ['', 'a'],
  ]
  for (const each of ids) await cache.set(each, 'value')
  expect(await cache.invalidateAll(['a'])).toBe(3)
  expect(await cache.invalidateAll(['a'])).toBe(0)
  const left = await Promise.all(ids.map(async (each) => (await cache.get(each)) !== null))
  expect(left).toEqual([false, false, false, true, true, true])
  await cache.invalidate(['ab', 1])
  expect(await cache.get(['ab', 1])).toBeNull()
  expect(await cache.invalidateAll()).toBe(2)
})

it('never gives what was fetched before an invalidation to those who ask after it', async () => {
  const seed = seedOfThisRun()
  const replay = `replay with VALKEYRIE_SEED=${seed}`
  const random = randomOf(seed)
  const turns = async () => {
    for (let n = Math.floor(random() * 4); n > 0; n--) await nextTurn()
  }
  const file = path()
  await using one = await openCache(z.int(), file)
  await using two = await openCache(z.int(), file)
  const caches = [one.cache, two.cache]
  const some = () => caches[Math.floor(random() * 2)]!

  let source = 0
  let invalidated = 0
  let running = true
  async function change(): Promise<void> {
    for (let n = 0; n < 300; n++) {
      source += 1
      const version = source
      await (random() < 0.5 ? some().invalidate(id) : some().invalidateAll(['group']))
      invalidated = version
      await turns()
    }
    running = false
  }
  let stale = 0
  let fetches = 0
  let asked = 0
  async function ask(): Promise<void> {
    while (running) {
      const least = invalidated
      asked += 1
      const value = await some().getOrFetch(id, async () => {
        fetches += 1
        const read = source
        await turns()
        return read
      })
      if (value < least) stale += 1
      await turns()
    }
  }
  await Promise.all([change(), ...Array.from({ length: 6 }, ask)])
  expect(stale, replay).toBe(0)
  // Some were fetched and some were not: without both the run shows nothing.
  expect(fetches, replay).toBeGreaterThan(10)
  expect(fetches, replay).toBeLessThan(asked)
})
