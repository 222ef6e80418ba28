/**
 * Threads count primes, each over a connection of its own to one file. Two of them crash, and nothing is lost or counted twice.
 *
 *     node examples/worker-pool.ts
 */
import { addressOf } from './address/address-of.ts'
import { blockSize, openPrimes } from './worker-pool/primes.ts'
import { ThreadPool } from './worker-pool/thread-pool.ts'
import type { Task } from './worker-pool/worker.ts'

const blocks = 20
const crashes = new Map<number, Task['crash']>([
  [3, 'before it writes'],
  [8, 'after it has written'],
])
const path = addressOf('primes')
await using db = await openPrimes(path, { destroyOnClose: true })

await using pool = new ThreadPool<Task, number>(new URL('./worker-pool/worker.ts', import.meta.url), {
  size: 3,
  workerData: { path },
  onCrash: (error) => console.log(`A thread has crashed: ${(error as Error).message}`),
})
const tasks = Array.from({ length: blocks }, (_, block) => ({ block, crash: crashes.get(block) }))
const answers = await Promise.all(tasks.map((task) => pool.run(task)))

const answered = answers.reduce((sum, primes) => sum + primes)
console.log(`The threads tell of ${answered} primes below ${blocks * blockSize}.`)
const { value: total } = await db.repositories.totals.get('primes')
console.log(`The file says ${total?.value}, in ${await db.repositories.blocks.count()} blocks:`)
const shares = await db.repositories.blocks.aggregate({ count: true, groupBy: 'thread' })
console.log(shares.map(({ group, count }) => `thread ${group.thread} has counted ${count}`).join(', '))
