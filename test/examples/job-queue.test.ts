import { describe, expect, it, vi } from 'vitest'
import { backoffDelay } from '../../examples/job-queue/backoff.ts'
import { openQueue, type Payload, type QueueDatabase } from '../../examples/job-queue/database.ts'
import { type Lease, LeaseLostError } from '../../examples/job-queue/lease.ts'
import { Queue } from '../../examples/job-queue/queue.ts'
import { type Handler, type Outcome, work } from '../../examples/job-queue/work.ts'
import { newDatabasePath } from '../concurrency/temporary-folder.ts'
import { stillClock } from '../still-clock.ts'
import { runExample } from './run-example.ts'

const payload: Payload = { account: 'ada', cents: 5 }
const open = () => openQueue(undefined, { onUnindexed: 'error' })
const never = new AbortController().signal

/** A handler whose effect is a receipt. */
const sign: Handler = async ({ id, attempt, worker }) => {
  return async ({ repositories: { receipts } }) => void (await receipts.set(id, { attempt, worker }))
}

/** Works until so many attempts have ended, and gives their outcomes. */
async function outcomesOf(queue: Queue, handle: Handler, count: number): Promise<Outcome[]> {
  const stop = new AbortController()
  const outcomes: Outcome[] = []
  const onOutcome = (outcome: Outcome) => {
    outcomes.push(outcome)
    if (outcomes.length === count) stop.abort()
  }
  await work(queue, handle, { signal: stop.signal, onOutcome })
  return outcomes
}

async function nextLease(queue: Queue): Promise<Lease> {
  for (;;) {
    const lease = await queue.claim()
    if (lease !== null) return lease
    await queue.untilDue(never)
  }
}

/** Ends the time of a lease, as if its holder had slept. */
async function runOut({ repositories: { jobs } }: QueueDatabase, id: string): Promise<void> {
  await jobs.update(id, { runAt: new Date(0) })
}

it('runs: a worker is killed with its job in hand, and every job is done once or given up', async () => {
  const output = await runExample('job-queue')
  expect(output).toMatch(/^40 jobs are enqueued\. Order 7 was sent twice, and is one job\.$/m)
  expect(output).toMatch(/^Worker [abc] is killed with order 7 in hand, and worker d takes its place\.$/m)
  expect(output).toMatch(/^Done: 39 jobs /m)
  expect(output).toMatch(/^Order 7: done at attempt 2, /m)
  expect(output).toMatch(/^ {2}ada has 1900 cents\n {2}bob has 1900 cents\n {2}cleo has 100 cents$/m)
  expect(output).toMatch(/^Given up after 4 attempts: eve\. Error: The bank refuses eve$/m)
})

