/**
 * Forty jobs for three worker processes. Some fail at first, one fails always, and a worker is killed with a job in hand.
 *
 *     node examples/job-queue.ts
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { addressOf } from './address/address-of.ts'
import { attempts, openPayments, payments } from './job-queue/database.ts'

const path = addressOf('jobs')
await using db = await openPayments(path, { destroyOnClose: true })
const { payments: jobs, paymentsDead, receipts, accounts } = db.repositories

const program = fileURLToPath(new URL('./job-queue/worker.ts', import.meta.url))
const workers = new Map<string, ChildProcess>()
const ended: Promise<unknown>[] = []

function start(worker: string): void {
  const child = fork(program, [JSON.stringify({ path, worker })])
  workers.set(worker, child)
  ended.push(once(child, 'exit'))
}

/** Waits until a worker has the job, and gives its name: a job tells the process and a random part of whoever has it. */
async function holderOf(job: string): Promise<string> {
  for await (const { value } of jobs.watch(job)) {
    if (!value?.worker) continue
    const found = [...workers].find(([, { pid }]) => value.worker?.startsWith(`${pid} `))
    if (found !== undefined) return found[0]
  }
  throw new Error('The database was closed')
}

async function allAreDone(): Promise<void> {
  for await (const first of jobs.watchMany({ limit: 1 })) if (first.length === 0) return
}

try {
  for (const worker of ['a', 'b', 'c']) start(worker)

  for (let n = 0; n < 38; n++) {
    const account = ['ada', 'bob'][n % 2]!
    await payments.enqueue(db, { account, cents: 100, failures: n % 10 === 0 ? 2 : 0 })
  }
  await payments.enqueue(db, { account: 'eve', cents: 100, failures: attempts })
  const order = { account: 'cleo', cents: 100, milliseconds: 60_000 }
  const slow = await payments.enqueue(db, order, { deduplicate: 'order 7' })
  const again = await payments.enqueue(db, order, { deduplicate: 'order 7' })
  console.log(
    `40 jobs are enqueued. Order 7 was sent twice, and is ${again.id === slow.id ? 'one job' : 'two jobs'}.`,
  )

  const victim = await holderOf(slow.id)
  workers.get(victim)!.kill('SIGKILL')
  console.log(`Worker ${victim} is killed with order 7 in hand, and worker d takes its place.`)
  start('d')
  await allAreDone()

  const done = await receipts.findMany()
  const by = Object.groupBy(done, ({ value }) => value.worker)
  const shares = Object.entries(by).map(([worker, jobs]) => `${worker} ${jobs!.length}`)
  console.log(`Done: ${done.length} jobs (${shares.toSorted().join(', ')}).`)
  const { value: receipt } = await receipts.get(slow.id)
  console.log(`Order 7: done at attempt ${receipt?.attempt}, by worker ${receipt?.worker}.`)
  for await (const { id, value } of accounts.list()) console.log(`  ${id} has ${value.value} cents`)
  for await (const { value } of paymentsDead.list()) {
    console.log(`Given up after ${value.attempts} attempts: ${value.payload.account}. ${value.error}`)
  }
} finally {
  for (const worker of workers.values()) if (worker.connected) worker.disconnect()
  await Promise.all(ended)
}
