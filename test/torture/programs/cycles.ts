// Runs cycles that leave nothing behind, and reports its memory and descriptors after each round: the process of cycles.ts.
import { existsSync, readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parameter, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
import type { CycleKind, Footprint } from '../cycles.ts'

const { path } = JSON.parse(process.argv[2]!) as { readonly path: string }
const shop = Valkeyrie.withSchema(['items', '*'], z.object({ n: z.int() }), { indexes: [{ on: 'n' }] })
const db = await shop.open(path)
const { items } = db.repositories
await items.insertMany(Array.from({ length: 2_000 }, (_, n) => [n, { n }] as const))

async function firstOf<T>(stream: ReadableStream<T>): Promise<void> {
  const reader = stream.getReader()
  await reader.read()
  await reader.cancel()
}

const cycles: Record<CycleKind, (n: number) => Promise<unknown>> = {
  'open and close': async () => {
    const other = await shop.open(path)
    await other.repositories.items.get(1)
    await other.close()
  },
  'open and close in memory': async () => (await shop.open()).close(),
  'watch and cancel': () => firstOf(db.watch([['items', 1], ['none']])),
  'watch and abort': async () => {
    const abort = new AbortController()
    const read = db.watch([['none']], { signal: abort.signal }).getReader()
    await read.read()
    const next = read.read().catch(() => {})
    abort.abort()
    await next
  },
  'watchMany and cancel': () => firstOf(items.watchMany({ where: { n: 1 } })),
  'changes and cancel': () => firstOf(db.changes({ since: '0'.repeat(20) })),
  'a list that is left': async () => {
    for await (const _ of db.list({ prefix: ['items'] }, { batchSize: 10 })) break
  },
  'reads that are aborted': async () => {
    const abort = new AbortController()
    const reads = [
      items.findMany({ orderBy: { n: 'asc' } }, { signal: abort.signal }),
      items.count({}, { signal: abort.signal }),
    ]
    abort.abort()
    await Promise.allSettled(reads)
  },
  snapshots: () => db.snapshot((view) => view.get(['items', 1])),
  'units of work that throw': () =>
    db
      .unitOfWork(async (unit) => {
        await unit.set(['items', 1], { n: (await unit.repositories.items.get(2)).value!.n })
        throw new RangeError('on purpose')
      })
      .catch((error) => {
        if (!(error instanceof RangeError)) throw error
      }),
  'prepared queries': async (n) => {
    await items.prepare({ where: { n: parameter('n') }, limit: 1 + (n % 5) }).execute({ n })
  },
  writes: (n) => items.set(n % 2_000, { n }),
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

async function footprint(): Promise<Footprint> {
  // What ends in a callback ends now.
  for (let n = 0; n < 3; n++) await new Promise(setImmediate)
  collectGarbage()
  await new Promise(setImmediate)
  collectGarbage()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, rss, descriptors: descriptors() }
}

function descriptors(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0
}

let done = 0
for await (const line of createInterface({ input: process.stdin })) {
  const { kinds, count } = JSON.parse(line) as {
    readonly kinds: readonly CycleKind[]
    readonly count: number
  }
  for (let n = 0; n < count; n++, done++) for (const kind of kinds) await cycles[kind](done)
  console.log(JSON.stringify(await footprint()))
}
await db.close()
