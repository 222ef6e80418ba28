import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type Appended, EventStore } from '../../examples/event-sourcing/event-store.ts'
import { Projector } from '../../examples/event-sourcing/projector.ts'
import {
  addDelivery,
  applyEvent,
  type Deliveries,
  nothing,
  openWarehouse,
  type StockEvent,
  ship,
  type Warehouse,
} from '../../examples/event-sourcing/warehouse.ts'
import { type Child, startChild } from '../concurrency/child.ts'
import { randomOf, seedOfThisRun } from '../concurrency/random.ts'
import { extent } from '../extent.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { enginesOf, runExample } from './run-example.ts'

const path = temporaryFolder()
const received = (pieces: number): StockEvent => ({ type: 'received', pieces })
const shipped = (customer: string, pieces = 1): StockEvent => ({ type: 'shipped', pieces, customer })

/** What the deliveries have to be: each event of each stream counted once. */
async function countedByHand({ repositories: { events } }: Warehouse): Promise<Map<string, Deliveries>> {
  const counted = new Map<string, Deliveries>()
  for await (const { value } of events.list()) {
    if (value.event.type !== 'shipped') continue
    const { customer, pieces } = value.event
    counted.set(customer, addDelivery(counted.get(customer), pieces))
  }
  return counted
}

async function storedDeliveries({
  repositories: { deliveries },
}: Warehouse): Promise<Map<string, Deliveries>> {
  const rows = await Array.fromAsync(deliveries.list(), ({ id, value }) => [String(id), value] as const)
  return new Map(rows)
}

async function rebuildsOf({ repositories: { rebuilds } }: Warehouse): Promise<bigint | undefined> {
  const { value } = await rebuilds.get('deliveries')
  return value?.value
}

/** Lets a projector run until it has counted an append. */
async function countUntil(db: Warehouse, appended: Appended): Promise<void> {
  const stop = new AbortController()
  const projector = new Projector(db)
  const running = projector.run(stop.signal)
  await Promise.race([projector.reached(appended), running])
  stop.abort()
  await running
}

it.each(enginesOf('event-sourcing'))(
  'ships without gaps from three processes, and counts each shipment once whoever is killed, on %s',
  async (engine) => {
    const orders = extent('orders of a customer', 35, 150)
    const filled = 2 * orders + 33
    const output = await runExample('event-sourcing', engine, orders)
    const placed = `\\d+ \\+ \\d+ \\+ \\d+ orders of 3 filled: ${filled}, of ${3 * orders} that were placed`
    expect(output).toMatch(new RegExp(`^${placed}$`, 'm'))
    expect(output).toMatch(new RegExp(`^${filled + 1} events, numbered from 1 on, 0 gaps$`, 'm'))
    const [, snapshot, more] = /^Left: 1, by the snapshot of event (\d+) and (\d+) more$/m.exec(output) ?? []
    expect([snapshot, more]).toEqual([`${filled + 1 - ((filled + 1) % 100)}`, `${(filled + 1) % 100}`])
    expect(output).toMatch(new RegExp(`^${filled} shipments counted, ${3 * filled} pieces$`, 'm'))
  },
)