describe('taking jobs', () => {
  it('goes by the time when they became ready, then by the order in which they came', async () => {
    await using db = await open()
    const queue = new Queue(db)
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.push(await queue.enqueue(payload))
    await db.repositories.jobs.update(ids[3]!, { runAt: new Date(0) })
    for (const n of [0, 1, 2, 4]) await db.repositories.jobs.update(ids[n]!, { runAt: new Date(1) })
    const taken = [ids[3], ids[0], ids[1], ids[2], ids[4]]
    for (const id of taken) expect((await queue.claim())?.id).toBe(id)
    expect(await queue.claim()).toBeNull()
  })

  it('finds what is ready, and what is due next, by the index', async () => {
    await using db = await open()
    const { jobs } = db.repositories
    expect(
      await jobs.explain({ where: { runAt: { lte: new Date() } }, orderBy: { runAt: 'asc' }, limit: 16 }),
    ).toEqual(['SEARCH kv USING INDEX kv_jobs_runAt (<expr><?)'])
    expect(await jobs.explain({ orderBy: { runAt: 'asc' }, limit: 1 })).toEqual([
      'SCAN kv USING INDEX kv_jobs_runAt',
    ])
  })

  it('gives each job to one, and few ask in vain', async () => {
    const path = newDatabasePath()
    let queries = 0
    const logQuery = (sql: string) => {
      if (sql.includes("'$.runAt'") && sql.startsWith('select')) queries += 1
    }
    const connections = [
      await openQueue(path, { logger: { logQuery } }),
      await openQueue(path, { logger: { logQuery } }),
    ]
    const queues = connections.map((db) => new Queue(db))
    const ids = await Promise.all(Array.from({ length: 40 }, () => queues[0]!.enqueue(payload)))
    const leases = await Promise.all(ids.map((_, n) => queues[n % 2]!.claim()))
    expect(leases.map((lease) => lease?.id).toSorted()).toEqual(ids.toSorted())
    // Each for the first job, one winner a round: that would be 40 + 39 + … + 1 = 820.
    expect(queries).toBeGreaterThanOrEqual(40)
    expect(queries).toBeLessThan(300)
    expect(await queues[1]!.claim()).toBeNull()
    for (const db of connections) await db.close()
  })

  it('leaves a job alone until its delay is over', async () => {
    await using db = await open()
    const queue = new Queue(db)
    const before = Date.now()
    const id = await queue.enqueue(payload, { delay: 150 })
    expect(await nextLease(queue)).toMatchObject({ id, attempt: 1 })
    expect(Date.now()).toBeGreaterThanOrEqual(before + 150)
  })
})

describe('waiting', () => {
  it('looks when a job comes, when it is due and when a lease runs out, and not in between', async () => {
    const path = newDatabasePath()
    let queries = 0
    const logQuery = (sql: string) => {
      if (sql.startsWith('select') && sql.includes("'$.runAt'")) queries += 1
    }
    await using db = await openQueue(path, { logger: { logQuery } })
    await using other = await openQueue(path)
    stillClock()
    const elsewhere = new Queue(other, { lease: 300 })
    const delayed = await elsewhere.enqueue(payload, { delay: 300 })
    const abandoned = await elsewhere.enqueue(payload)
    expect((await elsewhere.claim())?.id).toBe(abandoned)
    vi.useRealTimers()

    const done: string[] = []
    const working = outcomesOf(
      new Queue(db),
      async (job, signal) => {
        done.push(job.id)
        if (done.length === 2) await elsewhere.enqueue(payload)
        return sign(job, signal)
      },
      3,
    )
    expect(await working).toEqual(['done', 'done', 'done'])
    expect(done.slice(0, 2).toSorted()).toEqual([delayed, abandoned].toSorted())
    // One that asks again and again asks hundreds of times in these 300 ms.
    expect(queries).toBeLessThan(20)
  })

  it('ends with the signal, and with the database', async () => {
    const db = await open()
    const queue = new Queue(db)
    await queue.untilDue(AbortSignal.abort())
    const stop = new AbortController()
    const waiting = queue.untilDue(stop.signal)
    stop.abort()
    await waiting
    const ended = expect(work(queue, sign, { signal: never })).rejects.toThrow('Database is closed')
    await db.close()
    await ended
  })

  it('finishes the job in hand when it is told to stop, and begins no other', async () => {
    await using db = await open()
    const queue = new Queue(db)
    const first = await queue.enqueue(payload)
    await queue.enqueue(payload)
    const stop = new AbortController()
    const outcomes: Outcome[] = []
    const handle: Handler = async (job, signal) => {
      stop.abort()
      return sign(job, signal)
    }
    await work(queue, handle, { signal: stop.signal, onOutcome: (outcome) => outcomes.push(outcome) })
    expect(outcomes).toEqual(['done'])
    expect((await db.repositories.receipts.findMany()).map(({ id }) => id)).toEqual([first])
    expect(await db.repositories.jobs.count()).toBe(1)
  })
})

