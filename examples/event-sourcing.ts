/**
 * Three processes ship one product until there is none left, while the process that counts what each customer gets is killed
 * twice: every shipment is an event, and every event is counted once.
 *
 *     node examples/event-sourcing.ts
 *     node examples/event-sourcing.ts 60    # with so many orders of each customer
 */
import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { addressOf } from './address/address-of.ts'
import { EventStore } from './event-sourcing/event-store.ts'
import { Projector } from './event-sourcing/projector.ts'
import { openWarehouse } from './event-sourcing/warehouse.ts'

const [orders = 150] = process.argv.slice(2).map(Number)
const path = addressOf('events')
await using db = await openWarehouse(path, { destroyOnClose: true })
const { deliveries, snapshots } = db.repositories
const store = new EventStore(db)

const shipper = fileURLToPath(new URL('./event-sourcing/shipper.ts', import.meta.url))
const projecting = fileURLToPath(new URL('./event-sourcing/projecting.ts', import.meta.url))
const run = promisify(execFile)

await store.execute('tea', () => [{ type: 'received', pieces: 6 * orders + 100 }])
const shipping = Promise.all(
  ['ada', 'bob', 'cleo'].map((customer) =>
    run(process.execPath, [shipper, path, 'tea', customer, `${orders}`]),
  ),
)

let child = fork(projecting, [path])
let ended = once(child, 'exit')
/** Appends an event, and waits until the other process has counted it. */
async function countingGoesOn(): Promise<void> {
  await new Projector(db).reached(await store.execute('ink', () => [{ type: 'received', pieces: 1 }]))
}
try {
  for (let kills = 0; kills < 2; kills++) {
    await countingGoesOn()
    child.kill('SIGKILL')
    await ended
    child = fork(projecting, [path])
    ended = once(child, 'exit')
  }
  const filled = (await shipping).map(({ stdout }) => Number(stdout))
  const all = filled.reduce((sum, n) => sum + n)
  console.log(`${filled.join(' + ')} orders of 3 filled: ${all}, of ${3 * orders} that were placed`)
  await countingGoesOn()
} finally {
  child.kill('SIGTERM')
  await ended
}

const events = await Array.fromAsync(store.read('tea'))
const gaps = events.filter(({ number }, index) => number !== index + 1)
console.log(`${events.length} events, numbered from 1 on, ${gaps.length} gaps`)
const { version, stock } = await store.load('tea')
const { value: snapshot } = await snapshots.get('tea')
console.log(
  `Left: ${stock.pieces}, by the snapshot of event ${snapshot?.version} and ${version - snapshot!.version} more`,
)

for await (const { id, value } of deliveries.list())
  console.log(`  ${id} got ${value.shipments} times, ${value.pieces} pieces`)
const { sum } = await deliveries.aggregate({ sum: ['shipments', 'pieces'] })
console.log(`${sum.shipments} shipments counted, ${sum.pieces} pieces`)