describe('a stream', () => {
  it('appends after the expected version, and otherwise reports the conflict', async () => {
    await using db = await openWarehouse()
    const store = new EventStore(db)
    expect(await store.append('tea', 0, [received(5), shipped('ada')])).toMatchObject({ ok: true })
    const conflict = { key: ['events', 'tea', 1], expected: null, actual: expect.any(String) }
    expect(await store.append('tea', 0, [received(9)])).toEqual({ ok: false, conflicts: [conflict] })
    expect(await store.append('tea', 1, [received(9)])).toMatchObject({ ok: false })
    expect(await store.append('tea', 2, [received(9)])).toMatchObject({ ok: true })
    const events = await Array.fromAsync(store.read('tea'), ({ number, event }) => [number, event])
    expect(events).toEqual([
      [1, received(5)],
      [2, shipped('ada')],
      [3, received(9)],
    ])
    expect(await store.load('tea')).toEqual({ version: 3, stock: { pieces: 13 } })
  })

  it.each([5, -1, 1.5])('refuses to append after event %d, which does not exist', async (expected) => {
    await using db = await openWarehouse()
    const store = new EventStore(db)
    await store.append('tea', 0, [received(5)])
    await expect(store.append('tea', expected, [received(1)])).rejects.toThrow(
      /^(tea has no event|A key|NaN)/,
    )
    expect(await store.load('tea')).toEqual({ version: 1, stock: { pieces: 5 } })
  })

  it('has one winner among those who append after the same version', async () => {
    const file = path()
    await using here = await openWarehouse(file)
    await using there = await openWarehouse(file)
    const stores = [new EventStore(here), new EventStore(there)]
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        stores[n % 2]!.append('tea', 0, [received(n + 1), received(n + 1), received(n + 1)]),
      ),
    )
    const winners = results.flatMap(({ ok }, n) => (ok ? [n + 1] : []))
    expect(winners).toHaveLength(1)
    const pieces = await Array.fromAsync(stores[0]!.read('tea'), ({ event }) => event.pieces)
    expect(pieces).toEqual([...winners, ...winners, ...winners])
  })

  it('keeps its order when the clock stands still and when it is set back', async () => {
    await using db = await openWarehouse()
    const times = [5_000, 5_000, 4_000, 9_000, 1_000]
    let appended = 0
    const store = new EventStore(db, { now: () => times[appended]! })
    for (; appended < times.length; appended++) await store.append('tea', appended, [received(appended + 1)])
    const events = await Array.fromAsync(store.read('tea'))
    expect(events.map(({ event }) => event.pieces)).toEqual([1, 2, 3, 4, 5])
    expect(events.map(({ at }) => at.getTime())).toEqual(times)
  })

  it('orders more than nine events by their numbers, and keeps to itself', async () => {
    await using db = await openWarehouse()
    const store = new EventStore(db)
    for (let n = 0; n < 120; n++) await store.append('tea', n, [received(n + 1)])
    await store.append('te', 0, [received(1)])
    await store.append('tea2', 0, [received(1)])
    const numbers = await Array.fromAsync(store.read('tea', 7), ({ number }) => number)
    expect(numbers).toEqual(Array.from({ length: 113 }, (_, n) => n + 8))
  })

  it('decides again on the newest state after a conflict, and appends nothing of what is refused', async () => {
    const file = path()
    await using here = await openWarehouse(file)
    await using there = await openWarehouse(file)
    const stores = [new EventStore(here), new EventStore(there)]
    await stores[0]!.execute('tea', () => [{ type: 'received', pieces: 20 }])
    const orders = await Promise.allSettled(
      Array.from({ length: 15 }, (_, n) =>
        stores[n % 2]!.execute('tea', (stock) => ship(stock, 2, `customer ${n}`)),
      ),
    )
    const refused = orders.flatMap((order) => (order.status === 'rejected' ? [order.reason.name] : []))
    expect(refused).toEqual(Array(5).fill('OutOfStockError'))
    expect(await stores[1]!.load('tea')).toEqual({ version: 11, stock: { pieces: 0 } })
  })

  it('comes to the same state with snapshots and without', async () => {
    const event = fc.oneof(
      fc.integer({ min: 1, max: 9 }).map(received),
      fc.integer({ min: 1, max: 9 }).map((pieces) => shipped('ada', pieces)),
    )
    const appends = fc.array(fc.tuple(event, fc.array(event, { maxLength: 4 })), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(appends, fc.integer({ min: 1, max: 6 }), async (appends, snapshotEvery) => {
        await using db = await openWarehouse()
        const store = new EventStore(db, { snapshotEvery })
        // So much to begin with that the stock never falls below 0.
        let all = [received(1_000)]
        await store.execute('tea', () => [received(1_000)])
        for (const [first, others] of appends) {
          await store.execute('tea', () => [first, ...others])
          all = [...all, first, ...others]
          const expected = { version: all.length, stock: all.reduce(applyEvent, nothing) }
          expect(await store.load('tea')).toEqual(expected)
          const { value: snapshot } = await db.repositories.snapshots.get('tea')
          const { version = 0, stock = nothing } = snapshot ?? {}
          expect(stock).toEqual(all.slice(0, version).reduce(applyEvent, nothing))
          expect(all.length - version).toBeLessThan(snapshotEvery)
        }
        await db.repositories.snapshots.deleteMany({ where: {} })
        expect(await store.load('tea')).toMatchObject({ stock: all.reduce(applyEvent, nothing) })
      }),
      { numRuns: extent('streams', 15, 50) },
    )
  })
})

