import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { Valkeyrie } from 'valkeyrie'
import { expect, expectTypeOf, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { CoherentCache } from '../../examples/coherent-cache/coherent-cache.ts'
import { extent } from '../extent.ts'
import { stillClock } from '../still-clock.ts'
import { type CacheRead, noVersion, violationsOf } from './cache-law.ts'
import { longEngines, runExample } from './run-example.ts'
import { type SimulatedEntry, SimulatedRows, Turns } from './simulated-rows.ts'

it.each(longEngines)(
  'prints what a read costs, and ends with every product as it is stored, on %s',
  async (engine) => {
    const output = await runExample('coherent-cache', engine, extent('rounds', 1, 9))
    expect(output.match(/^A read of a row of \d+ bytes:$/gm)).toHaveLength(3)
    expect(output.match(/^ +\d+\.\d\d µs from the (database|cache)/gm)).toHaveLength(3 * 4)
    expect(output).toMatch(/^Two processes have changed 300 prices of 200 products\.$/m)
    expect(output).toMatch(/^ {2}\d+% of the reads were from memory, where 100 products are\.$/m)
    expect(output).toMatch(/^ {2}200 of 200 products are as they are stored\.$/m)
  },
)

const ids = ['a', 'b', 'c'] as const

type Operation =
  | { readonly type: 'read'; readonly id: string }
  | { readonly type: 'write'; readonly id: string; readonly remove: boolean }
  | { readonly type: 'foreign'; readonly id: string; readonly remove: boolean }
  | { readonly type: 'trim' }
  | { readonly type: 'end' }

const id = fc.constantFrom('a', ...ids)
const of = <const Type extends Operation['type']>(type: Type) => fc.constant(type)
const remove = fc.boolean()
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: of('read'), id }) },
  { weight: 3, arbitrary: fc.record({ type: of('write'), id, remove }) },
  { weight: 3, arbitrary: fc.record({ type: of('foreign'), id, remove }) },
  { weight: 1, arbitrary: fc.record({ type: of('trim') }) },
  { weight: 1, arbitrary: fc.record({ type: of('end') }) },
)

