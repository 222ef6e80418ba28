import { setTimeout as delay } from 'node:timers/promises'
import { Valkeyrie } from 'valkeyrie'

/** What the writer sets: the number of the change, and when it was made, in ms of the clock that all processes share. */
export interface Written {
  readonly n: number
  readonly at: number
}

export const clock = (): number => Number(process.hrtime.bigint()) / 1e6

// Run as: node spaced-writer.ts <path> <changes>. Sets one key again and again, at random moments up to 8 ms apart.
if (import.meta.main) {
  const [path, changes] = process.argv.slice(2)
  const db = await Valkeyrie.open(path)
  for (let n = 1; n <= Number(changes); n++) {
    const pause = Math.random() * 8
    if (pause >= 1) await delay(pause)
    await db.set(['watched'], { n, at: clock() } satisfies Written)
  }
  await db.close()
}