interface Acknowledgement {
  readonly stream: string
  readonly customer: string
  readonly commit: string
  readonly events: number
}

/** Collects what a process says that it has appended, until it has ended. */
function acknowledgementsOf(child: Child): Acknowledgement[] {
  const acknowledged: Acknowledgement[] = []
  child.process.on('message', (message) => acknowledged.push(message as Acknowledgement))
  return acknowledged
}

const streams = ['ink', 'jam', 'tea']

async function stockUp(db: Warehouse): Promise<EventStore> {
  const store = new EventStore(db)
  for (const stream of streams) await store.append(stream, 0, [received(1_000_000)])
  return store
}

function startAppender(file: string, seed: number, customers: readonly string[]): Child {
  return startChild('examples/programs/event-appender.ts', { path: file, streams, customers, seed })
}

it('loses no event of several processes that append, some of them killed, and leaves no gap', async () => {
  const seed = seedOfThisRun()
  const random = randomOf(seed)
  const replay = `replay with VALKEYRIE_SEED=${seed}`
  const file = path('appends.db')
  await using db = await openWarehouse(file)
  const store = await stockUp(db)

  const lasting = [0, 1].map((n) => startAppender(file, seed + n, [`process ${n}`]))
  const acknowledged = lasting.map(acknowledgementsOf)
  for (let n = 2; n < 5; n++) {
    const child = startAppender(file, seed + n, [`process ${n}`])
    acknowledged.push(acknowledgementsOf(child))
    await child.message()
    await delay(random() * 60)
    child.process.kill('SIGKILL')
    expect(await child.ended, replay).toEqual([null, 'SIGKILL'])
  }
  for (const child of lasting) {
    child.send('stop')
    expect(await child.ended, replay).toEqual([0, null])
  }

  const commits = new Map<string, { events: number; customers: Set<string> }>()
  for (const stream of streams) {
    let number = 0
    for await (const { id, value, versionstamp } of db.repositories.events.list({ prefix: [stream] })) {
      expect(id[1], replay).toBe(++number)
      if (value.event.type !== 'shipped') continue
      const commit = commits.get(versionstamp) ?? { events: 0, customers: new Set() }
      commit.events += 1
      commit.customers.add(`${stream} ${value.event.customer}`)
      commits.set(versionstamp, commit)
    }
    expect(await store.load(stream), replay).toEqual({
      version: number,
      // The first event has brought the pieces, each other one ships one.
      stock: { pieces: 1_000_000 - (number - 1) },
    })
  }
  const all = acknowledged.flat()
  expect(all.length, replay).toBeGreaterThan(acknowledged.length)
  for (const { stream, customer, commit, events } of all) {
    expect(commits.get(commit), replay).toEqual({ events, customers: new Set([`${stream} ${customer}`]) })
  }
})

