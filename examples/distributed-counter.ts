/**
 * Four processes hit one counter, while this one empties it again and again: every hit is in exactly one report.
 *
 *     node examples/distributed-counter.ts
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { addressOf } from './address/address-of.ts'
import { DistributedCounter, openCounters } from './distributed-counter/counter.ts'

const path = addressOf('counter')
await using db = await openCounters(path, { destroyOnClose: true })
const visits = new DistributedCounter(db, 'visits')

const program = fileURLToPath(new URL('./distributed-counter/worker.ts', import.meta.url))
const run = promisify(execFile)
const workers = Array.from({ length: 4 }, () => run(process.execPath, [program, path, 'visits', '200']))

const reports: bigint[] = []
/** Resets the counter each time that it has reached 100, until `signal` aborts. */
async function report(signal: AbortSignal): Promise<void> {
  for await (const { value } of db.repositories.counters.watch('visits', { signal })) {
    if (value !== null && value.value >= 100n) reports.push(await visits.reset())
  }
}

const stop = new AbortController()
const reporting = report(stop.signal)
let counted = 0
for (const { stdout } of await Promise.all(workers)) {
  console.log(`A process has counted ${stdout.trim()}.`)
  counted += Number(stdout)
}
stop.abort()
await reporting
reports.push(await visits.reset())

const reported = reports.reduce((sum, n) => sum + n, 0n)
console.log(`${reports.length} reports: ${reports.join(' + ')} = ${reported}`)
console.log(`Counted ${counted}, reported ${reported}, left ${await visits.value()}`)
