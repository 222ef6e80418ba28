import { noChecks } from '../commit/write.ts'
import { storeOfFace } from '../key-value/key-value.ts'
import type { EncodingId } from '../value/encoding.ts'
import { parseJson } from '../value/parse-json.ts'
import { occurrenceOf } from './occurrence.ts'
import { placeIn } from './places.ts'
import type { QueueRepositories, QueueRows } from './queue-rows.ts'
import { front } from './rows.ts'
import { nowOf, type QueueUnit } from './target.ts'

/**
 * Puts a taken job at the front of its group's line, if it is its turn; otherwise it waits there. Runs in a unit of work. A job
 * stays at the front until it is done or dead, through all its attempts.
 */
export async function comesToFront(
  rows: QueueRows,
  unit: QueueUnit,
  group: string,
  id: string,
): Promise<boolean> {
  const { jobs, lines } = rows.in(unit)
  const holder = (await lines.get([group, front])).value?.job
  if (holder === id) return true
  if (holder !== undefined && (await jobs.exists(holder))) return false
  const next = await firstOf({ jobs, lines }, group)
  if (next !== null && next !== id) {
    await wake(rows, unit, next)
    return false
  }
  await lines.set([group, front], { job: id })
  return true
}

/** Removes a job from its group's line, and lets the next one come. Runs in the unit of work that removes the job. */
export async function leavesLine(rows: QueueRows, unit: QueueUnit, group: string, id: string): Promise<void> {
  const { jobs, lines } = rows.in(unit)
  await lines.delete([group, id])
  const holder = (await lines.get([group, front])).value?.job
  if (holder === id) await lines.delete([group, front])
  else if (holder !== undefined && (await jobs.exists(holder))) return
  const next = await firstOf({ jobs, lines }, group)
  if (next !== null) await wake(rows, unit, next)
}

/** The first job in the line of a group. Drops entries before it whose jobs were removed by hand. */
async function firstOf(
  { jobs, lines }: Pick<QueueRepositories, 'jobs' | 'lines'>,
  group: string,
): Promise<string | null> {
  for (;;) {
    const job = await firstEntry(lines, group)
    if (job === null || (await jobs.exists(job))) return job
    await lines.delete([group, job])
  }
}

/** Among how many entries of one millisecond to look for the first: a process whose clock was set back gives all its ids the same. */
const mostCompared = 16

/**
 * The job whose entry comes first. Ids of several processes are in the order of enqueuing only from one millisecond to the next:
 * within one, the order of the commits counts.
 */
async function firstEntry(lines: QueueRepositories['lines'], group: string): Promise<string | null> {
  let first: { readonly job: string; readonly versionstamp: string } | null = null
  const entries = lines.list({ prefix: [group] }, { batchSize: 3, limit: mostCompared })
  for await (const { value, id, versionstamp } of entries) {
    const { job } = value
    if (id[1] === front) continue
    if (first === null) first = { job, versionstamp }
    else if (!areOfOneMillisecond(first.job, job)) break
    else if (versionstamp < first.versionstamp) first = { job, versionstamp }
  }
  return first?.job ?? null
}

/** The digits of the time in a UUIDv7. */
const digitsOfTime = 'xxxxxxxx-xxxx'.length

function areOfOneMillisecond(a: string, b: string): boolean {
  return a.slice(0, digitsOfTime) === b.slice(0, digitsOfTime) && occurrenceOf(a) === null
}

/** Makes a waiting job available to the next worker: also one whose payload cannot be decoded here, as it is stored. */
async function wake(rows: QueueRows, unit: QueueUnit, id: string): Promise<void> {
  const store = storeOfFace(unit)!
  const key = rows.jobKey(id)
  const encoded = store.encodeKey(key)
  const row = await store.read({ type: 'get', key: encoded })
  if (row === null || placeIn(row, key)?.due !== null) return
  const { types, expiresAt } = row
  const value = withDue(row.value as string, nowOf(unit))
  const stored = { value, encoding: row.encoding as EncodingId, types }
  const { name: collection } = rows.definitions[0]
  await store.commit({
    checks: noChecks,
    mutations: [{ type: 'set', key: encoded, collection, stored, expiresAt }],
  })
}

const waits = '"due":null'

/** The JSON of a waiting job with a time. Behind the payload come no objects, and within a text the quotes would be escaped. */
function withDue(json: string, due: number): string {
  const at = json.lastIndexOf(waits)
  // Another program has written it, with spaces.
  if (at === -1) return JSON.stringify({ ...(parseJson(json) as object), due })
  return `${json.slice(0, at)}"due":${due}${json.slice(at + waits.length)}`
}
