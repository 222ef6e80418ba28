import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Change } from 'valkeyrie'
import { expect, it, onTestFailed, onTestFinished } from 'vitest'
import { credit } from '../../examples/job-queue/credit.ts'
import { openQueue } from '../../examples/job-queue/database.ts'
import type { Lease, Terms } from '../../examples/job-queue/lease.ts'
import { Queue } from '../../examples/job-queue/queue.ts'
import { type Handler, type Outcome, work } from '../../examples/job-queue/work.ts'
import type { Report, WorkerSettings } from '../../examples/job-queue/worker.ts'
import { randomOf, seedOfThisRun } from '../concurrency/random.ts'
import { newDatabasePath } from '../concurrency/temporary-folder.ts'
import { extent } from '../extent.ts'
import { slowness, waitFor } from '../waiting.ts'
import { violationsOf } from './job-history.ts'

const program = fileURLToPath(new URL('../../examples/job-queue/worker.ts', import.meta.url))
const beginning = '0'.repeat(20)
/** Each set has its value in the log, so that the history of every job can be told. */
const open = { log: { values: true, keepRows: 1_000_000 } }

interface WorkerProcess {
  readonly process: ChildProcess
  readonly ended: Promise<readonly [code: number | null, signal: string | null]>
}

function startWorker(settings: WorkerSettings): WorkerProcess {
  const child = fork(program, [JSON.stringify({ open, ...settings } satisfies WorkerSettings)], {
    execArgv: [],
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'valkeyrie-compile-cache') },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exit = once(child, 'exit') as Promise<[number | null, string | null]>
  return { process: child, ended: waitFor('the end of a worker', exit) }
}

const { VALKEYRIE_JOBS = extent('jobs', 400, 1_000), VALKEYRIE_KILLS = extent('kills', 4, 10) } = process.env
const jobs = Number(VALKEYRIE_JOBS)
const kills = Number(VALKEYRIE_KILLS)

