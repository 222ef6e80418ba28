import fc from 'fast-check'
import { Valkeyrie } from 'valkeyrie'
import { type Job, queue } from 'valkeyrie/queue'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { seedOfThisRun } from '../concurrency/random.ts'
import { newAddress } from '../engine-of-project.ts'
import { extent } from '../extent.ts'
import { stillClock } from '../still-clock.ts'

const unit = 1_000
const retries = 1
const backoff = 2 * unit
const work = queue('work', z.int(), { retries, backoff: { type: 'fixed', delay: backoff }, lease: 600_000 })

interface ModelJob {
  readonly n: number
  readonly priority: number
  readonly group: string | null
  /** Null while it waits in its line. */
  due: number | null
  attempts: number
}

/** What a queue must do, with all jobs in a list in the order in which they were enqueued. */
class Model {
  readonly jobs: ModelJob[] = []
  readonly dead: number[] = []
  /** The job of each group that has begun. */
  readonly #fronts = new Map<string, ModelJob>()

  /** The job that a worker takes now. If there is none, no worker comes, and nothing changes. */
  next(now: number): ModelJob | undefined {
    const before = this.jobs.map(({ due }) => due)
    const next = this.#next(now)
    if (next === undefined) for (const [place, due] of before.entries()) this.jobs[place]!.due = due
    return next
  }

  #next(now: number): ModelJob | undefined {
    for (;;) {
      const due = this.jobs.filter((job) => job.due !== null && job.due <= now)
      const job = due.toSorted((a, b) => a.priority - b.priority || a.due! - b.due! || a.n - b.n)[0]
      if (job === undefined || this.#isItsTurn(job, now)) return job
      job.due = null
    }
  }

  failed(job: ModelJob, now: number): void {
    job.attempts += 1
    if (job.attempts <= retries) job.due = now + backoff
    else this.died(job, now)
  }

  died(job: ModelJob, now: number): void {
    this.dead.push(job.n)
    this.left(job, now)
  }

  left(job: ModelJob, now: number): void {
    this.jobs.splice(this.jobs.indexOf(job), 1)
    if (job.group === null || (this.#fronts.get(job.group) ?? job) !== job) return
    this.#fronts.delete(job.group)
    this.#wakeFirst(job.group, now)
  }

  #isItsTurn(job: ModelJob, now: number): boolean {
    const { group } = job
    if (group === null) return true
    const front = this.#fronts.get(group)
    if (front !== undefined) return front === job
    if (this.#wakeFirst(group, now) !== job) return false
    this.#fronts.set(group, job)
    return true
  }

  #wakeFirst(group: string, now: number): ModelJob | undefined {
    const first = this.jobs.find((job) => job.group === group)
    if (first?.due === null) first.due = now
    return first
  }
}

const command = fc.oneof(
  fc.record({
    type: fc.constant('enqueue' as const),
    priority: fc.integer({ min: -1, max: 1 }),
    delay: fc.constantFrom(0, 0, 1, 3),
    group: fc.constantFrom(null, null, 'a', 'b'),
  }),
  fc.record({ type: fc.constant('work' as const), outcome: fc.constantFrom('done', 'done', 'fail', 'dead') }),
  fc.record({ type: fc.constant('advance' as const), by: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ type: fc.constant('remove' as const), place: fc.nat(10) }),
)

it('whatever is enqueued, delayed, failed and removed, jobs come in the order of the model', async () => {
  const clock = stillClock()
  const law = fc.asyncProperty(fc.array(command, { maxLength: 30 }), async (commands) => {
    await using db = await Valkeyrie.withSchemas([...work.definitions]).open(newAddress(), {
      onUnindexed: 'error',
    })
    const model = new Model()
    const ids: string[] = []
    const take = async (settle: (job: Job<number>) => Promise<unknown>) => {
      for await (const job of work.jobs(db)) {
        await settle(job)
        return job.payload
      }
    }
    for (const step of [...commands, ...Array(4).fill({ type: 'advance', by: 4 })]) {
      if (step.type === 'enqueue') {
        const { priority, group, delay } = step
        const n = ids.length
        const place = group === null ? { priority } : { priority, group }
        ids.push((await work.enqueue(db, n, { ...place, delay: delay * unit })).id)
        model.jobs.push({ n, priority, group, due: clock.now + delay * unit, attempts: 0 })
      } else if (step.type === 'advance') {
        clock.advance(step.by * unit)
      } else if (step.type === 'remove') {
        const job = model.jobs[step.place]
        if (job === undefined) continue
        expect(await work.remove(db, ids[job.n]!)).toBe(true)
        model.left(job, clock.now)
      } else {
        const job = model.next(clock.now)
        if (job === undefined) continue
        const { outcome } = step
        const settle = (taken: Job<number>) => {
          expect([taken.payload, taken.attempt]).toStrictEqual([job.n, job.attempts + 1])
          return outcome === 'done'
            ? taken.complete()
            : taken.fail('no', { ...(outcome === 'dead' && { dead: true }) })
        }
        expect(await take(settle)).toBe(job.n)
        if (outcome === 'done') model.left(job, clock.now)
        else if (outcome === 'fail') model.failed(job, clock.now)
        else model.died(job, clock.now)
      }
    }
    const dead = await db.repositories.workDead.findMany()
    expect(dead.map(({ value }) => value.payload).toSorted()).toStrictEqual(model.dead.toSorted())
    const left = await db.repositories.work.findMany()
    expect(left.map(({ value }) => value.payload)).toStrictEqual(model.jobs.map(({ n }) => n))
    // The rest comes in the order of the model, too, and leaves nothing behind.
    for (;;) {
      const waiting = model.jobs.flatMap(({ due }) => due ?? [])
      if (waiting.length === 0) break
      clock.advance(Math.max(0, Math.min(...waiting) - clock.now))
      const job = model.next(clock.now)
      if (job === undefined) continue
      expect(await take((taken) => taken.complete())).toBe(job.n)
      model.left(job, clock.now)
    }
    expect(model.jobs).toStrictEqual([])
    const rest = await Array.fromAsync(db.list({ prefix: ['queues'] }), ({ key }) => key[2])
    expect(new Set(rest)).toStrictEqual(new Set(model.dead.length > 0 ? ['dead'] : []))
  })
  await fc.assert(law, {
    seed: seedOfThisRun(),
    numRuns: extent('histories', newAddress() === undefined ? 20 : 2, 40),
  })
})
