import { randomUUID } from 'node:crypto'
import type { Taken } from '../delivery/pump.ts'
import { clock } from '../time/clock.ts'
import { isLeftOut } from './fire-schedules.ts'
import { type Desk, HeldJob } from './held-job.ts'
import { LeaseLostError } from './lease-lost-error.ts'
import type { QueueRepositories } from './queue-rows.ts'
import type { StoredJob } from './rows.ts'
import { warn } from './warn.ts'

/** Jobs that are taken in one commit: those of the first begin while the next ones are taken. */
const mostInCommit = 200

/** What is kept of a worker, to tell the jobs that one has left behind. */
export function workerName(): string {
  return `${process.pid} ${randomUUID()}`
}

/**
 * Takes jobs that are due, so many at most, each for the time of a lease: those of a lower priority first, and of one priority those that
 * became due first.
 */
export function takeJobs(desk: Desk, worker: string, most: number): Promise<Taken<HeldJob>> {
  return desk.leases.inTurn(() => takeInTurn(desk, worker, most))
}

async function takeInTurn(desk: Desk, worker: string, most: number): Promise<Taken<HeldJob>> {
  const taken: HeldJob[] = []
  try {
    return { jobs: taken, nextDue: await fill(desk, worker, taken, most) }
  } catch (error) {
    if (taken.length === 0) throw error
    // Those that are taken are to be worked on all the same.
    warn(error)
    return { jobs: taken, nextDue: desk.now() }
  }
}

/**
 * Fills up what is taken, so far as one commit does. Gives when to take again: at once, when the next is due, or, where it is full or nothing will
 * be, null.
 */
async function fill(desk: Desk, worker: string, taken: HeldJob[], most: number): Promise<number | null> {
  const { jobs } = desk.rows.in(desk.database)
  const now = desk.now()
  let nextDue: number | null = null
  const isNext = (due: number) => {
    nextDue = Math.min(due, nextDue ?? Number.POSITIVE_INFINITY)
  }
  for await (const { priority, due } of firstOfPriorities(jobs)) {
    if (due !== null && due > now) {
      isNext(due)
      continue
    }
    const since = clock()
    const limit = Math.min(most - taken.length, mostInCommit)
    const { entries } = await jobs.claimMany({
      where: { priority, due: { lte: now } },
      orderBy: { due: 'asc' },
      limit,
      set: (job) => claimed(job, worker, desk.now() + desk.rows.terms.lease),
    })
    const begun = await Promise.all(entries.map((entry) => begin(desk, new HeldJob(desk, entry), since)))
    taken.push(...begun.filter((job) => job !== null))
    if (taken.length === most) return null
    // One that waits in its line now has left room, and may have woken one of a lower priority.
    if (entries.length === limit || begun.includes(null)) return now
    const next = await jobs.findFirst({ where: { priority, due: { gt: now } }, orderBy: { due: 'asc' } })
    if (next !== null) isNext(next.value.due!)
  }
  return nextDue
}

/**
 * The priorities of the jobs there are, the lowest first, each with when the first of its jobs is due: null where one waits in its line. An index
 * leads from one to the next.
 */
export async function* firstOfPriorities(
  jobs: QueueRepositories['jobs'],
): AsyncGenerator<Pick<StoredJob, 'priority' | 'due'>> {
  let last = Number.MIN_SAFE_INTEGER - 1
  for (;;) {
    const next = await jobs.findFirst({
      where: { priority: { gt: last } },
      // In the order of the index: by the priority alone, all jobs of one would be sorted by their keys first.
      orderBy: { priority: 'asc', due: 'asc' },
      columns: { priority: true, due: true },
    })
    if (next === null) return
    yield next.value
    last = next.value.priority
  }
}

function claimed(job: StoredJob, worker: string, due: number): StoredJob {
  const attempts = job.attempts + 1
  const error =
    job.worker === null
      ? job.error
      : `Worker ${job.worker} did not end attempt ${job.attempts} before its lease ran out`
  return { ...job, due, attempts, worker, error }
}

/** The job, where it can be worked on: its last attempt is not over, its time was not missed, and it is its turn in its group. */
async function begin(desk: Desk, job: HeldJob, since: number): Promise<HeldJob | null> {
  try {
    if (job.attempt > desk.rows.terms.retries + 1) {
      await job.fail(job.lastError, { dead: true })
      return null
    }
    if (job.attempt === 1 && (await isLeftOut(desk.rows, desk.database, job.id, desk.now()))) {
      await job.complete()
      return null
    }
    if (!(await job.comesToFront())) return null
    desk.leases.keep(job, since)
    return job
  } catch (error) {
    // Its lease is over in time.
    if (!(error instanceof LeaseLostError)) warn(error)
    return null
  }
}
