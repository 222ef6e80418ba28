/**
 * Forty jobs for three worker processes. Some fail at first, one fails always, and a worker is killed with a job in hand.
 *
 *     node examples/job-queue.ts
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openQueue } from './job-queue/database.ts'
import { Queue } from './job-queue/queue.ts'
import type { WorkerSettings } from './job-queue/worker.ts'

const path = join(tmpdir(), `valkeyrie-jobs-${process.pid}.db`)
await using db = await openQueue(path, { destroyOnClose: true })
const { jobs, deadLetters, receipts, accounts } = db.repositories

const program = fileURLToPath(new URL('./job-queue/worker.ts', import.meta.url))
const terms = { lease: 3_000, attempts: 4, backoff: { first: 20, longest: 200 } }
const workers = new Map<string, ChildProcess>()
const ended: Promise<unknown>[] = []

function start(worker: string): void {
  const settings: WorkerSettings = { path, queue: { ...terms, worker } }
  const child = fork(program, [JSON.stringify(settings)])
  workers.set(worker, child)
  ended.push(once(child, 'exit'))
}

/** Waits until a worker has the job, and gives its name. */
async function holderOf(job: string): Promise<string> {
  for await (const { value } of jobs.watch(job)) if (value?.lease) return value.lease.worker
  throw new Error('The database was closed')
}

async function allAreDone(): Promise<void> {
  for await (const first of jobs.watchMany({ limit: 1 })) if (first.length === 0) return
}

try {
  for (const worker of ['a', 'b', 'c']) start(worker)

  const queue = new Queue(db)
  for (let n = 0; n < 38; n++) {
    await queue.enqueue({ account: ['ada', 'bob'][n % 2]!, cents: 100, failures: n % 10 === 0 ? 2 : 0 })
  }
  await queue.enqueue({ account: 'eve', cents: 100, failures: terms.attempts })
  const order = { idempotencyKey: 'order 7' }
  const slow = await queue.enqueue({ account: 'cleo', cents: 100, milliseconds: 60_000 }, order)
  const again = await queue.enqueue({ account: 'cleo', cents: 100, milliseconds: 60_000 }, order)
  console.log(
    `40 jobs are enqueued. Order 7 was sent twice, and is ${slow === again ? 'one job' : 'two jobs'}.`,
  )

  const victim = await holderOf(slow)
  workers.get(victim)!.kill('SIGKILL')
  console.log(`Worker ${victim} is killed with order 7 in hand, and worker d takes its place.`)
  start('d')
  await allAreDone()

  const done = await receipts.findMany()
  const by = Object.groupBy(done, ({ value }) => value.worker)
  const shares = Object.entries(by).map(([worker, jobs]) => `${worker} ${jobs!.length}`)
  console.log(`Done: ${done.length} jobs (${shares.toSorted().join(', ')}).`)
  const { value: receipt } = await receipts.get(slow)
  console.log(`Order 7: done at attempt ${receipt?.attempt}, by worker ${receipt?.worker}.`)
  for await (const { id, value } of accounts.list()) console.log(`  ${id} has ${value.value} cents`)
  for await (const { value } of deadLetters.list()) {
    console.log(`Given up after ${value.attempts} attempts: ${value.payload.account}. ${value.error}`)
  }
} finally {
  for (const worker of workers.values()) if (worker.connected) worker.disconnect()
  await Promise.all(ended)
}
