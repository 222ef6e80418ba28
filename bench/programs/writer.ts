import type { Contender, Store } from '../contenders/contender.ts'
import { serveParent } from '../harness/child.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'

/** Each loads its own library only. */
const contenders: Readonly<Record<string, () => Promise<Contender>>> = {
  'by hand': async () => (await import('../contenders/by-hand.ts')).byHand,
  valkeyrie: async () => (await import('../contenders/valkeyrie.ts')).keyValue,
}

/** So many sets alone first, so that V8 compiles them soon. */
const warmUpSets = 5_000

const users = new Users(userSizes[0]!)
let contender: Contender
let store: Store

const functions = {
  async warmUp(name: string) {
    contender = await contenders[name]!()
    using folder = temporaryFolder()
    const alone = await contender.open(folder.path, users, 'normal')
    for (let i = 0; i < warmUpSets; i++) await alone.set(`warm-up-${i}`, users.at(i))
    await alone.close()
  },

  async open(dir: string) {
    store = await contender.open(dir, users, 'normal')
  },

  /** Sets one row after the other for so long, and gives what each took until it was acknowledged, in nanoseconds. */
  async write(prefix: string, milliseconds: number) {
    const latencies: number[] = []
    let before = performance.now()
    for (const end = before + milliseconds; before < end; ) {
      const written = latencies.length
      const done = store.set(`${prefix}-${written}`, users.at(written))
      if (done instanceof Promise) await done
      const after = performance.now()
      latencies.push((after - before) * 1e6)
      before = after
    }
    await store.close()
    return Float64Array.from(latencies)
  },
}

export type Writer = typeof functions
serveParent(functions)
