// Ships pieces of several products, one at a time, until it is told to stop, and acknowledges each appended event: the
// processes of event-sourcing.test.ts.
import { setTimeout as delay } from 'node:timers/promises'
import { EventStore } from '../../../examples/event-sourcing/event-store.ts'
import { openWarehouse, ship } from '../../../examples/event-sourcing/warehouse.ts'
import { randomOf } from '../../concurrency/random.ts'
import { patient } from '../../waiting.ts'

interface Arguments {
  readonly path: string
  readonly streams: readonly string[]
  readonly customers: readonly string[]
  readonly seed: number
}

const { path, streams, customers, seed } = JSON.parse(process.argv[2]!) as Arguments
const random = randomOf(seed)
const oneOf = (names: readonly string[]) => names[Math.floor(random() * names.length)]!

let stopped = false
process.once('message', () => {
  stopped = true
})
await using db = await openWarehouse(path, patient)
const store = new EventStore(db, { snapshotEvery: 10 })

while (!stopped) {
  const stream = oneOf(streams)
  const customer = oneOf(customers)
  // Now and then two events in one commit.
  const pieces = random() < 0.2 ? [1, 1] : [1]
  const { commit } = await store.execute(stream, (stock) => {
    const [first, ...others] = pieces.map((n) => ship(stock, n, customer)[0])
    return [first!, ...others]
  })
  process.send!({ stream, customer, commit, events: pieces.length })
  await delay(random() * 20)
}
process.disconnect()
