import { setTimeout as delay } from 'node:timers/promises'
import { StorageError } from '../contract/errors.ts'
import { clock } from '../time/clock.ts'

/** How many milliseconds between two looks: at least, right after a commit, and at most, after a long time without one. */
const shortestDelay = 2
const longestDelay = 40
/** The delay is this share of the time since the last commit. */
const patience = 0.02

/**
 * `Driver.follow` for an engine that does not report commits: it looks often while commits come, and less and less while none do,
 * so that idling costs next to nothing. `newestOfOthers` returns the newest version if another connection made it, otherwise null.
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
      // The next look meets a temporary obstacle, such as a lock, again. If a failure lasts, the readers are woken and meet it
      // themselves.
      if (error instanceof StorageError) yield null
      continue
    }
    if (newest === null || newest <= told) continue
    told = newest
    foundAt = clock()
    yield newest
  }
}

/**
 * Waits for the next look, according to the time since the last commit. Returns false once the signal is aborted. The timer does
 * not keep the process alive.
 */
async function isDue(idle: number, signal: AbortSignal): Promise<boolean> {
  const wait = Math.min(Math.max(idle * patience, shortestDelay), longestDelay)
  try {
    await delay(wait, undefined, { ref: false, signal })
    return true
  } catch {
    return false
  }
}