describe('a lease', () => {
  it('once another has the job, completes nothing, fails nothing and renews nothing', async () => {
    await using db = await open()
    const { jobs, receipts } = db.repositories
    const queue = new Queue(db)
    const id = await queue.enqueue(payload)
    const old = (await queue.claim())!
    await runOut(db, id)
    const current = (await queue.claim())!
    expect([old.attempt, current.attempt]).toEqual([1, 2])

    const before = await jobs.get(id)
    await expect(old.complete(await sign(old, never))).rejects.toThrow(LeaseLostError)
    await expect(old.fail(new Error('too late'))).rejects.toThrow(LeaseLostError)
    await expect(old.renew()).rejects.toThrow(LeaseLostError)
    expect(await jobs.get(id)).toEqual(before)
    expect(await receipts.exists(id)).toBe(false)

    await current.complete(await sign(current, never))
    expect((await receipts.get(id)).value).toMatchObject({ attempt: 2 })
    await expect(old.complete()).rejects.toThrow(LeaseLostError)
    await expect(current.complete(await sign(current, never))).rejects.toThrow(LeaseLostError)
  })

  it('that runs out while its job is completed is not completed', async () => {
    await using db = await open()
    const queue = new Queue(db)
    const id = await queue.enqueue(payload)
    const old = (await queue.claim())!
    let runs = 0
    const completing = old.complete(async ({ repositories: { receipts } }) => {
      runs += 1
      await receipts.set(id, { attempt: old.attempt, worker: old.worker })
      await runOut(db, id)
      await queue.claim()
    })
    await expect(completing).rejects.toThrow(LeaseLostError)
    expect(runs).toBe(1)
    expect(await db.repositories.receipts.exists(id)).toBe(false)
    expect((await db.repositories.jobs.get(id)).value).toMatchObject({ attempts: 2 })
  })

  it('is good, though its time is over, while nobody else has taken the job', async () => {
    await using db = await open()
    const queue = new Queue(db)
    const id = await queue.enqueue(payload)
    const lease = (await queue.claim())!
    await runOut(db, id)
    await lease.renew()
    expect(await queue.claim()).toBeNull()
    await runOut(db, id)
    await lease.complete()
    expect(await queue.claim()).toBeNull()
    expect(await db.repositories.jobs.count()).toBe(0)
  })

  it('is renewed while the work lasts: nobody else gets a job that takes longer', async () => {
    const clock = stillClock()
    await using db = await open()
    const { jobs } = db.repositories
    const queue = new Queue(db, { lease: 90 })
    const id = await queue.enqueue(payload)
    const outlastsItsLease: Handler = async (job, signal) => {
      let end: number | undefined
      for await (const { value } of jobs.watch(id)) {
        end ??= value!.runAt.getTime()
        if (value!.runAt.getTime() >= end + 2 * job.terms.lease) break
        // Time goes on only after the lease was renewed.
        clock.advance(job.terms.lease - 1)
      }
      return sign(job, signal)
    }
    const stop = new AbortController()
    const outcomes: Outcome[] = []
    const onOutcome = (outcome: Outcome) => {
      outcomes.push(outcome)
      stop.abort()
    }
    const options = { signal: stop.signal, onOutcome }
    await Promise.all([work(queue, outlastsItsLease, options), work(queue, outlastsItsLease, options)])
    expect(outcomes).toEqual(['done'])
    expect((await db.repositories.receipts.get(id)).value).toMatchObject({ attempt: 1 })
  })

  it('that is lost stops the work that rests on it', async () => {
    await using db = await open()
    const queue = new Queue(db, { lease: 90 })
    const id = await queue.enqueue(payload)
    const reasons: unknown[] = []
    const robbed: Handler = async (_, signal) => {
      await runOut(db, id)
      // It may be renewed just then.
      while ((await new Queue(db).claim()) === null) await runOut(db, id)
      const { promise, resolve } = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => resolve())
      await promise
      reasons.push(signal.reason)
      throw new Error('stopped half way')
    }
    expect(await outcomesOf(queue, robbed, 1)).toEqual(['lost'])
    expect(reasons).toEqual([expect.any(LeaseLostError)])
    expect((await db.repositories.jobs.get(id)).value).toMatchObject({
      attempts: 2,
      error: `process ${process.pid} has not finished attempt 1`,
    })
  })
})

