import { randomUUID } from 'node:crypto'
import type { Taken } from '../delivery/pump.ts'
import { clock } from '../time/clock.ts'
import { isLeftOut } from './fire-schedules.ts'
import { type Desk, HeldJob } from './held-job.ts'
import { LeaseLostError } from './lease-lost-error.ts'
import type { QueueRepositories } from './queue-rows.ts'
import type { StoredJob } from './rows.ts'
import { warn } from './warn.ts'

/** How many jobs to take in one commit: the first ones begin while the next are taken. */
const mostInCommit = 200

/** Identifies a worker, so that a job can say who left it behind. */
export function workerName(): string {
  return `${process.pid} ${randomUUID()}`
}

/** Takes up to `most` due jobs, each with a lease: lower priorities first, and within a priority those that became due first. */
export function takeJobs(desk: Desk, worker: string, most: number): Promise<Taken<HeldJob>> {
  return desk.leases.inTurn((now) => takeInTurn(desk, worker, most, now))
}

async function takeInTurn(desk: Desk, worker: string, most: number, now: number): Promise<Taken<HeldJob>> {
  const taken: HeldJob[] = []
  try {
    return { jobs: taken, nextDue: await fill(desk, worker, taken, most, now) }
  } catch (error) {
    if (taken.length === 0) throw error
    // Jobs that were taken still have to run.
    warn(error)
    return { jobs: taken, nextDue: desk.now() }
  }
}

/**
 * Takes jobs that are due until `taken` has `most`, or until one commit is full. Returns when to take again: now, when the next is
 * due, or null if `taken` is full or nothing will be due.
 */
async function fill(
  desk: Desk,
  worker: string,
  taken: HeldJob[],
  most: number,
  now: number,
): Promise<number | null> {
  const { jobs } = desk.rows.in(desk.database)
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
    // A job that had to wait in its line leaves room, and may have woken one with a lower priority.
    if (entries.length === limit || begun.includes(null)) return now
    const next = await jobs.findFirst({ where: { priority, due: { gt: now } }, orderBy: { due: 'asc' } })
    if (next !== null) isNext(next.value.due!)
  }
  return nextDue
}

/**
 * The priorities of the existing jobs, lowest first, each with the time when its first job is due; null if that one waits in a
 * line. Each step uses an index.
 */
export async function* firstOfPriorities(
  jobs: QueueRepositories['jobs'],
): AsyncGenerator<Pick<StoredJob, 'priority' | 'due'>> {
  let last = Number.MIN_SAFE_INTEGER - 1
  for (;;) {
    const next = await jobs.findFirst({
      where: { priority: { gt: last } },
      // In the order of the index: by priority alone, all jobs of a priority would first be sorted by key.
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

/** The job, if it can run: it has an attempt left, its time was not missed, and it is its turn in its group. */
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
    // Its lease will run out.
    if (!(error instanceof LeaseLostError)) warn(error)
    return null
  }
}
