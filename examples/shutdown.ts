/**
 * A service is told to end while it is at work: it finishes what it has begun, begins nothing more, and closes its file.
 *
 *     node examples/shutdown.ts
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { addressOf } from './address/address-of.ts'
import { openRequests } from './shutdown/requests.ts'

const path = addressOf('shutdown')
await using db = await openRequests(path, { destroyOnClose: true })
const { requests, answers } = db.repositories

const service = fork(fileURLToPath(new URL('./shutdown/service.ts', import.meta.url)), [path])
const ended = once(service, 'exit')
try {
  const work = { 2: 0, 3: 3_000, 4: 0 }
  await requests.insertMany(
    Object.entries(work).map(
      ([n, milliseconds]) => [`${n} squared`, { number: Number(n), milliseconds }] as const,
    ),
  )
  for await (const { id, value } of answers.watch('3 squared')) {
    if (value === null) continue
    console.log(`The service works on "${id}" and is told to end.`)
    service.kill('SIGTERM')
    break
  }
} finally {
  if (service.connected) service.disconnect()
  const [code] = await ended
  console.log(`It has ended with code ${code}.`)
}

for await (const { id } of requests.list()) {
  const { value } = await answers.get(id)
  console.log(
    `${id}: ${value === null ? 'not begun, left for the next start' : `${value.square}, ${value.state}`}`,
  )
}
