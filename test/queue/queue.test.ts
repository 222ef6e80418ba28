import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { inspect } from 'node:util'
import {
  DatabaseClosedError,
  KvU64,
  type OpenOptions,
  type TracedQuery,
  ValidationError,
  Valkeyrie,
} from 'valkeyrie'
import { type EnqueueJobOptions, type Job, LeaseLostError, type QueueOptions, queue } from 'valkeyrie/queue'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { newAddress } from '../engine-of-project.ts'
import { stillClock } from '../still-clock.ts'
import { waitFor, waitUntil } from '../waiting.ts'
import { warningsOf } from '../warnings-of.ts'

const payload = z.object({ n: z.int(), text: z.string().default('') })
const quick: QueueOptions = { backoff: { type: 'fixed', delay: 0 }, lease: 600_000 }

async function opened(options: QueueOptions = quick, openOptions: OpenOptions = {}) {
  const work = queue('work', payload, options)
  const db = await Valkeyrie.withSchemas([...work.definitions])
    .withSchema(['done', '*'], z.object({ n: z.int(), times: z.int() }))
    .open(newAddress(), { onUnindexed: 'error', ...openOptions })
  onTestFinished(() => db.close())
  return { work, db }
}
type Opened = Awaited<ReturnType<typeof opened>>
type WorkJob = Job<z.output<typeof payload>>

/** Works on all that is there, and gives the numbers in their order. */
async function workOff({ work, db }: Opened, handle: (job: WorkJob) => unknown = () => {}, concurrency = 1) {
  const seen: number[] = []
  const worker = work.process(
    db,
    (job) => {
      seen.push(job.payload.n)
      return handle(job)
    },
    { concurrency },
  )
  await waitUntil('the end of the jobs', async () => {
    const { ready, delayed, waiting, active } = await work.counts(db)
    return ready + delayed + waiting + active === 0
  })
  await worker.stop()
  return seen
}

