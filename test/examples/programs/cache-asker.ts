// Asks a cache for one value many times at once, and fetches it on order: the processes of cache.test.ts.
import { once } from 'node:events'
import { z } from 'zod'
import { Cache, openCachedValues } from '../../../examples/cache/cache.ts'

interface Arguments {
  readonly path: string
  readonly questions: number
  readonly lease: number
}

const { path, questions, lease } = JSON.parse(process.argv[2]!) as Arguments
const send = (message: unknown) => process.send!(message)

await using values = await openCachedValues(z.string(), path)
const cache = new Cache(values, { ttl: 60_000, lease })
send('ready')
await once(process, 'message')

// Listens early: the message may come before this process fetches, or instead of it.
const told = once(process, 'message')
let fetches = 0
async function fetch(): Promise<string> {
  fetches += 1
  send({ fetching: process.pid })
  await told
  return `fetched by ${process.pid}`
}

send({ asking: Date.now() })
const answers = await Promise.all(
  Array.from({ length: questions }, () => cache.getOrFetch(['group', 'key'], fetch)),
)
send({ fetches, answers })
process.disconnect()
