import { holderOf } from './enqueue.ts'
import { leavesLine } from './line.ts'
import { firstOfPriorities } from './places.ts'
import type { QueueRows } from './queue-rows.ts'
import { newJob } from './rows.ts'
import { isUnit, nowOf, type QueueDatabase, type QueueUnit, type QueueView } from './target.ts'

/** How many jobs there are. */
export interface JobCounts {
  /** Jobs that a worker may take now. */
  readonly ready: number
  /** Jobs whose time has not come, after a delay or a failure. */
  readonly delayed: number
  /** Jobs that wait for others of their group. */
  readonly waiting: number
  /** Running jobs. */
  readonly active: number
  /** The dead letters. */
  readonly dead: number
}

/** Turns a dead letter, or all of them, back into jobs, with all attempts left. Returns how many there were. */
export async function redrive(
  rows: QueueRows,
  database: QueueDatabase,
  id: string | undefined,
): Promise<number> {
  const { dead } = rows.in(database)
  if (id !== undefined) return (await redriveOne(rows, database, id)) ? 1 : 0
  // Jobs that die meanwhile are left alone: they may die again at once.
  const until = nowOf(database)
  let count = 0
  for await (const letter of dead.list()) {
    if (letter.value.diedAt <= until && (await redriveOne(rows, database, letter.id))) count += 1
  }
  return count
}

async function redriveOne(rows: QueueRows, database: QueueDatabase, id: string): Promise<boolean> {
  return database.unitOfWork(async (unit: QueueUnit) => {
    const { jobs, dead, lines, keys } = rows.in(unit)
    const { value: letter } = await dead.get(id)
    if (letter === null) return false
    const { payload, priority, group, unique = null, error, enqueuedAt } = letter
    if (unique !== null && (await holderOf(rows, unit, unique)) !== null) return false
    const due = nowOf(database)
    await dead.delete(id)
    await jobs.set(id, newJob({ payload, due, priority, group, unique, error, enqueuedAt }))
    if (group !== null) await lines.set([group, id], { job: id })
    if (unique !== null) await keys.set(unique, { job: id, whileQueued: true })
    return true
  })
}

/** Removes a job, whoever works on it. Returns whether it existed. */
export async function removeJob(
  rows: QueueRows,
  target: QueueDatabase | QueueUnit,
  id: string,
): Promise<boolean> {
  if (!isUnit(target)) return target.unitOfWork((unit: QueueUnit) => removeJob(rows, unit, id))
  const repositories = rows.in(target)
  const { value } = await repositories.jobs.get(id)
  if (value === null) return false
  await repositories.jobs.delete(id)
  if (value.unique !== null) await repositories.keys.delete(value.unique)
  if (value.group !== null) await leavesLine(rows, target, value.group, id)
  return true
}

export async function countJobs(rows: QueueRows, database: QueueDatabase): Promise<JobCounts> {
  return database.snapshot(async (view: QueueView) => {
    const { jobs, dead } = rows.in(view)
    const now = nowOf(database)
    const counts = { ready: 0, delayed: 0, waiting: 0, active: 0, dead: await dead.count() }
    for await (const { priority } of firstOfPriorities(rows, view)) {
      counts.ready += await jobs.count({ where: { priority, due: { lte: now } } })
      counts.delayed += await jobs.count({ where: { priority, due: { gt: now }, worker: { isNull: true } } })
      counts.active += await jobs.count({
        where: { priority, due: { gt: now }, worker: { isNotNull: true } },
      })
      counts.waiting += await jobs.count({ where: { priority, due: { isNull: true } } })
    }
    return counts
  })
}