it(`${jobs} jobs, 4 workers, ${kills} of them killed: each effect exactly once, what always fails among the dead`, async () => {
  const seed = seedOfThisRun()
  const replay = `replay with VALKEYRIE_SEED=${seed} VALKEYRIE_JOBS=${jobs} VALKEYRIE_KILLS=${kills}`
  onTestFailed(() => console.error(replay))
  const random = randomOf(seed)
  // So many attempts that no job that can succeed is killed in all of them.
  const lease = Math.ceil(1_500 * slowness())
  const terms: Terms = { lease, timeout: 1_000_000, attempts: 8, backoff: { first: 4, longest: 40 } }
  const path = newDatabasePath()
  await using db = await openQueue(path, open)
  const { repositories } = db

  const queue = new Queue(db)
  const payloads = Array.from({ length: jobs }, (_, n) => ({
    account: `account ${n % 10}`,
    cents: 1 + Math.floor(random() * 100),
    // One in fifty always fails, one in ten once or twice.
    failures: n % 50 === 0 ? terms.attempts : n % 10 === 1 ? 1 + Math.floor(random() * 2) : 0,
    milliseconds: Math.floor(random() * 20),
  }))
  const isPoison = ({ failures }: { failures: number }) => failures === terms.attempts
  const ids = await Promise.all(payloads.map((payload) => queue.enqueue(payload)))

  const start = () => startWorker({ path, queue: terms, atOnce: 3 })
  const workers = Array.from({ length: 4 }, start)
  const killed: WorkerProcess[] = []
  const killOne = () => {
    const [victim] = workers.splice(Math.floor(random() * workers.length), 1, start())
    victim!.process.kill('SIGKILL')
    killed.push(victim!)
  }

  // Most jobs make five changes: they are enqueued and taken, and then, in one commit, credited, signed for and removed.
  const killAt = Array.from({ length: kills }, () => Math.floor(jobs * (1 + random() * 3.5)))
  const history: Change[] = []
  let left = jobs
  for await (const change of db.changes({ since: beginning })) {
    history.push(change)
    for (const moment of killAt) if (moment === history.length) killOne()
    if (change.key[0] === 'jobs' && change.type === 'delete' && --left === 0) await db.set(['end'], true)
    if (change.key[0] === 'end') break
  }
  // Those that are just starting know no signal yet.
  for (const { process } of workers) process.disconnect()
  expect(await Promise.all(workers.map(({ ended }) => ended)), replay).toEqual(workers.map(() => [0, null]))
  expect(await Promise.all(killed.map(({ ended }) => ended)), replay).toEqual(
    killed.map(() => [null, 'SIGKILL']),
  )

  expect(violationsOf(history, terms), replay).toEqual([])
  expect(await repositories.jobs.count(), replay).toBe(0)

  const good = ids.filter((_, n) => !isPoison(payloads[n]!))
  const receipts = await repositories.receipts.findMany()
  expect(receipts.map(({ id }) => id).toSorted(), replay).toEqual(good.toSorted())

  const letters = await repositories.deadLetters.findMany()
  const poison = ids.filter((_, n) => isPoison(payloads[n]!))
  expect(letters.map(({ id }) => id).toSorted(), replay).toEqual(poison.toSorted())
  for (const { value } of letters) {
    expect(value.attempts, replay).toBe(terms.attempts)
    expect(value.error, replay).toMatch(
      /^(Error: The bank refuses account \d|process \d+ has not finished attempt 8)$/,
    )
  }
  expect(letters.filter(({ value }) => value.error.startsWith('Error')).length, replay).toBeGreaterThan(0)

  const owed = new Map<string, bigint>()
  for (const payload of payloads) {
    if (isPoison(payload)) continue
    owed.set(payload.account, (owed.get(payload.account) ?? 0n) + BigInt(payload.cents))
  }
  const credited = await repositories.accounts.findMany()
  expect(new Map(credited.map(({ id, value }) => [id, value.value])), replay).toEqual(owed)

  // Workers have died with jobs in hand: without that the run shows nothing.
  const failures = new Map(ids.map((id, n) => [id, payloads[n]!.failures]))
  const orphans = receipts.filter(({ id, value }) => value.attempt > failures.get(String(id))! + 1)
  expect(killed.length, replay).toBe(kills)
  expect(orphans.length > 0, replay).toBe(kills > 0)
})

it('a worker that was held up beyond its lease loses the job, changes nothing, and goes on', async () => {
  const path = newDatabasePath()
  await using db = await openQueue(path)
  const { jobs, receipts, accounts } = db.repositories
  const queue = new Queue(db, { worker: 'quick' })
  const slow = startWorker({ path, queue: { lease: 500, worker: 'slow' } })
  const reportOfSlow = async () =>
    (await waitFor('a report of the slow worker', once(slow.process, 'message')))[0] as Report

  const id = await queue.enqueue({ account: 'ada', cents: 5, milliseconds: 1_000_000 })
  for await (const { value } of jobs.watch(id)) if (value?.lease) break
  slow.process.kill('SIGSTOP')

  // It is woken while the other has the job in hand.
  const stop = new AbortController()
  const outcomes: [Outcome, number][] = []
  const handle: Handler = async (job, signal) => {
    const lost = reportOfSlow()
    slow.process.kill('SIGCONT')
    expect(await lost).toEqual({ outcome: 'lost', id, attempt: 1 })
    return credit(job, signal)
  }
  const onOutcome = (outcome: Outcome, { attempt }: Lease) => {
    outcomes.push([outcome, attempt])
    stop.abort()
  }
  await work(queue, handle, { signal: stop.signal, onOutcome })
  expect(outcomes).toEqual([['done', 2]])
  const [receipt, account] = [await receipts.get(id), await accounts.get('ada')]
  expect([receipt.value, account.value?.value]).toEqual([{ attempt: 2, worker: 'quick' }, 5n])

  const another = reportOfSlow()
  const next = await queue.enqueue({ account: 'ada', cents: 7 })
  expect(await another).toEqual({ outcome: 'done', id: next, attempt: 1 })
  slow.process.kill('SIGTERM')
  expect(await slow.ended).toEqual([0, null])
})
