import { on } from 'node:events'
import type { Contender } from '../contenders/contender.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'

/** What a writing process is told to do: set one row after the other in a file, each under an id of its own. */
export interface WritingOrder {
  readonly dir: string
  readonly prefix: string
  readonly milliseconds: number
}

/** What each acknowledged set took, in nanoseconds. */
export interface WritingReport {
  readonly latencies: Float64Array
}

const contenders: Readonly<Record<string, () => Promise<Contender>>> = {
  'by hand': async () => (await import('../contenders/by-hand.ts')).byHand,
  valkeyrie: async () => (await import('../contenders/valkeyrie.ts')).keyValue,
}

/** Opens the file, waits for the word that all others have, too, and writes. */
async function write(contender: Contender, order: WritingOrder, start: () => Promise<unknown>) {
  const users = new Users(userSizes[0]!)
  const store = await contender.open(order.dir, users, 'normal')
  process.send!('open')
  await start()
  const latencies: number[] = []
  let before = performance.now()
  for (const end = before + order.milliseconds; before < end; ) {
    const written = latencies.length
    const done = store.set(`${order.prefix}-${written}`, users.at(written))
    if (done instanceof Promise) await done
    const after = performance.now()
    latencies.push((after - before) * 1e6)
    before = after
  }
  await store.close()
  process.send!({ latencies: Float64Array.from(latencies) } satisfies WritingReport)
}

/** So many sets alone first: several of them who share a file get to few in a round, and would be measured while they are compiled. */
const warmUpSets = 5_000

async function warmUp(contender: Contender) {
  using folder = temporaryFolder()
  const users = new Users(userSizes[0]!)
  const store = await contender.open(folder.folder('alone'), users, 'normal')
  for (let i = 0; i < warmUpSets; i++) await store.set(`warm-up-${i}`, users.at(i))
  await store.close()
}

if (import.meta.main) {
  const contender = await contenders[process.argv[2]!]!()
  await warmUp(contender)
  const messages = on(process, 'message')
  const next = async () => (await messages.next()).value![0]
  process.send!('ready')
  for (;;) await write(contender, await next(), next)
}