/** Tries to change what was handed out, for everybody. */
function vandalise({ value }: { readonly value: unknown }): void {
  const given = value as SimulatedEntry['value']
  const attempts = [
    () => given!.list.push(0),
    () => given!.at!.setTime(0),
    () => Object.assign(given!, { n: 0 }),
  ]
  for (const attempt of attempts) {
    try {
      attempt()
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
  }
}

/** Lets several act at once, each one operation after the other. */
async function simulate(
  actors: readonly (readonly Operation[])[],
  choices: Iterator<number>,
  expiring: boolean,
) {
  const turns = new Turns()
  const rows = new SimulatedRows(turns)
  using cache = new CoherentCache(rows, { entries: 2, expiring })
  const reads: CacheRead[] = []
  const written = new Map<string, string>()

  const read = async (id: string) => {
    const floors = [cache.told ?? noVersion, rows.followedFrom, written.get(id) ?? noVersion]
    const { versionstamp, value } = await cache.get(id)
    reads.push({ id, versionstamp, value: structuredClone(value), floor: floors.sort().at(-1)!, at: 0 })
    vandalise({ value })
  }
  const write = async (id: string, remove: boolean) => {
    const version = await cache.write([id], async () => {
      await turns.next()
      const version = rows.commit(id, remove)
      await turns.next()
      return version
    })
    if (version > (written.get(id) ?? noVersion)) written.set(id, version)
  }
  const perform = async (operation: Operation): Promise<void> => {
    await turns.next()
    if (operation.type === 'read') return read(operation.id)
    if (operation.type === 'trim') return rows.trim()
    if (operation.type === 'end') return rows.endFeed()
    if (operation.type === 'foreign') return void rows.commit(operation.id, operation.remove)
    return write(operation.id, operation.remove)
  }

  const performed = Promise.all(
    actors.map(async (operations) => {
      for (const operation of operations) await perform(operation)
    }),
  )
  await turns.run(choices)
  await performed
  // All changes have arrived by now: the cache returns what is stored.
  for (const id of ids) written.set(id, rows.version)
  const { hits } = cache.statistics
  const inTurn = async () => {
    for (const id of [...ids, ...ids.toReversed()]) await read(id)
  }
  const last = inTurn()
  await turns.run(choices)
  await last
  expect(cache.statistics.hits).toBeGreaterThan(hits)
  return { violations: violationsOf(rows.history, reads), hits }
}

const actors = fc.array(fc.array(operation, { maxLength: 15, size: 'max' }), { maxLength: 5, size: 'max' })

it.each([false, true])(
  'gives nothing older than what it was told of, in any interleaving; expiring: %s',
  async (expiring) => {
    let hits = 0
    const numRuns = extent('histories', 80, 1_000)
    await fc.assert(
      fc.asyncProperty(actors, fc.infiniteStream(fc.nat()), async (actors, choices) => {
        const outcome = await simulate(actors, choices, expiring)
        hits += outcome.hits
        expect(outcome.violations).toEqual([])
      }),
      { numRuns },
    )
    // Without these the property shows nothing.
    expect(hits).toBeGreaterThan(numRuns)
  },
)

const schemas = Valkeyrie.withSchema(
  ['teas', '*'],
  z.object({ name: z.string(), tags: z.array(z.string()).default([]), pickedAt: z.date().optional() }),
).withSchema(['shelves', '*', '*'], z.object({ teas: z.int() }))

async function openShop(options = {}) {
  const db = await schemas.open(undefined, options)
  onTestFinished(() => db.close())
  return { db, ...db.repositories }
}

it('reads a row once, a missing one too, and gives each id its own', async () => {
  const { db, shelves } = await openShop()
  await shelves.insertMany([
    [['a', 1], { teas: 1 }],
    [['a', '1'], { teas: 2 }],
  ])
  using cache = new CoherentCache(shelves, { entries: 10 })
  const teas = async (...ids: Parameters<typeof cache.get>[0][]) => {
    const entries = await Promise.all(ids.map((id) => cache.get(id)))
    return entries.map(({ value }) => value?.teas)
  }
  for (let round = 0; round < 3; round++) {
    expect(await teas(['a', 1], ['a', '1'], ['a', 2])).toEqual([1, 2, undefined])
  }
  expect(cache.statistics).toEqual({ size: 3, hits: 6, misses: 3 })
  const id: ['a', number] = ['a', 2]
  const missing = await cache.get(id)
  expect(missing).toMatchObject({ id: ['a', 2], key: ['shelves', 'a', 2], value: null, versionstamp: null })
  id[1] = 3
  expect((await cache.get(['a', 2])).id).toEqual(['a', 2])
  await db.close()
})

it('gives what this process has written, however it wrote it, and after a failure what is stored', async () => {
  const { db, teas } = await openShop()
  using cache = new CoherentCache(teas, { entries: 10 })
  const names = async () => {
    const entries = [await cache.get('a'), await cache.get('b')]
    return entries.map(({ value }) => value?.name)
  }
  expect(await names()).toEqual([undefined, undefined])
  await cache.write(['a'], () => teas.insert('a', { name: 'Assam' }))
  expect(await names()).toEqual(['Assam', undefined])
  await cache.write(['a', 'b'], () =>
    db.atomic().set(teas.key('a'), { name: 'Ceylon' }).set(teas.key('b'), { name: 'Darjeeling' }).commit(),
  )
  expect(await names()).toEqual(['Ceylon', 'Darjeeling'])
  await cache.write(['a', 'b'], () =>
    db.unitOfWork(async (unit) => {
      const a = await unit.repositories.teas.get('a')
      a.value!.name = 'Earl Grey'
      await unit.repositories.teas.delete('b')
    }),
  )
  expect(await names()).toEqual(['Earl Grey', undefined])
  const half = cache.write(['a'], async () => {
    await teas.update('a', { name: 'Oolong' })
    throw new Error('after the commit')
  })
  await expect(half).rejects.toThrow('after the commit')
  expect(await names()).toEqual(['Oolong', undefined])
  expect(await cache.write(['a'], () => teas.delete('a'))).toBe(true)
  expect(await names()).toEqual([undefined, undefined])
})

it('keeps the rows that were used last, and no more than it is allowed', async () => {
  const { teas } = await openShop()
  using cache = new CoherentCache(teas, { entries: 2 })
  for (const id of ['a', 'b', 'a', 'c', 'a', 'b']) await cache.get(id)
  // c drove out b, which was used before a.
  expect(cache.statistics).toEqual({ size: 2, hits: 2, misses: 4 })
  for (const entries of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => new CoherentCache(teas, { entries })).toThrow(RangeError)
  }
})

