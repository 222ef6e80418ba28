import type { QueueRepositories } from './queue-rows.ts'
import { front } from './rows.ts'

/**
 * Puts a taken job at the front of its group's line, if it is its turn; otherwise it waits there. Runs in a unit of work. A job
 * stays at the front until it is done or dead, through all its attempts.
 */
export async function comesToFront(
  { jobs, lines }: QueueRepositories,
  group: string,
  id: string,
  now: number,
): Promise<boolean> {
  const holder = (await lines.get([group, front])).value?.job
  if (holder === id) return true
  if (holder !== undefined && (await jobs.exists(holder))) return false
  const next = await firstOf({ jobs, lines }, group)
  if (next !== null && next !== id) {
    await wake({ jobs }, next, now)
    return false
  }
  await lines.set([group, front], { job: id })
  return true
}

/** Removes a job from its group's line, and lets the next one come. Runs in the unit of work that removes the job. */
export async function leavesLine(
  { jobs, lines }: QueueRepositories,
  group: string,
  id: string,
  now: number,
): Promise<void> {
  await lines.delete([group, id])
  const holder = (await lines.get([group, front])).value?.job
  if (holder === id) await lines.delete([group, front])
  else if (holder !== undefined && (await jobs.exists(holder))) return
  const next = await firstOf({ jobs, lines }, group)
  if (next !== null) await wake({ jobs }, next, now)
}

/** The first job in the line of a group. Drops entries before it whose jobs were removed by hand. */
async function firstOf(
  { jobs, lines }: Pick<QueueRepositories, 'jobs' | 'lines'>,
  group: string,
): Promise<string | null> {
  for (;;) {
    const all = await Array.fromAsync(lines.list({ prefix: [group] }, { limit: 2 }))
    const first = all.find(({ id }) => id[1] !== front)
    if (first === undefined) return null
    const { job } = first.value
    if (await jobs.exists(job)) return job
    await lines.delete([group, job])
  }
}

/** Makes a waiting job available to the next worker. */
async function wake({ jobs }: Pick<QueueRepositories, 'jobs'>, id: string, now: number): Promise<void> {
  const { value } = await jobs.get(id)
  if (value?.due === null) await jobs.set(id, { ...value, due: now })
}