describe('what fails', () => {
  it('is an attempt that hangs as well: it has its time, and the worker goes on', async () => {
    await using db = await open()
    const queue = new Queue(db, {
      lease: 60,
      timeout: 150,
      attempts: 1_000,
      backoff: { first: 1, longest: 1 },
    })
    const id = await queue.enqueue(payload)
    const errors: (string | null)[] = []
    const hangsAtFirst: Handler = async (job, signal) => {
      const { value } = await db.repositories.jobs.get(id)
      errors.push(value!.error)
      return job.attempt === 1 ? new Promise(() => {}) : sign(job, signal)
    }
    const stop = new AbortController()
    const outcomes: Outcome[] = []
    const onOutcome = (outcome: Outcome) => {
      outcomes.push(outcome)
      if (outcome !== 'retry') stop.abort()
    }
    await work(queue, hangsAtFirst, { signal: stop.signal, onOutcome })
    // On a slow machine a later attempt may take too long as well.
    expect(outcomes.slice(0, -1)).toContain('retry')
    expect(outcomes.at(-1)).toBe('done')
    expect(errors.slice(0, 2)).toEqual([null, 'Error: Took longer than 150 ms'])
  })

  it('waits longer each time, differently long, and never too long', () => {
    const backoff = { first: 100, longest: 1_000 }
    const waits = (random: number) =>
      [1, 2, 3, 4, 5, 2_000].map((n) => backoffDelay(backoff, n, () => random))
    expect(waits(0)).toEqual([100, 200, 400, 800, 1_000, 1_000])
    expect(waits(1)).toEqual([50, 100, 200, 400, 500, 500])
  })

  it('comes back after its wait, knows why it failed, and is given up after its last attempt', async () => {
    await using db = await open()
    const { jobs, deadLetters } = db.repositories
    const queue = new Queue(db, { attempts: 3, backoff: { first: 40, longest: 1_000 } })
    const id = await queue.enqueue(payload)
    for (const [attempt, bound] of [
      [1, 40],
      [2, 80],
    ] as const) {
      const lease = await nextLease(queue)
      const before = Date.now()
      expect(await lease.fail(new Error(`no luck ${attempt}`))).toBe('retry')
      const after = Date.now()
      const { value } = await jobs.get(id)
      expect(value).toMatchObject({ attempts: attempt, lease: null, error: `Error: no luck ${attempt}` })
      expect(value!.runAt.getTime()).toBeGreaterThanOrEqual(before + bound / 2)
      expect(value!.runAt.getTime()).toBeLessThanOrEqual(after + bound)
      expect(await lease.fail('again').catch((error) => error)).toBeInstanceOf(LeaseLostError)
    }
    const last = await nextLease(queue)
    expect(await last.fail(new Error('no luck 3'))).toBe('dead')
    expect(await jobs.exists(id)).toBe(false)
    const letter = await deadLetters.get(id)
    expect(letter.value).toMatchObject({ attempts: 3, error: 'Error: no luck 3', payload })
  })

  it('is given up as well when it is the worker that dies each time', async () => {
    await using db = await open()
    const { jobs, deadLetters } = db.repositories
    const queue = new Queue(db, { attempts: 2, worker: 'w1' })
    const id = await queue.enqueue(payload)
    for (const attempt of [1, 2]) {
      expect(await queue.claim()).toMatchObject({ id, attempt })
      await runOut(db, id)
    }
    expect(await queue.claim()).toBeNull()
    expect((await deadLetters.get(id)).value).toMatchObject({
      attempts: 2,
      error: 'w1 has not finished attempt 2',
    })
    expect(await jobs.exists(id)).toBe(false)
  })

  it('of an effect that is refused, leaves nothing behind and fails', async () => {
    await using db = await open()
    const { jobs, receipts, accounts } = db.repositories
    const queue = new Queue(db, { attempts: 1 })
    const id = await queue.enqueue(payload)
    const handle: Handler = async () => async (unit) => {
      await unit.repositories.accounts.sum('ada', 5n)
      await unit.repositories.receipts.set(id, { attempt: 0.5, worker: 'w1' })
    }
    expect(await outcomesOf(queue, handle, 1)).toEqual(['dead'])
    expect(await Promise.all([jobs.exists(id), receipts.exists(id), accounts.exists('ada')])).toEqual([
      false,
      false,
      false,
    ])
    expect((await db.repositories.deadLetters.get(id)).value?.error).toContain('ValidationError')
  })

  it('may be revived, with all its attempts before it', async () => {
    await using db = await open()
    const { deadLetters, receipts } = db.repositories
    const queue = new Queue(db, { attempts: 1 })
    const id = await queue.enqueue(payload)
    const old = (await queue.claim())!
    expect(await old.fail('broken')).toBe('dead')
    expect(await Promise.all([queue.revive(id), queue.revive(id), queue.revive('nobody')])).toEqual([
      true,
      false,
      false,
    ])
    await expect(old.complete()).rejects.toThrow(LeaseLostError)
    expect(await outcomesOf(queue, sign, 1)).toEqual(['done'])
    expect((await receipts.get(id)).value).toMatchObject({ attempt: 1 })
    expect(await deadLetters.count()).toBe(0)
  })
})

