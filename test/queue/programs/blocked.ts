// Takes a job and blocks its event loop until a file exists; then it completes the job.
import { existsSync } from 'node:fs'
import { Valkeyrie } from 'valkeyrie'
import { ticks } from './ticks.ts'

const { path, until } = JSON.parse(process.argv[2]!) as { readonly path: string; readonly until: string }
const db = await Valkeyrie.withSchemas([...ticks.definitions]).open(path)
for await (const job of ticks.jobs(db)) {
  await new Promise((resolve) => process.send!('taken', resolve))
  const pause = new Int32Array(new SharedArrayBuffer(4))
  while (!existsSync(until)) Atomics.wait(pause, 0, 0, 10)
  const failure = await job
    .complete((unit) => unit.set(['effect'], 'of the blocked one'))
    .catch((error: Error) => error.name)
  process.send!({ failure, isAborted: job.signal.aborted })
  break
}
await db.close()
process.disconnect()