it('counts each event once, by two projectors that are killed at random moments again and again', async () => {
  const seed = seedOfThisRun()
  const random = randomOf(seed)
  const replay = `replay with VALKEYRIE_SEED=${seed}`
  const file = path('projectors.db')
  await using db = await openWarehouse(file)
  const store = await stockUp(db)
  const customers = ['ada', 'bob', 'cleo']
  await countUntil(db, await store.execute('tea', (stock) => ship(stock, 1, 'ada')))
  const appenders = [0, 1].map((n) => startAppender(file, seed + n, customers))

  const { projections } = db.repositories
  async function untilMoreIsCounted(): Promise<void> {
    const { versionstamp: before } = await projections.get('deliveries')
    for await (const { versionstamp } of projections.watch('deliveries')) if (versionstamp !== before) return
  }
  async function killAgainAndAgain(times: number): Promise<void> {
    for (let n = 0; n < times; n++) {
      const child = startChild('examples/programs/event-projector.ts', { path: file })
      expect(await child.message(), replay).toBe('open')
      await untilMoreIsCounted()
      await delay(random() * 40)
      child.process.kill('SIGKILL')
      expect(await child.ended, replay).toEqual([null, 'SIGKILL'])
    }
  }
  const kills = extent('kills of a projector', 2, 3)
  await Promise.all([killAgainAndAgain(kills), killAgainAndAgain(kills)])
  for (const child of appenders) {
    child.send('stop')
    expect(await child.ended, replay).toEqual([0, null])
  }

  await countUntil(db, await store.execute('tea', (stock) => ship(stock, 1, 'ada')))
  expect(await storedDeliveries(db), replay).toEqual(await countedByHand(db))
  expect(await rebuildsOf(db), replay).toBe(1n)
})

