// Works on jobs until SIGTERM, or until the process that has started it is gone, and tells it how each job has ended.
import type { OpenOptions } from 'valkeyrie'
import { credit } from './credit.ts'
import { openQueue } from './database.ts'
import type { Lease } from './lease.ts'
import { Queue, type QueueOptions } from './queue.ts'
import { type Outcome, work } from './work.ts'

/** What a worker is told, as JSON in its argument. */
export interface WorkerSettings {
  readonly path: string
  readonly queue?: QueueOptions
  readonly open?: OpenOptions
  /** How many jobs it works on at once. */
  readonly atOnce?: number
}

/** What a worker tells. */
export interface Report {
  readonly outcome: Outcome
  readonly id: string
  readonly attempt: number
}

const { path, queue, open, atOnce = 1 } = JSON.parse(process.argv[2]!) as WorkerSettings
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
process.once('disconnect', () => stop.abort())
// It may be gone already: starting takes a while.
if (process.connected === false) stop.abort()

function report(outcome: Outcome, { id, attempt }: Lease): void {
  // One that has just gone need not be told, and the error of it would end this process with a job in hand.
  if (process.connected) process.send!({ outcome, id, attempt } satisfies Report, () => {})
}

await using db = await openQueue(path, open)
const jobs = new Queue(db, queue)
const options = { signal: stop.signal, onOutcome: report }
await Promise.all(Array.from({ length: atOnce }, () => work(jobs, credit, options)))
if (process.connected) process.disconnect()
