import { randomUUID } from 'node:crypto'
import { isOfRow } from '../delivery/passed-over.ts'
import type { Taken } from '../delivery/pump.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'
import { storeOfFace } from '../key-value/key-value.ts'
import { clock } from '../time/clock.ts'
import { isLeftOut } from './fire-schedules.ts'
import { type Desk, HeldJob, type TakenJob } from './held-job.ts'
import { LeaseLostError } from './lease-lost-error.ts'
import { firstOfPriorities, firstPlace, storedRows } from './places.ts'
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
  const { rows, database, passedOver } = desk
  const times: number[] = []
  for await (const { priority, due } of firstOfPriorities(rows, database)) {
    if (due !== null && due > now) {
      times.push(due)
      continue
    }
    const since = clock()
    const limit = Math.min(most - taken.length, mostInCommit)
    const query = { where: { priority, due: { lte: now } }, orderBy: { due: 'asc' } } as const
    const { entries, isMore } = await claim(desk, query, limit, (job) =>
      claimed(job, worker, desk.now() + rows.terms.lease),
    )
    const begun = await Promise.all(entries.map((entry) => begin(desk, new HeldJob(desk, entry), since)))
    taken.push(...begun.filter((job) => job !== null))
    if (taken.length === most) return null
    // A job that had to wait in its line leaves room, and may have woken one with a lower priority.
    if (isMore || begun.includes(null)) return now
    const later = { where: { priority, due: { gt: now } }, orderBy: { due: 'asc' } }
    const next = await firstPlace(rows, database, later)
    if (next !== null) times.push(next.due!)
  }
  const again = passedOver.next(now)
  if (again !== null) times.push(again)
  return times.length === 0 ? null : Math.min(...times)
}

interface ClaimQuery {
  readonly where: { readonly priority: number; readonly due: { readonly lte: number } }
  readonly orderBy: { readonly due: 'asc' }
}

/** The jobs that were claimed, and whether the query may find more. */
interface Claimed {
  readonly entries: readonly TakenJob[]
  readonly isMore: boolean
}

/** Claims up to `limit` jobs in one commit; or, if one of them is to blame that this fails, each on its own. */
async function claim(
  desk: Desk,
  query: ClaimQuery,
  limit: number,
  set: (job: StoredJob) => StoredJob,
): Promise<Claimed> {
  if (desk.passedOver.size > 0) return claimEach(desk, query, limit, set)
  try {
    const { entries } = await desk.rows.in(desk.database).jobs.claimMany({ ...query, limit, set })
    return { entries, isMore: entries.length === limit }
  } catch (error) {
    if (!isOfRow(error)) throw error
    return claimEach(desk, query, limit, set)
  }
}

async function claimEach(
  { database, rows, passedOver }: Desk,
  query: ClaimQuery,
  limit: number,
  set: (job: StoredJob) => StoredJob,
): Promise<Claimed> {
  const store = storeOfFace(database)!
  const found = await storedRows(rows, 'jobs', database, query, limit + passedOver.size)
  const wanted = found.filter((row) => !passedOver.isPaused(row)).slice(0, limit)
  const claims = await passedOver.takeEach(wanted, async (row): Promise<TakenJob | null> => {
    const { key } = row
    const value = set((await store.decode(row, key)) as StoredJob)
    const check = { key, versionstamp: formatVersionstamp(row.version) }
    const result = await database.atomic().check(check).set(key, value).commit()
    return result.ok ? { id: rows.idOf(key), value, versionstamp: result.versionstamp } : null
  })
  return { entries: claims.filter((job) => job !== null), isMore: wanted.length > 0 }
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