/** Resolves once others have heard of it, too. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
  await nextTurn()
}

async function restOf(db: Opened['db']) {
  return Array.fromAsync(db.list({ prefix: ['queues'] }), ({ key }) => key.slice(2))
}

describe('enqueue', () => {
  it("stores the schema's output of a payload, and refuses what the schema refuses", async () => {
    const { work, db } = await opened()
    const { id, duplicate } = await work.enqueue(db, { n: 1 })
    expect(duplicate).toBe(false)
    const { value } = await db.repositories.work.get(id)
    expect(value).toMatchObject({
      payload: { n: 1, text: '' },
      attempts: 0,
      worker: null,
      priority: 0,
      group: null,
    })
    await expect(work.enqueue(db, { n: 'x' } as never)).rejects.toThrow(ValidationError)
    expect(() => work.enqueue(db.atomic(), { n: 0.5 })).toThrow(ValidationError)
    expect(await db.repositories.work.count()).toBe(1)
    expect(await db.repositories.work.findMany({ where: { payload: { n: 1 }, priority: 0 } })).toHaveLength(1)
  })

  it('keeps what a schema has transformed through all attempts', async () => {
    const when = queue('when', z.object({ at: z.string().transform((text) => new Date(text)) }), quick)
    await using db = await Valkeyrie.withSchemas([...when.definitions]).open(newAddress())
    await when.enqueue(db, { at: '2026-01-01' })
    const seen: unknown[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const worker = when.process(db, ({ payload, attempt }) => {
      seen.push(payload.at)
      if (attempt === 1) throw new Error('again')
      resolve()
    })
    await waitFor('the second attempt', promise)
    await worker.stop()
    expect(seen).toStrictEqual([new Date('2026-01-01'), new Date('2026-01-01')])
  })

  it('is part of an atomic operation: the job exists if it committed', async () => {
    const { work, db } = await opened()
    const free = { key: ['done', 'a'], versionstamp: null } as const
    const first = db.atomic().check(free).set(['done', 'a'], { n: 1, times: 1 })
    const { id } = work.enqueue(first, { n: 1 })
    expect((await first.commit()).ok).toBe(true)
    const second = db.atomic().check(free)
    work.enqueue(second, { n: 2 })
    expect((await second.commit()).ok).toBe(false)
    expect((await db.repositories.work.findMany()).map((job) => job.id)).toStrictEqual([id])
  })

  it('is part of a unit of work: the job exists if the unit commits', async () => {
    const { work, db } = await opened()
    await db.unitOfWork(async (unit) => {
      await work.enqueue(unit, { n: 1 }, { group: 'g' })
      expect(await unit.repositories.work.count()).toBe(1)
    })
    const failing = db.unitOfWork(async (unit) => {
      await work.enqueue(unit, { n: 2 })
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await workOff({ work, db })).toStrictEqual([1])
  })

  it('refuses an asynchronous schema in an atomic operation only', async () => {
    const slow = queue(
      'slow',
      z.number().refine(async () => true),
    )
    await using db = await Valkeyrie.withSchemas([...slow.definitions]).open(newAddress())
    await slow.enqueue(db, 1)
    expect(() => slow.enqueue(db.atomic(), 1)).toThrow('enqueue in a unit of work')
  })

  it('enqueues no duplicate while one is queued, and again when it is done or dead', async () => {
    const { work, db } = await opened({ ...quick, retries: 0 })
    const first = await work.enqueue(db, { n: 1 }, { deduplicate: 'a' })
    expect(await work.enqueue(db, { n: 2 }, { deduplicate: 'a' })).toStrictEqual({
      id: first.id,
      duplicate: true,
    })
    await work.enqueue(db, { n: 3 }, { deduplicate: 'b' })
    const operation = db.atomic()
    work.enqueue(operation, { n: 4 }, { deduplicate: 'a' })
    expect(await operation.commit()).toMatchObject({
      ok: false,
      conflicts: [{ key: ['queues', 'work', 'keys', 'a'] }],
    })
    const twice = db.atomic()
    const one = work.enqueue(twice, { n: 6 }, { deduplicate: 'c' })
    expect(work.enqueue(twice, { n: 7 }, { deduplicate: 'c' })).toStrictEqual({ id: one.id, duplicate: true })
    expect(await twice.commit()).toMatchObject({ ok: true })
    const seen = await workOff({ work, db }, ({ payload }) => {
      if (payload.n === 3) throw new Error('dead')
    })
    expect(seen).toStrictEqual([1, 3, 6])
    for (const key of ['a', 'b']) {
      expect((await work.enqueue(db, { n: 5 }, { deduplicate: key })).duplicate).toBe(false)
    }
  })

  it('of simultaneous duplicates, one is enqueued', async () => {
    const { work, db } = await opened()
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, n) => work.enqueue(db, { n }, { deduplicate: 'a' })),
    )
    expect(all.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
    expect(new Set(all.map(({ id }) => id)).size).toBe(1)
  })

  it('enqueues no duplicate for a time, done or not', async () => {
    const clock = stillClock()
    const { work, db } = await opened()
    const once = () => work.enqueue(db, { n: 1 }, { deduplicate: { key: 'a', for: 1_000 } })
    await once()
    await workOff({ work, db })
    expect((await once()).duplicate).toBe(true)
    clock.advance(1_001)
    expect((await once()).duplicate).toBe(false)
  })

  it('enqueues again under a key whose job was removed by hand', async () => {
    const { work, db } = await opened()
    const { id } = await work.enqueue(db, { n: 1 }, { deduplicate: 'a' })
    await db.repositories.work.delete(id)
    expect((await work.enqueue(db, { n: 2 }, { deduplicate: 'a' })).duplicate).toBe(false)
  })

  it.each<[object, string]>([
    [{ delay: -1 }, 'delay must be at least 0 ms'],
    [{ delay: Number.NaN }, 'delay must be at least 0 ms'],
    [{ delay: Number.POSITIVE_INFINITY }, 'delay must be at most'],
    [{ delay: '5' }, 'delay must be a number of milliseconds'],
    [{ delay: 1, runAt: 5 }, 'leave one out'],
    [{ runAt: new Date(Number.NaN) }, 'runAt must be a Date'],
    [{ runAt: '2026' }, 'runAt must be a Date'],
    [{ priority: 0.5 }, 'priority must be a whole number'],
    [{ group: '' }, 'group must be a text that is not empty'],
    [{ group: 5 }, 'group must be a text'],
    [{ deduplicate: 5 }, 'deduplicate'],
    [{ deduplicate: '' }, 'deduplicate must be a text that is not empty'],
    [{ deduplicate: { key: '', for: 5 } }, 'key of deduplicate must be a text that is not empty'],
    [{ deduplicate: { key: 'a' } }, 'for of deduplicate'],
    [{ deduplicate: { key: 5, for: 5 } }, 'key of deduplicate'],
    [{ prioritty: 1 }, "did you mean 'priority'?"],
  ])('refuses %j', async (options, message) => {
    const { work, db } = await opened()
    await expect(work.enqueue(db, { n: 1 }, options as EnqueueJobOptions)).rejects.toThrow(message)
    expect(() => work.enqueue(db.atomic(), { n: 1 }, options as EnqueueJobOptions)).toThrow(message)
  })
})

describe('the order', () => {
  it('is that of the priorities, and then that of the times', async () => {
    const { work, db } = await opened()
    await work.enqueue(db, { n: 3 })
    await work.enqueue(db, { n: 5 }, { priority: 1 })
    await work.enqueue(db, { n: 4 })
    await work.enqueue(db, { n: 2 }, { runAt: 5 })
    await work.enqueue(db, { n: 1 }, { priority: -7 })
    expect(await workOff({ work, db })).toStrictEqual([1, 2, 3, 4, 5])
  })

  it('a delayed job comes at its time, and delays no other', async () => {
    const { work, db } = await opened()
    await work.enqueue(db, { n: 2 }, { delay: 40, priority: -1 })
    await work.enqueue(db, { n: 1 })
    expect(await work.counts(db)).toMatchObject({ delayed: expect.any(Number) })
    expect((await workOff({ work, db })).toSorted()).toStrictEqual([1, 2])
  })

  it('a worker that waits hears of a job that comes', async () => {
    const { work, db } = await opened()
    const heard = Promise.withResolvers<number>()
    await using _ = work.process(db, ({ payload }) => heard.resolve(payload.n))
    await work.enqueue(db, { n: 9 }, { delay: 3_600_000 })
    await work.enqueue(db, { n: 1 })
    expect(await waitFor('the job', heard.promise)).toBe(1)
  })

  it('works on as many at once as allowed', async () => {
    const { work, db } = await opened()
    for (let n = 0; n < 10; n++) await work.enqueue(db, { n })
    let [now, most] = [0, 0]
    const full = Promise.withResolvers<void>()
    const handle = async () => {
      now += 1
      most = Math.max(most, now)
      if (now === 4) full.resolve()
      await waitFor('four at once', full.promise)
      now -= 1
    }
    await workOff({ work, db }, handle, 4)
    expect(most).toBe(4)
  })

  it('in a group, one at a time in the order of their enqueuing, whatever their priority and failures', async () => {
    const { work, db } = await opened({ ...quick, retries: 1 })
    const expected: Record<string, number[]> = { a: [], b: [], c: [] }
    for (let n = 0; n < 30; n++) {
      const group = 'abc'[n % 3]!
      await work.enqueue(db, { n, text: group }, { group, priority: -n })
      expected[group]!.push(n)
    }
    const done: Record<string, number[]> = { a: [], b: [], c: [] }
    const busy = new Set<string>()
    await workOff(
      { work, db },
      async ({ payload: { n, text }, attempt }) => {
        expect(busy.has(text)).toBe(false)
        busy.add(text)
        await new Promise(setImmediate)
        busy.delete(text)
        if (n % 4 === 0 && attempt === 1) throw new Error('again')
        if (n === 10) throw new Error('dies')
        done[text]!.push(n)
      },
      8,
    )
    expected['b'] = expected['b']!.filter((n) => n !== 10)
    expect(done).toStrictEqual(expected)
    expect((await restOf(db)).map(([kind]) => kind)).toStrictEqual(['dead'])
  })

  it('in a group, jobs that several enqueue in one millisecond come in the order of their commits', async () => {
    stillClock()
    const { work, db } = await opened()
    // Its id is made before the id of the other one, as another process may make it.
    await db.unitOfWork(async (unit) => {
      await work.enqueue(unit, { n: 2 }, { group: 'a' })
      await work.enqueue(db, { n: 1 }, { group: 'a' })
    })
    await work.enqueue(db, { n: 3 }, { group: 'a' })
    const completing = async (job: WorkJob) => {
      if (job.payload.n === 1) await job.complete((unit) => work.enqueue(unit, { n: 4 }, { group: 'a' }))
    }
    expect(await workOff({ work, db }, completing)).toStrictEqual([1, 2, 3, 4])
  })

  it('in a group, a job comes as quickly if its ids are all of one millisecond, as after a clock was set back', async () => {
    stillClock()
    const { work, db } = await opened()
    const operation = db.atomic()
    for (let n = 0; n < 300; n++) work.enqueue(operation, { n }, { group: 'a' })
    await operation.commit()
    let scans = 0
    const count = (message: unknown) => {
      if ((message as TracedQuery).query === 'scan') scans += 1
    }
    subscribe('tracing:valkeyrie:query:start', count)
    onTestFinished(() => void unsubscribe('tracing:valkeyrie:query:start', count))
    for await (const job of work.jobs(db)) {
      expect(job.payload.n).toBe(0)
      await job.complete()
      break
    }
    expect(scans).toBeGreaterThan(0)
    expect(scans).toBeLessThan(50)
  })

  it('a job that waits for its group does not let a lower priority pass', async () => {
    const clock = stillClock()
    const { work, db } = await opened({ ...quick, backoff: { type: 'fixed', delay: 5 } })
    await work.enqueue(db, { n: 1 }, { group: 'a' })
    await work.enqueue(db, { n: 2 }, { group: 'a' })
    await work.enqueue(db, { n: 3 }, { priority: 1 })
    for await (const job of work.jobs(db)) {
      await job.fail('again')
      break
    }
    // The second was due before the first is again, and it is not its turn.
    clock.advance(5)
    expect(await workOff({ work, db })).toStrictEqual([1, 2, 3])
  })

  it('in a group, a delayed job delays those after it', async () => {
    const { work, db } = await opened()
    await work.enqueue(db, { n: 1 }, { group: 'a', delay: 30 })
    await work.enqueue(db, { n: 2 }, { group: 'a' })
    expect(await workOff({ work, db }, () => {}, 4)).toStrictEqual([1, 2])
  })

  it('a group continues after one of its jobs was removed, by its method or by hand', async () => {
    const { work, db } = await opened()
    const ids: string[] = []
    for (let n = 0; n < 4; n++) ids.push((await work.enqueue(db, { n }, { group: 'a' })).id)
    const worker = work.process(db, (job) => job.signal.aborted || new Promise(() => {}))
    await waitUntil('the first', () => worker.running === 1)
    expect(await work.remove(db, ids[0]!)).toBe(true)
    expect(await work.remove(db, ids[0]!)).toBe(false)
    await worker.stop({ timeout: 0 })
    await db.repositories.work.delete(ids[1]!)
    expect(await workOff({ work, db }, () => {}, 4)).toStrictEqual([2, 3])
    expect(await restOf(db)).toStrictEqual([])
  })
})

const noText = 'An error that has no text'

describe('failures', () => {
  it('are tried again, and are dead letters in the end, with the reason', async () => {
    const { work, db } = await opened({ ...quick, retries: 2 })
    const { id } = await work.enqueue(db, { n: 1 }, { priority: 2 })
    const told: unknown[] = []
    const worker = work.process(
      db,
      ({ attempt }) => {
        throw new RangeError(`attempt ${attempt}`)
      },
      {
        onFailed: (job, error, becomes) =>
          told.push([job.attempt, job.lastError, (error as Error).message, becomes]),
      },
    )
    await waitUntil('the last attempt', () => told.length === 3)
    await worker.stop()
    expect(told).toStrictEqual([
      [1, null, 'attempt 1', 'retry'],
      [2, 'RangeError: attempt 1', 'attempt 2', 'retry'],
      [3, 'RangeError: attempt 2', 'attempt 3', 'dead'],
    ])
    const { value } = await db.repositories.workDead.get(id)
    expect(value).toMatchObject({
      payload: { n: 1, text: '' },
      attempts: 3,
      error: 'RangeError: attempt 3',
      priority: 2,
    })
    expect(await work.counts(db)).toStrictEqual({ ready: 0, delayed: 0, waiting: 0, active: 0, dead: 1 })
  })

  it('redrive turns a dead letter, or all, back into jobs', async () => {
    const { work, db } = await opened({ ...quick, retries: 0 })
    const ids: string[] = []
    for (let n = 0; n < 3; n++) ids.push((await work.enqueue(db, { n }, n === 2 ? { group: 'g' } : {})).id)
    await workOff({ work, db }, () => Promise.reject(new Error('down')))
    expect(await work.redrive(db, ids[1])).toBe(1)
    expect(await work.redrive(db, ids[1])).toBe(0)
    expect(await workOff({ work, db })).toStrictEqual([1])
    expect(await work.redrive(db)).toBe(2)
    expect((await workOff({ work, db })).toSorted()).toStrictEqual([0, 2])
    expect(await restOf(db)).toStrictEqual([])
  })

  it('a dead letter that is a job again keeps others of its key out, and stays dead while one has it', async () => {
    const { work, db } = await opened({ ...quick, retries: 0 })
    const first = await work.enqueue(db, { n: 1 }, { deduplicate: 'a' })
    await workOff({ work, db }, () => Promise.reject(new Error('down')))
    const second = await work.enqueue(db, { n: 2 }, { deduplicate: 'a' })
    expect(second.duplicate).toBe(false)
    expect(await work.redrive(db)).toBe(0)
    expect(await work.redrive(db, first.id)).toBe(0)
    expect(await workOff({ work, db })).toStrictEqual([2])
    expect(await work.redrive(db)).toBe(1)
    expect(await work.enqueue(db, { n: 3 }, { deduplicate: 'a' })).toStrictEqual({
      id: first.id,
      duplicate: true,
    })
    expect(await workOff({ work, db })).toStrictEqual([1])
    expect(await restOf(db)).toStrictEqual([])
  })

  it.each<[string, () => unknown, string]>([
    ['a long message', () => new Error('x'.repeat(1_000_000)), `Error: ${'x'.repeat(1_993)}…`],
    ['half of a character', () => `${'x'.repeat(1_999)}\u{1f600}`, `${'x'.repeat(1_999)}\ufffd…`],
    ['a message that is no text', () => Object.assign(new Error(), { message: Object.create(null) }), noText],
    ['a name that is a symbol', () => Object.assign(new Error(), { name: Symbol('a') }), noText],
    [
      'what cannot be inspected',
      () => ({
        [inspect.custom]() {
          throw new Error('no')
        },
      }),
      noText,
    ],
    ['nothing', () => undefined, 'undefined'],
  ])('with %s as their reason are dead letters', async (_, reason, kept) => {
    const { work, db } = await opened({ ...quick, retries: 0 })
    const { id } = await work.enqueue(db, { n: 1 })
    await workOff({ work, db }, () => Promise.reject(reason()))
    expect((await db.repositories.workDead.get(id)).value).toMatchObject({ error: kept })
  })

  it('whose reason has no room beside the payload have none', async () => {
    const { work, db } = await opened({ ...quick, retries: 1 }, { limits: { valueBytes: 2_000 } })
    const { id } = await work.enqueue(db, { n: 1, text: 'x'.repeat(1_500) })
    await workOff({ work, db }, () => Promise.reject(new Error('y'.repeat(1_000))))
    expect((await db.repositories.workDead.get(id)).value).toMatchObject({ attempts: 2, error: '' })
  })

  it('that cannot be written leave the job to another worker when its lease is over', async () => {
    const warned = Promise.withResolvers<void>()
    const listen = ({ message }: Error) => message.includes('The disk is full') && warned.resolve()
    process.on('warning', listen)
    onTestFinished(() => void process.off('warning', listen))
    const { work, db } = await opened({ ...quick, retries: 1, lease: 100 })
    await work.enqueue(db, { n: 1 })
    const attempts: number[] = []
    const worker = work.process(db, async ({ attempt }) => {
      attempts.push(attempt)
      if (attempt === 2) return
      const full = vi.spyOn(db, 'atomic').mockImplementation(() => {
        throw new Error('The disk is full')
      })
      // A renewal may fail before: it gives no warning.
      void warned.promise.then(() => full.mockRestore())
      throw new Error('down')
    })
    await waitUntil('the second attempt', () => attempts.length === 2)
    await worker.stop()
    expect(attempts).toStrictEqual([1, 2])
    await waitFor('a warning', warned.promise)
    expect(await restOf(db)).toStrictEqual([])
  })

  it('keeps no dead letter, or keeps it for a time, if the options say so', async () => {
    const clock = stillClock()
    for (const deadLetters of [false, { keep: 5_000 }]) {
      const { work, db } = await opened({ ...quick, retries: 0, deadLetters })
      await work.enqueue(db, { n: 1 })
      await work.enqueue(db, { n: 2 }, { group: 'g' })
      await workOff({ work, db }, () => Promise.reject(new Error('down')))
      expect(await db.repositories.workDead.count()).toBe(deadLetters === false ? 0 : 2)
      clock.advance(5_001)
      expect(await db.repositories.workDead.count()).toBe(0)
    }
  })

  it('wait as long as the backoff says', async () => {
    const clock = stillClock()
    const waits = async (backoff: QueueOptions['backoff'], retries = 3) => {
      const { work, db } = await opened({ retries, backoff, lease: 600_000 })
      const { id } = await work.enqueue(db, { n: 1 })
      const found: number[] = []
      for (let n = 0; n < retries; n++) {
        const failed = Promise.withResolvers<void>()
        const worker = work.process(db, () => Promise.reject(new Error('no')), {
          onFailed: () => failed.resolve(),
        })
        await waitFor('the failure', failed.promise)
        await worker.stop()
        const { value } = await db.repositories.work.get(id)
        found.push(value!.due! - clock.now)
        clock.advance(value!.due! - clock.now)
      }
      return found
    }
    expect(await waits({ type: 'fixed', delay: 20 })).toStrictEqual([20, 20, 20])
    expect(await waits({ type: 'exponential', delay: 100, jitter: 0, longest: 300 })).toStrictEqual([
      100, 200, 300,
    ])
    expect(await waits((failures, error) => failures * (error as Error).message.length)).toStrictEqual([
      2, 4, 6,
    ])
    for (const wait of await waits({ type: 'exponential', delay: 1_000 }, 2)) {
      expect(wait).toBeGreaterThanOrEqual(500)
      expect(wait).toBeLessThanOrEqual(2_000)
    }
  })

  it('a backoff function that fails keeps no job with its worker', async () => {
    const warnings: string[] = []
    const listen = ({ message }: Error) => warnings.push(message)
    process.on('warning', listen)
    const { work, db } = await opened({ backoff: () => Number.NaN })
    await work.enqueue(db, { n: 1 })
    const failed = Promise.withResolvers<void>()
    const worker = work.process(db, () => Promise.reject(new Error('no')), {
      onFailed: () => failed.resolve(),
    })
    await waitFor('the failure', failed.promise)
    await worker.stop()
    expect(await work.counts(db)).toMatchObject({ delayed: 1, active: 0 })
    await waitUntil('a warning', () => warnings.some((message) => message.includes('What backoff gives')))
    process.off('warning', listen)
  })

  it('are decided by the handler if it wants to', async () => {
    const { work, db } = await opened()
    await work.enqueue(db, { n: 1 })
    await work.enqueue(db, { n: 2 })
    const seen = await workOff({ work, db }, async (job) => {
      if (job.payload.n === 1) expect(await job.fail('not this one', { dead: true })).toBe('dead')
      else if (job.attempt === 1) expect(await job.fail(new Error('soon'), { retryIn: 0 })).toBe('retry')
    })
    expect(seen).toStrictEqual([1, 2, 2])
    expect((await db.repositories.workDead.findMany()).map(({ value }) => value.error)).toStrictEqual([
      'not this one',
    ])
  })

  it('an attempt that takes too long fails, and aborts its signal', async () => {
    const { work, db } = await opened({ ...quick, timeout: 5, retries: 0 })
    await work.enqueue(db, { n: 1 })
    let signal: AbortSignal | undefined
    await workOff({ work, db }, (job) => {
      signal = job.signal
      return new Promise(() => {})
    })
    expect(signal?.reason.message).toBe('The attempt took longer than 5 ms')
    expect((await db.repositories.workDead.findFirst())?.value.error).toMatch('longer than 5 ms')
  })
})

describe('completing', () => {
  it('commits what it writes once, together with the end of the job', async () => {
    const { work, db } = await opened({ ...quick, retries: 5 })
    await work.enqueue(db, { n: 1 })
    await workOff({ work, db }, async (job) => {
      await job.complete(async (unit) => {
        await unit.set(['done', '1'], { n: 1, times: job.attempt })
        if (job.attempt < 3) throw new Error('not yet')
      })
      await expect(job.complete()).rejects.toThrow('settle it only once')
      await expect(job.fail('no')).rejects.toThrow('settle it only once')
    })
    expect((await db.repositories.done.get('1')).value).toStrictEqual({ n: 1, times: 3 })
  })

  it('a job that another worker has taken can be neither completed nor failed', async () => {
    const clock = stillClock()
    const { work, db } = await opened({ ...quick, lease: 5_000 })
    const { id } = await work.enqueue(db, { n: 1 })
    const taken = Promise.withResolvers<WorkJob>()
    const first = work.process(db, (job) => {
      taken.resolve(job)
      return new Promise(() => {})
    })
    const job = await waitFor('the job', taken.promise)
    // As another process does when the lease is over.
    clock.advance(5_001)
    const { entries } = await db.repositories.work.claimMany({
      where: { priority: 0, due: { lte: clock.now } },
      limit: 1,
      set: (stored) => ({ ...stored, worker: 'other', due: clock.now + 5_000, attempts: 2 }),
    })
    expect(entries).toHaveLength(1)
    await expect(
      job.complete(async (unit) => void (await unit.set(['done', 'x'], { n: 1, times: 1 }))),
    ).rejects.toThrow(LeaseLostError)
    expect(job.signal.reason).toBeInstanceOf(LeaseLostError)
    await expect(job.fail('no')).rejects.toThrow(LeaseLostError)
    expect((await db.get(['done', 'x'])).value).toBe(null)
    expect((await db.repositories.work.get(id)).value?.worker).toBe('other')
    await first.stop({ timeout: 0 })
  })

  it('an attempt whose time is over while it completes its job fails if that does', async () => {
    const { work, db } = await opened({ ...quick, timeout: 5, retries: 1 })
    const warnings = warningsOf('QUEUE_WORKER')
    await work.enqueue(db, { n: 1 }, { group: 'a' })
    await work.enqueue(db, { n: 2 }, { group: 'a' })
    const seen = await workOff({ work, db }, (job) =>
      job.complete(async () => {
        if (job.payload.n === 2) return
        await aborted(job.signal)
        throw new Error('in vain')
      }),
    )
    expect(seen).toStrictEqual([1, 1, 2])
    expect((await db.repositories.workDead.findFirst())?.value.error).toMatch('longer than 5 ms')
    expect(warnings).toStrictEqual([])
  })

  it('an attempt whose time is over while it completes its job has not failed if that succeeds', async () => {
    const { work, db } = await opened({ ...quick, timeout: 5, retries: 0 })
    const warnings = warningsOf('QUEUE_WORKER')
    await work.enqueue(db, { n: 1 })
    await workOff({ work, db }, (job) =>
      job.complete(async (unit) => {
        await aborted(job.signal)
        await unit.set(['done', '1'], { n: 1, times: job.attempt })
      }),
    )
    expect((await db.repositories.done.get('1')).value).toStrictEqual({ n: 1, times: 1 })
    expect(await work.counts(db)).toMatchObject({ active: 0, dead: 0 })
    expect(warnings).toStrictEqual([])
  })

  it('a worker that stops while a job is completed gives it back if that fails', async () => {
    const { work, db } = await opened()
    const warnings = warningsOf('QUEUE_WORKER')
    await work.enqueue(db, { n: 1 })
    const begun = Promise.withResolvers<void>()
    const outcomes: unknown[] = []
    const worker = work.process(
      db,
      (job) =>
        job.complete(async () => {
          begun.resolve()
          await aborted(job.signal)
          throw new Error('in vain')
        }),
      { onFailed: (...outcome) => outcomes.push(outcome) },
    )
    await waitFor('the job', begun.promise)
    await worker.stop({ timeout: 0 })
    const attempts: number[] = []
    await workOff({ work, db }, (job) => attempts.push(job.attempt))
    expect(attempts).toStrictEqual([1])
    expect(outcomes).toStrictEqual([])
    expect(warnings).toStrictEqual([])
  })

  it('of jobs completed in one commit, only the one that another worker has taken is lost', async () => {
    const clock = stillClock()
    const { work, db } = await opened({ ...quick, lease: 5_000 })
    const ids = await Promise.all([0, 1, 2, 3].map(async (n) => (await work.enqueue(db, { n })).id))
    const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let count = 0
    const outcomes: unknown[] = []
    const worker = work.process(
      db,
      async () => {
        if (++count === ids.length) begun.resolve()
        await end.promise
      },
      { concurrency: 4, onFailed: (job, _, becomes) => outcomes.push([job.payload.n, becomes]) },
    )
    await begun.promise
    const taken = await db.repositories.work.get(ids[2]!)
    await db.repositories.work.set(ids[2]!, { ...taken.value!, worker: 'other', due: clock.now + 5_000 })
    const changes = db.repositories.work.changes({ since: (await db.set(['mark'], 1)).versionstamp })
    end.resolve()
    const deletes: unknown[][] = []
    for await (const { type, id, versionstamp } of changes) {
      if (deletes.push([type, id, versionstamp]) === 3) break
    }
    await worker.stop()
    expect(deletes.map(([type, id]) => [type, id])).toStrictEqual([0, 1, 3].map((n) => ['delete', ids[n]]))
    expect(outcomes).toStrictEqual([[2, 'lost']])
    expect((await db.repositories.work.findMany()).map(({ id, value }) => [id, value.worker])).toStrictEqual([
      [ids[2], 'other'],
    ])
    const again = ids.slice(0, 2).map((_, n) => work.enqueue(db, { n }))
    await Promise.all(again)
    clock.advance(5_001)
    const stamps = db.repositories.work.changes({ since: (await db.set(['mark'], 2)).versionstamp })
    expect((await workOff({ work, db }, () => {}, 3)).toSorted()).toStrictEqual([0, 1, 2])
    const ended: string[] = []
    for await (const { type, versionstamp } of stamps) {
      if (type === 'delete' && ended.push(versionstamp) === 3) break
    }
    expect(new Set(ended).size).toBe(1)
  })

  it('a job whose workers died too often is dead', async () => {
    const { work, db } = await opened({ ...quick, retries: 1 })
    const { id } = await work.enqueue(db, { n: 1 }, { group: 'g' })
    await work.enqueue(db, { n: 2 }, { group: 'g' })
    const { value } = await db.repositories.work.get(id)
    await db.repositories.work.set(id, { ...value!, attempts: 2, worker: 'gone', due: 0 })
    expect(await workOff({ work, db })).toStrictEqual([2])
    expect((await db.repositories.workDead.get(id)).value?.error).toBe(
      'Worker gone did not end attempt 2 before its lease ran out',
    )
  })
})

describe('a worker', () => {
  it('renews the lease while its handler runs', async () => {
    const { work, db } = await opened({ ...quick, lease: 300 })
    const { id } = await work.enqueue(db, { n: 1 })
    const due = async () => (await db.repositories.work.get(id)).value?.due
    const ended = workOff({ work, db }, async (job) => {
      const first = (await due())!
      await waitUntil('two renewals', async () => ((await due()) ?? 0) > first + 100)
      expect(job.signal.aborted).toBe(false)
    })
    expect(await ended).toStrictEqual([1])
  })

  it('that was blocked for longer than the lease loses no job to another worker of its process', async () => {
    const { work, db } = await opened({ ...quick, lease: 100 })
    for (let n = 0; n < 3; n++) await work.enqueue(db, { n })
    const seen: number[] = []
    const lost: unknown[] = []
    const handle = async ({ payload: { n } }: WorkJob) => {
      seen.push(n)
      const until = performance.now() + 250
      while (performance.now() < until);
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const workers = [1, 2, 3].map(() => work.process(db, handle, { onFailed: (...args) => lost.push(args) }))
    await waitUntil('the end', async () => (await db.repositories.work.count()) === 0)
    await Promise.all(workers.map((worker) => worker.stop()))
    expect([seen.toSorted(), lost]).toStrictEqual([[0, 1, 2], []])
  })

  it('waits for its jobs when it is stopped, and takes no more', async () => {
    const { work, db } = await opened()
    await work.enqueue(db, { n: 1 })
    const begun = Promise.withResolvers<void>()
    const free = Promise.withResolvers<void>()
    const worker = work.process(db, async () => {
      begun.resolve()
      await free.promise
    })
    await waitFor('the job', begun.promise)
    const stopped = worker.stop()
    await work.enqueue(db, { n: 2 })
    expect(worker.running).toBe(1)
    free.resolve()
    await waitFor('the end', stopped)
    expect(worker.running).toBe(0)
    expect((await db.repositories.work.findMany()).map(({ value }) => value.payload.n)).toStrictEqual([2])
  })

  it('gives back jobs that take too long when it is stopped, without counting a failure', async () => {
    const { work, db } = await opened()
    const { id } = await work.enqueue(db, { n: 1 })
    const begun = Promise.withResolvers<WorkJob>()
    const failures: unknown[] = []
    const handle = (job: WorkJob) => {
      begun.resolve(job)
      return new Promise(() => {})
    }
    const worker = work.process(db, handle, { onFailed: (...args) => failures.push(args) })
    const job = await waitFor('the job', begun.promise)
    await worker.stop({ timeout: 1 })
    expect(job.signal.reason.message).toBe('The worker was stopped')
    expect(job.isSettled).toBe(false)
    await expect(job.complete()).rejects.toThrow(LeaseLostError)
    await expect(job.fail('late')).rejects.toThrow(LeaseLostError)
    expect((await db.repositories.work.get(id)).value).toMatchObject({
      attempts: 0,
      worker: null,
      error: null,
    })
    expect(failures).toStrictEqual([])
    expect(await workOff({ work, db })).toStrictEqual([1])
  })

  it('stops by its signal, by await using, and when the database is closed', async () => {
    const { work, db } = await opened()
    const stop = new AbortController()
    const first = work.process(db, () => {}, { signal: stop.signal })
    stop.abort()
    await waitFor('the first', first.ended)
    await waitFor('one that is stopped before', work.process(db, () => {}, { signal: stop.signal }).ended)
    {
      await using second = work.process(db, () => {})
      expect(second.running).toBe(0)
    }
    await work.enqueue(db, { n: 1 })
    const third = work.process(db, () => new Promise(() => {}))
    await waitUntil('a job', () => third.running === 1)
    await db.close()
    await waitFor('the third', third.ended)
    expect(() => work.process(db, () => {})).toThrow('Database is closed')
  })

  it('fails with DatabaseClosedError once the database is closed, also a worker that has just begun', async () => {
    const { work, db } = await opened()
    const failures: unknown[] = []
    const listener = (warning: Error) => {
      if (warning.name === 'QueueWarning') failures.push(warning)
    }
    process.on('warning', listener)
    onTestFinished(() => void process.off('warning', listener))
    const worker = work.process(db, () => {})
    await new Promise(setImmediate)
    const closing = db.close()
    await waitFor('the worker', worker.ended)
    await closing
    await expect(work.enqueue(db, { n: 1 })).rejects.toThrow(DatabaseClosedError)
    await expect(work.counts(db)).rejects.toThrow(DatabaseClosedError)
    await expect(work.redrive(db)).rejects.toThrow(DatabaseClosedError)
    await new Promise(setImmediate)
    expect(failures).toStrictEqual([])
  })

  it('gives jobs to a loop, and completes each when the next is asked for', async () => {
    const { work, db } = await opened()
    for (let n = 0; n < 4; n++) await work.enqueue(db, { n })
    const seen: number[] = []
    for await (const job of work.jobs(db)) {
      seen.push(job.payload.n)
      if (job.payload.n === 1) await job.fail('no', { dead: true })
      if (job.payload.n === 2) await job.complete()
      if (job.payload.n === 3) break
    }
    expect(seen).toStrictEqual([0, 1, 2, 3])
    // The loop was left with the last in hand.
    expect(
      (await db.repositories.work.findMany()).map(({ value }) => [value.payload.n, value.attempts]),
    ).toStrictEqual([[3, 0]])
    const stop = new AbortController()
    for await (const job of work.jobs(db, { signal: stop.signal })) {
      seen.push(job.payload.n)
      stop.abort()
    }
    expect(seen).toStrictEqual([0, 1, 2, 3, 3])
    expect(await db.repositories.work.count()).toBe(0)
  })

  it('gives the job back when its loop throws', async () => {
    const { work, db } = await opened()
    await work.enqueue(db, { n: 1 })
    const run = async () => {
      for await (const _ of work.jobs(db)) throw new Error('left')
    }
    await expect(run()).rejects.toThrow('left')
    expect(await work.counts(db)).toMatchObject({ ready: 1, active: 0 })
  })
})

describe('bad input', () => {
  it.each<[object, string]>([
    [{ retries: -1 }, 'retries must be a whole number of at least 0'],
    [{ concurrency: 0 }, 'concurrency must be a whole number of at least 1'],
    [{ lease: 5 }, 'lease must be at least 100 ms'],
    [{ lease: 2 ** 40 }, 'lease must be at most'],
    [{ timeout: 0 }, 'timeout must be at least 1 ms'],
    [{ deadLetters: { keep: 0 } }, 'keep of deadLetters must be at least 1 ms'],
    [{ deadLetters: 'yes' }, 'The options of deadLetters must be an object'],
    [{ backoff: 5 }, 'The options of backoff must be an object'],
    [{ backoff: { type: 'linear', delay: 5 } }, "The type of backoff must be 'fixed' or 'exponential'"],
    [{ backoff: { type: 'fixed' } }, 'delay of backoff must be a number'],
    [{ backoff: { type: 'fixed', delay: 1, jitter: 2 } }, 'jitter of backoff'],
    [{ retrys: 5 }, "did you mean 'retries'?"],
  ])('queue refuses %j', (options, message) => {
    expect(() => queue('work', payload, options as QueueOptions)).toThrow(message)
  })

  it('refuses a name that is not an identifier, and what is not a schema', () => {
    expect(() => queue('send mails', payload)).toThrow("'send mails' is not a name for a repository")
    expect(() => queue('work', {} as never)).toThrow('Standard Schema')
  })

  it('refuses a database without its definitions, and what is not a database', async () => {
    const { work } = await opened()
    await using other = await Valkeyrie.open(newAddress())
    const message = "The database was opened without the queue 'work': add its definitions"
    await expect(work.enqueue(other, { n: 1 })).rejects.toThrow(message)
    expect(() => work.enqueue(other.atomic(), { n: 1 })).toThrow(message)
    expect(() => work.process(other, () => {})).toThrow(message)
    await expect(work.enqueue({} as never, { n: 1 })).rejects.toThrow('enqueue takes an open database')
    expect(() => work.process(5 as never, () => {})).toThrow('process takes an open database')
    await expect(other.snapshot((view) => work.enqueue(view as never, { n: 1 }))).rejects.toThrow(TypeError)
  })

  it('a queue of plain values has no fields, and any kind of payload', async () => {
    const any = queue('any', z.any(), { lease: 600_000 })
    await using db = await Valkeyrie.withSchemas([...any.definitions]).open(newAddress())
    const values = [5, 'text', null, 5n, new Date(5), new Uint8Array([1]), [1], new Set([1])]
    for (const value of values) await any.enqueue(db, value)
    const seen: unknown[] = []
    for await (const job of any.jobs(db)) {
      seen.push(job.payload)
      if (seen.length < values.length) continue
      await job.complete()
      break
    }
    expect(seen).toStrictEqual(values)
    await expect(any.enqueue(db, new KvU64(5n))).rejects.toThrow(TypeError)
  })
})

it('an enqueue that is aborted puts nothing into the queue', async () => {
  const { work, db } = await opened()
  const reason = new Error('enough')
  for (const options of [{}, { deduplicate: 'once' }]) {
    const before = { ...options, signal: AbortSignal.abort(reason) }
    await expect(work.enqueue(db, { n: 1 }, before)).rejects.toBe(reason)
    const during = new AbortController()
    const enqueued = work.enqueue(db, { n: 1 }, { ...options, signal: during.signal })
    during.abort(reason)
    await expect(enqueued).rejects.toBe(reason)
  }
  expect(await work.counts(db)).toMatchObject({ ready: 0 })
  const { signal } = new AbortController()
  await work.enqueue(db, { n: 1 }, { deduplicate: 'once', signal })
  await db.unitOfWork((unit) => work.enqueue(unit, { n: 2 }, { signal }), { signal })
  expect(await work.counts(db)).toMatchObject({ ready: 2 })
  const operation = db.atomic()
  expect(() => work.enqueue(operation, { n: 3 }, { signal } as EnqueueJobOptions)).toThrow(TypeError)
  await expect(work.enqueue(db, { n: 3 }, { signal: 1 as never })).rejects.toThrow(TypeError)
})