it('learns of writes that bypass it', async () => {
  const { db, teas } = await openShop()
  using cache = new CoherentCache(teas, { entries: 10 })
  await teas.set('a', { name: 'Assam' })
  expect((await cache.get('a')).value?.name).toBe('Assam')
  const { versionstamp } = await teas.set('a', { name: 'Ceylon' })
  while (cache.told !== versionstamp) await nextTurn()
  expect((await cache.get('a')).value?.name).toBe('Ceylon')
  await db.clear()
  while (cache.statistics.size > 0) await nextTurn()
  expect((await cache.get('a')).value).toBeNull()
})

it('clears itself when it has missed changes, and follows those that come after', async () => {
  const { teas } = await openShop({ log: { keepRows: 1 } })
  using cache = new CoherentCache(teas, { entries: 10 })
  await teas.set('a', { name: 'Assam' })
  await cache.get('a')
  // Nobody writes this one, so that no change takes it out.
  await cache.get('never written')
  // Writes of one turn are committed together, and trim the log before anybody can read it, unless the machine is slow.
  while (cache.statistics.size > 0) {
    const writes = Array.from({ length: 600 }, (_, n) => teas.set('other', { name: `tea ${n}` }))
    await Promise.all([teas.set('a', { name: 'Ceylon' }), ...writes])
    await nextTurn()
  }
  expect((await cache.get('a')).value?.name).toBe('Ceylon')

  const { versionstamp } = await teas.set('a', { name: 'Darjeeling' })
  while (cache.told !== versionstamp) await nextTurn()
  expect((await cache.get('a')).value?.name).toBe('Darjeeling')
})

it('keeps nothing when the feed has failed for another reason, and warns', async () => {
  const { teas } = await openShop()
  const feeds: ReadableStreamDefaultController[] = []
  const changes = () => new ReadableStream({ start: (feed) => void feeds.push(feed) })
  const rows = { get: (id: string) => teas.get(id), exists: (id: string) => teas.exists(id), changes }
  using cache = new CoherentCache(rows, { entries: 10 })
  await cache.get('a')
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => warn.mockRestore())
  const failure = new Error('the disk has failed')
  feeds[0]!.error(failure)
  await nextTurn()
  expect(warn.mock.calls).toEqual([[failure]])
  expect(cache.statistics.size).toBe(0)
  await cache.get('a')
  expect(cache.statistics).toEqual({ size: 1, hits: 0, misses: 2 })
  expect(feeds).toHaveLength(2)
})

it('fails as the database does when that is closed, and reads through when it is closed itself', async () => {
  const { db, teas } = await openShop()
  const cache = new CoherentCache(teas, { entries: 10 })
  await teas.set('a', { name: 'Assam' })
  await cache.get('a')
  cache.close()
  await teas.set('a', { name: 'Ceylon' })
  for (let round = 0; round < 3; round++) expect((await cache.get('a')).value?.name).toBe('Ceylon')
  expect(cache.statistics).toEqual({ size: 0, hits: 0, misses: 4 })

  using other = new CoherentCache(teas, { entries: 10 })
  await other.get('a')
  await db.close()
  while (other.statistics.size > 0) await nextTurn()
  await expect(other.get('a')).rejects.toThrow('Database is closed')
  await expect(cache.get('a')).rejects.toThrow('Database is closed')
})

it('with expiring gives a row for exactly as long as the database does, and without until it is removed', async () => {
  const clock = stillClock()
  const { teas } = await openShop()
  using exact = new CoherentCache(teas, { entries: 10, expiring: true })
  using plain = new CoherentCache(teas, { entries: 10 })
  await teas.set('a', { name: 'Assam' }, { expireIn: 100 })
  await plain.get('a')
  for (let there = true; there; ) {
    const { versionstamp } = await exact.get('a')
    there = await teas.exists('a')
    if (there) expect(versionstamp).not.toBeNull()
    if (versionstamp === null) expect(there).toBe(false)
    clock.advance(5)
    await nextTurn()
  }
  expect((await exact.get('a')).value).toBeNull()
  expect(exact.statistics.hits).toBeGreaterThan(0)
  for await (const { type } of teas.changes({ since: noVersion })) if (type === 'expire') break
  while (plain.statistics.size > 0) await nextTurn()
  expect((await plain.get('a')).value).toBeNull()
})

it('types what it gives as read-only, through and through', async () => {
  const { teas } = await openShop()
  using cache = new CoherentCache(teas, { entries: 10 })
  const { value } = await cache.get('a')
  expectTypeOf(value).toEqualTypeOf<{
    readonly name: string
    readonly tags: readonly string[]
    readonly pickedAt?: Date | undefined
  } | null>()
})
