import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { summarize } from '../harness/timing.ts'

const waits = 9
const setsBefore = 200
const milliseconds = 100
/** Milliseconds between two turns of the timer that notices how long nothing else ran. */
const timer = 1

/** Milliseconds for which the event loop stands still while a set waits for the lock: the longest time of a wait, in the median. */
export async function measureWaiting(): Promise<number> {
  using temporary = temporaryFolder()
  const path = join(temporary.path, 'waiting.db')
  await using db = await Valkeyrie.open(path)
  const holder = new Database(path)
  const longest: number[] = []
  for (let wait = 0; wait < waits; wait++) {
    for (let n = 0; n < setsBefore; n++) await db.set(['n'], n)
    holder.exec('BEGIN IMMEDIATE')
    const write = db.set(['waits'], wait)
    longest.push((await longestGap(milliseconds)) - timer)
    holder.exec('ROLLBACK')
    await write
  }
  holder.close()
  return summarize(longest).median
}

/** The longest time between two turns of a timer, for so many milliseconds. */
async function longestGap(milliseconds: number): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const start = performance.now()
  let longest = 0
  let before = start
  const interval = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - before)
    before = now
    if (now - start > milliseconds) resolve()
  }, timer)
  await promise
  clearInterval(interval)
  return longest
}
