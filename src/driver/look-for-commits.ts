import { setTimeout as delay } from 'node:timers/promises'
import { StorageError } from '../contract/errors.ts'
import { clock } from '../time/clock.ts'

/** Milliseconds between two looks: right after a commit was found, and when none was for long or at all. */
const shortestDelay = 2
const longestDelay = 40
/** The delay is this share of the time for which nothing has come. */
const patience = 0.02

/**
 * `Driver.follow` of an engine that reports no commits by itself: it looks often while they come and ever less often while none does, so
 * that an idle look-out costs next to nothing. `newestOfOthers` gives the newest version where another connection has made it, else null.
 */
export async function* lookForCommits(
  newestOfOthers: () => Promise<number | null>,
  signal: AbortSignal,
): AsyncGenerator<number | null, void> {
  let told = -1
  let foundAt = Number.NEGATIVE_INFINITY
  while (await isDue(clock() - foundAt, signal)) {
    let newest: number | null
    try {
      newest = await newestOfOthers()
    } catch (error) {
      // What stands in the way, as a lock, is met again by the next look. A lasting failure the readers meet, who are woken for it.
      if (error instanceof StorageError) yield null
      continue
    }
    if (newest === null || newest <= told) continue
    told = newest
    foundAt = clock()
    yield newest
  }
}

/** Whether to look, after nothing has come for so long; false once the signal is aborted. The timer keeps no process alive. */
async function isDue(idle: number, signal: AbortSignal): Promise<boolean> {
  const wait = Math.min(Math.max(idle * patience, shortestDelay), longestDelay)
  try {
    await delay(wait, undefined, { ref: false, signal })
    return true
  } catch {
    return false
  }
}