describe('a projection', () => {
  /** Events, of which some come in one commit. */
  async function shipSome(store: EventStore, count: number): Promise<Appended> {
    let last: Appended | undefined
    for (let n = 0; n < count; n++) {
      const shipments = Array.from({ length: 1 + (n % 3) }, () => shipped(`customer ${n % 4}`, 1 + (n % 5)))
      last = await store.execute(streams[n % 3]!, () => [shipments[0]!, ...shipments.slice(1)])
    }
    return last!
  }

  it('is counted once by two projectors that have read the same checkpoint', async () => {
    const file = path()
    await using here = await openWarehouse(file)
    await using there = await openWarehouse(file)
    // One of them waits for a turn when it has read the checkpoint. Meanwhile the other counts.
    const { deliveries } = there.repositories
    const get = deliveries.get.bind(deliveries)
    vi.spyOn(deliveries, 'get').mockImplementation(async (id) => {
      await nextTurn()
      return get(id)
    })
    const projectors = [new Projector(here), new Projector(there)]
    const store = await stockUp(here)
    await countUntil(here, await shipSome(store, 1))
    await shipSome(store, 60)

    const stop = new AbortController()
    const running = projectors.map((projector) => projector.run(stop.signal))
    const last = await shipSome(store, 60)
    await Promise.all(projectors.map((projector) => projector.reached(last)))
    expect(await storedDeliveries(here)).toEqual(await countedByHand(here))
    stop.abort()
    await Promise.all(running)
  })

  it('is not set back by a rebuild that the counting has overtaken', async () => {
    const file = path()
    await using here = await openWarehouse(file)
    await using there = await openWarehouse(file)
    const store = await stockUp(here)
    const stop = new AbortController()
    const projector = new Projector(here)
    const running = projector.run(stop.signal)
    await projector.reached(await shipSome(store, 10))

    const { rebuilds } = there.repositories
    const sum = rebuilds.sum.bind(rebuilds)
    vi.spyOn(rebuilds, 'sum').mockImplementation(async (...args) => {
      const mark = await sum(...args)
      await projector.reached(await shipSome(store, 10))
      return mark
    })
    await new Projector(there).rebuild()
    await projector.reached(await shipSome(store, 10))
    expect(await storedDeliveries(here)).toEqual(await countedByHand(here))
    stop.abort()
    await running
  })

  it('continues in the middle of a commit', async () => {
    await using db = await openWarehouse()
    const { deliveries, projections } = db.repositories
    const store = new EventStore(db)
    await countUntil(db, await store.execute('tea', () => [shipped('ada')]))
    const appended = await store.execute('tea', () => [shipped('bob'), shipped('ada'), shipped('bob', 5)])
    const get = deliveries.get.bind(deliveries)
    const failing = vi.spyOn(deliveries, 'get').mockImplementationOnce(get)
    failing.mockRejectedValueOnce(new Error('The disk is full'))
    await expect(new Projector(db).run(new AbortController().signal)).rejects.toThrow('The disk is full')
    failing.mockRestore()
    const { value: checkpoint } = await projections.get('deliveries')
    expect(checkpoint).toMatchObject({ commit: appended.commit, done: 1 })
    await countUntil(db, appended)
    expect(await storedDeliveries(db)).toEqual(
      new Map([
        ['ada', { shipments: 2, pieces: 2 }],
        ['bob', { shipments: 2, pieces: 6 }],
      ]),
    )
  })

  it('shows an append to who has waited until it was reached', async () => {
    await using db = await openWarehouse()
    const stop = new AbortController()
    const projector = new Projector(db)
    const running = projector.run(stop.signal)
    const store = new EventStore(db)
    for (let n = 1; n <= 20; n++) {
      await projector.reached(await store.execute('tea', () => [shipped('ada'), shipped('ada')]))
      expect((await db.repositories.deliveries.get('ada')).value).toEqual({ shipments: 2 * n, pieces: 2 * n })
    }
    stop.abort()
    await running
  })

  it('is not said to show an append when the database is closed before', async () => {
    const db = await openWarehouse()
    const waiting = new Projector(db).reached(await shipSome(new EventStore(db), 1))
    await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'DATABASE_CLOSED' }), db.close()])
  })

  it('is rebuilt when the log no longer reaches back, while events go on coming', async () => {
    await using db = await openWarehouse(undefined, { log: { keepRows: 20 } })
    const store = await stockUp(db)
    await countUntil(db, await store.execute('tea', () => [shipped('ada')]))
    expect(await rebuildsOf(db)).toBe(1n)

    for (let n = 0; n < 600; n++) await store.execute(streams[n % 3]!, () => [shipped(`customer ${n % 7}`)])
    const { value: checkpoint } = await db.repositories.projections.get('deliveries')
    const late = async () => Array.fromAsync(db.repositories.events.changes({ since: checkpoint!.since }))
    await expect(late()).rejects.toMatchObject({ code: 'LOG_TRIMMED' })

    const more = (async () => {
      for (let n = 0; n < 50; n++) await store.execute('tea', () => [shipped('late', 2)])
      return store.execute('tea', () => [shipped('late', 2)])
    })()
    const stop = new AbortController()
    const projector = new Projector(db)
    const running = projector.run(stop.signal)
    await projector.reached(await more)
    stop.abort()
    await running
    expect(await rebuildsOf(db)).toBe(2n)
    const deliveries = await storedDeliveries(db)
    expect(deliveries).toEqual(await countedByHand(db))
    expect(deliveries.get('late')).toEqual({ shipments: 51, pieces: 102 })
  })

  it('is rebuilt by one of two who find no checkpoint, and not by who finds that it has gone on', async () => {
    const file = path()
    await using here = await openWarehouse(file)
    await using there = await openWarehouse(file)
    const store = new EventStore(here)
    const appended = await store.execute('tea', () => [shipped('ada'), shipped('bob')])
    await Promise.all([new Projector(here).rebuild(), new Projector(there).rebuild()])
    await countUntil(there, appended)
    expect(await storedDeliveries(here)).toEqual(await countedByHand(here))

    // Without its checkpoint, as after a change of what it counts, it starts over.
    await here.repositories.deliveries.set('ada', { shipments: 99, pieces: 99 })
    await here.repositories.projections.delete('deliveries')
    await countUntil(here, await store.execute('tea', () => [shipped('cleo')]))
    expect(await storedDeliveries(here)).toEqual(await countedByHand(here))
  })

  it('forgets what came from a stream that is removed', async () => {
    await using db = await openWarehouse()
    const { events } = db.repositories
    const store = await stockUp(db)
    for (const stream of streams) {
      await store.execute(stream, () => [shipped('ada'), shipped(`only ${stream}`)])
    }
    await countUntil(db, await store.execute('tea', () => [shipped('ada')]))
    await events.deleteMany({ where: {}, prefix: ['ink'] })
    await countUntil(db, await store.execute('tea', () => [shipped('ada')]))
    const deliveries = await storedDeliveries(db)
    expect(deliveries).toEqual(await countedByHand(db))
    expect([...deliveries.keys()]).toEqual(['ada', 'only jam', 'only tea'])
    expect(deliveries.get('ada')).toEqual({ shipments: 4, pieces: 4 })
  })
})
