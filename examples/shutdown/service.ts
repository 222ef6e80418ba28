// Answers requests until SIGTERM; then it finishes the one that it has begun, and ends in good order.
import { setTimeout as delay } from 'node:timers/promises'
import { openRequests } from './requests.ts'

const [path] = process.argv.slice(2)
const stop = new AbortController()
// Once: a second signal ends the process on the spot, which harms nothing that was committed.
process.once('SIGTERM', () => stop.abort())
// The channel to the parent keeps the process alive, as a server's socket would: a stream does not.
process.once('disconnect', () => stop.abort())
if (process.connected === false) stop.abort()

await using db = await openRequests(path!)
const { requests, answers } = db.repositories

// The signal ends the stream and not the work: a request that is being answered still finds an open database. A handler
// of the signal that closed it would leave the request half answered, to fail with DatabaseClosedError.
const beginning = '0'.repeat(20)
for await (const { type, id, value } of requests.changes({ since: beginning, signal: stop.signal })) {
  if (type !== 'set' || value === null) continue
  await answers.set(id, { state: 'begun' })
  await delay(value.milliseconds) // the work
  await answers.set(id, { state: 'done', square: value.number ** 2 })
}
// The loop is over: let go of what kept the process alive, and `await using` closes the database.
if (process.connected) process.disconnect()
