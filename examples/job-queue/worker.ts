// Credits payments until the process that has started it is gone.
import { setTimeout as delay } from 'node:timers/promises'
import { openPayments, payments } from './database.ts'

const { path, worker } = JSON.parse(process.argv[2]!) as { readonly path: string; readonly worker: string }
const stop = new AbortController()
process.once('disconnect', () => stop.abort())
// It may be gone already: starting takes a while.
if (process.connected === false) stop.abort()

await using db = await openPayments(path)
for await (const job of payments.jobs(db, { signal: stop.signal })) {
  const { account, cents, failures, milliseconds } = job.payload
  // Whoever tries again finds the answer ready.
  if (job.attempt === 1) await delay(milliseconds)
  if (job.attempt <= failures) {
    await job.fail(new Error(`The bank refuses ${account}`))
    continue
  }
  await job.complete(async ({ repositories: { accounts, receipts } }) => {
    await accounts.sum(account, BigInt(cents))
    await receipts.insert(job.id, { attempt: job.attempt, worker })
  })
}
