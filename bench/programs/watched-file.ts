import { setTimeout as delay } from 'node:timers/promises'
import { Valkeyrie } from 'valkeyrie'
import { serveParent } from '../harness/child.ts'

/** What the writer sets: the number of the change, and when it was made, in ms of the clock that all processes share. */
export interface Change {
  readonly n: number
  readonly at: number
}

const functions = {
  /** Sets one key again and again, at random moments up to 8 ms apart. */
  async change(path: string, changes: number) {
    await using db = await Valkeyrie.open(path)
    for (let n = 1; n <= changes; n++) {
      const pause = Math.random() * 8
      if (pause >= 1) await delay(pause)
      await db.set(['watched'], { n, at: Number(process.hrtime.bigint()) / 1e6 } satisfies Change)
    }
  },

  /** Watches a key and all changes, and gives the share of a core that this takes while nothing happens. */
  async watchIdly(path: string): Promise<number> {
    const db = await Valkeyrie.open(path)
    const reader = db.watch([['idle']]).getReader()
    await reader.read()
    const reads = [reader.read(), db.changes().getReader().read()]
    await delay(1_000)
    const [started, before] = [performance.now(), process.cpuUsage()]
    await delay(4_000)
    const { user, system } = process.cpuUsage(before)
    const share = (user + system) / 1_000 / (performance.now() - started)
    await db.close()
    await Promise.all(reads)
    return share
  },
}

export type WatchedFile = typeof functions
serveParent(functions)