describe('enqueueing', () => {
  it('with an idempotency key makes one job of many calls, also after it is done', async () => {
    const path = newDatabasePath()
    const connections = [await openQueue(path), await openQueue(path)]
    const queues = connections.map((db) => new Queue(db, { rememberFor: 60_000 }))
    const send = (idempotencyKey: string) =>
      Promise.all(Array.from({ length: 10 }, (_, n) => queues[n % 2]!.enqueue(payload, { idempotencyKey })))
    const [ids, others] = await Promise.all([send('order 1'), send('order 2')])
    expect([new Set(ids).size, new Set(others).size, new Set([...ids, ...others]).size]).toEqual([1, 1, 2])
    expect(await connections[0]!.repositories.jobs.count()).toBe(2)
    expect(await outcomesOf(queues[0]!, sign, 2)).toEqual(['done', 'done'])
    expect(await queues[1]!.enqueue(payload, { idempotencyKey: 'order 1' })).toBe(ids[0])
    expect(await connections[0]!.repositories.jobs.count()).toBe(0)
    for (const db of connections) await db.close()
  })

  it('forgets an idempotency key in time', async () => {
    await using db = await open()
    const queue = new Queue(db, { rememberFor: 20 })
    const id = await queue.enqueue(payload, { idempotencyKey: 'k' })
    for await (const { value } of db.repositories.idempotencyKeys.watch('k')) if (value === null) break
    expect(await queue.enqueue(payload, { idempotencyKey: 'k' })).not.toBe(id)
  })

  it('in a unit of work happens with the rest of it, or not at all', async () => {
    await using db = await open()
    const { jobs, receipts } = db.repositories
    const queue = new Queue(db)
    const failing = db.unitOfWork(async (unit) => {
      await queue.enqueueIn(unit, payload)
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    expect(await jobs.count()).toBe(0)

    // One job that orders the next.
    await queue.enqueue(payload)
    const handle: Handler = async (job) => async (unit) => {
      await unit.repositories.receipts.set(job.id, { attempt: job.attempt, worker: job.worker })
      if (job.payload.cents > 1) await queue.enqueueIn(unit, { ...job.payload, cents: job.payload.cents - 1 })
    }
    expect(await outcomesOf(queue, handle, 5)).toEqual(['done', 'done', 'done', 'done', 'done'])
    expect([await jobs.count(), await receipts.count()]).toEqual([0, 5])
  })
})
