/**
 * Heavy queries while the program goes on writing: in its own thread, over a pool of connections there, and in threads of
 * their own.
 *
 *     node examples/reader-threads.ts
 *     node examples/reader-threads.ts 3000    # with so many items
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { addressOf } from './address/address-of.ts'
import { ReaderPool } from './reader-threads/reader-pool.ts'
import { reports, type WarehouseTotal } from './reader-threads/reports.ts'
import { fill, move, openStock } from './reader-threads/stock.ts'

const [count = 30_000] = process.argv.slice(2).map(Number)
const asked = 16
const atOnce = 4

const path = addressOf('readers')
await using db = await openStock(path, { destroyOnClose: true })
const pieces = await fill(db, count)

/** Moves pieces until the signal aborts; how many. */
async function moveAround(signal: AbortSignal): Promise<number> {
  const some = () => Math.floor(Math.random() * count)
  for (let moves = 0; ; moves++) {
    if (signal.aborted) return moves
    await move(db, some(), some())
    await delay(1)
  }
}

/** Asks for reports, some of them at once, and tells what became of everything else meanwhile. */
async function compare(how: string, report: () => Promise<WarehouseTotal[]>): Promise<void> {
  const held = monitorEventLoopDelay({ resolution: 1 })
  const stop = new AbortController()
  const moving = moveAround(stop.signal)
  held.enable()
  const start = performance.now()

  let consistent = 0
  let left = asked
  const askOn = async () => {
    while (left-- > 0) {
      // In a turn of its own, as a request that comes over the network does.
      await nextTurn()
      const totals = await report()
      if (totals.reduce((sum, total) => sum + total.pieces, 0) === pieces) consistent += 1
    }
  }
  await Promise.all(Array.from({ length: atOnce }, askOn))

  const seconds = (performance.now() - start) / 1_000
  // The monitor is a timer: it notices how long it was held up when it is its turn again.
  await delay(2)
  held.disable()
  stop.abort()
  const moves = await moving
  const ms = (nanoseconds: number) => `${(nanoseconds / 1e6).toFixed(1)} ms`.padStart(9)
  console.log(`${how}:`)
  console.log(`  ${(asked / seconds).toFixed(1)} reports and ${(moves / seconds).toFixed(0)} moves a second`)
  console.log(
    `  the event loop comes round in ${ms(held.percentile(50))} (median) ${ms(held.percentile(99))} (99%) ${ms(held.max)} (most)`,
  )
  console.log(`  ${consistent} of ${asked} reports count ${pieces} pieces`)
}

await compare('In this thread', () => reports.byWarehouse(db))

const connections = await Promise.all(
  Array.from({ length: atOnce }, () => openStock(path, { readOnly: true })),
)
let turn = 0
await compare(`In this thread, over a pool of ${atOnce} connections`, () =>
  reports.byWarehouse(connections[turn++ % atOnce]!),
)
await Promise.all(connections.map((connection) => connection.close()))

await using pool = new ReaderPool<typeof reports>(new URL('./reader-threads/reader.ts', import.meta.url), {
  workerData: { path },
})
// The first question starts the threads.
await Promise.all(Array.from({ length: atOnce }, () => pool.ask('scarcest', 1)))
await compare(`In ${pool.size} reader threads`, () => pool.ask('byWarehouse'))
console.log(
  'Scarce now:',
  (await pool.ask('scarcest', 3)).map(([name, pieces]) => `${name} (${pieces})`).join(', '),
)
