/**
 * Rows in memory that are never out of date for long: what a read costs with and without the cache, and how soon it gives
 * what two other processes write.
 *
 *     node examples/coherent-cache.ts
 *     node examples/coherent-cache.ts 1    # of so many rounds: less exact, and sooner
 */
import { execFile } from 'node:child_process'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, promisify } from 'node:util'
import { addressOf } from './address/address-of.ts'
import { CoherentCache } from './coherent-cache/coherent-cache.ts'
import { openProducts, sharedClock, someProduct } from './coherent-cache/products.ts'
import { medians, type Timed } from './measure/medians.ts'

const [rounds = 9] = process.argv.slice(2).map(Number)
const path = addressOf('cache')
await using db = await openProducts(path, { destroyOnClose: true })
const { products } = db.repositories

/** What a read of a row costs, in µs: from the database, from the cache, and by other ways to hand a value out. */
async function compare(variants: number): Promise<void> {
  const reads = 500
  await products.set('plain', someProduct('Teapot', variants))
  await products.set('dated', { ...someProduct('Teapot', variants), until: new Date() })
  using cache = new CoherentCache(products, { entries: 2 })
  using expiring = new CoherentCache(products, { entries: 2, expiring: true })
  const { value } = await products.get('plain')

  const repeated = (read: () => unknown): Timed => {
    return async () => {
      for (let n = 0; n < reads; n++) await read()
      return () => {}
    }
  }
  const times = await medians(
    {
      'from the database': repeated(() => products.get('plain')),
      'from the cache, frozen': repeated(() => cache.get('plain')),
      'from the cache, with a Date, which is copied': repeated(() => cache.get('dated')),
      'from the cache, asking whether it has expired': repeated(() => expiring.get('plain')),
      'a structuredClone of the value alone': repeated(() => structuredClone(value)),
    },
    rounds,
  )
  console.log(`A read of a row of ${JSON.stringify(value).length} bytes:`)
  for (const [name, time] of Object.entries(times)) {
    console.log(`  ${((time / reads) * 1_000).toFixed(2).padStart(6)} µs ${name}`)
  }
}

/** Reads while two processes write, more often what is popular. */
async function follow(count: number, changes: number): Promise<void> {
  await products.insertMany(
    Array.from({ length: count }, (_, id) => [id, someProduct(`Tea ${id}`, 12)] as const),
  )
  using cache = new CoherentCache(products, { entries: count / 2 })

  const program = fileURLToPath(new URL('./coherent-cache/writer.ts', import.meta.url))
  const write = () => promisify(execFile)(process.execPath, [program, path, count, changes].map(String))
  let writing = true
  const written = Promise.all([write(), write()]).finally(() => {
    writing = false
  })

  const delays: number[] = []
  let { versionstamp: seen } = await cache.get(0)
  while (writing) {
    for (let n = 0; n < 20; n++) await cache.get(Math.floor(count * Math.random() ** 3))
    const { value, versionstamp } = await cache.get(0)
    if (value !== null && versionstamp !== seen) delays.push(sharedClock() - value.changedAt)
    seen = versionstamp
    await nextTurn()
  }
  await written

  const { hits, misses, size } = cache.statistics
  delays.sort((a, b) => a - b)
  const [middle, most] = [delays[delays.length >> 1]!, delays.at(-1)!]
  console.log(`Two processes have changed ${2 * changes} prices of ${count} products.`)
  console.log(
    `  ${((100 * hits) / (hits + misses)).toFixed(0)}% of the reads were from memory, where ${size} products are.`,
  )
  console.log(
    `  A change was read ${middle.toFixed(1)} ms after it was made, ${most.toFixed(1)} ms at the most.`,
  )

  // This process's own write is a change too, and the last: when it is told, all are.
  const { versionstamp } = await products.update(0, { cents: 0 })
  while (cache.told !== versionstamp) await nextTurn()
  let equal = 0
  for (let id = 0; id < count; id++)
    if (isDeepStrictEqual(await cache.get(id), await products.get(id))) equal += 1
  console.log(`  ${equal} of ${count} products are as they are stored.`)
}

await compare(1)
await compare(12)
await compare(130)
await follow(200, 150)
