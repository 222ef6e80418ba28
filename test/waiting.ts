/**
 * How tests wait. What a test needs is awaited, however long it takes; no test says how long that may be. So that a run of
 * tests ends all the same where something never comes, what is awaited here is given up after a time that no working machine
 * needs, and the failure names it. That time grows with how slow the machine is at that moment.
 */

// Taken before a test can replace them with a stopped clock.
const { setTimeout, clearTimeout } = globalThis
const now = performance.now.bind(performance)

/** Milliseconds that the work of `slowness` takes on a machine that does nothing else. */
const usualMilliseconds = 20
/** Milliseconds after which a machine of the usual speed gives up. */
const patience = 120_000
/** Milliseconds between two looks for something at most. */
const longestPause = 10

/** Options for a database whose writers wait for each other's locks for as long as it takes. */
export const patient = { busyTimeout: 600_000 } as const

interface Wait {
  readonly what: string
  timer: NodeJS.Timeout
}
const waiting = new Set<Wait>()

/** How many times longer than usual a fixed piece of work takes now, at least 1: other work on the machine counts as well. */
export function slowness(): number {
  const start = now()
  let hash = 0
  for (let n = 0; n < 2e7; n++) hash = Math.imul(hash ^ n, 0x01000193)
  // Never so: it keeps the loop from being left out.
  if (hash === 0.5) throw new Error('An integer has a fraction')
  return Math.max(1, (now() - start) / usualMilliseconds)
}

/** What the promise gives. Rejects, naming `what`, where nothing comes that is worth waiting for. */
export async function waitFor<T>(what: string, promise: PromiseLike<T>): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>()
  let rounds = 0
  const giveUp = () => {
    rounds += 1
    const least = slowness()
    if (rounds < least) wait.timer = setTimeout(giveUp, patience)
    else
      reject(new Error(`Waited in vain for ${what}, ${(rounds * patience) / 1_000} s at slowness ${least}`))
  }
  const wait: Wait = { what, timer: setTimeout(giveUp, patience) }
  waiting.add(wait)
  try {
    return await Promise.race([promise, over])
  } finally {
    end(wait)
  }
}

/** Waits until `holds` returns true. Rejects, naming `what`, if it never does. */
export async function waitUntil(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  let isWanted = true
  const look = async () => {
    const start = now()
    while (isWanted && !(await holds())) {
      // The longer it takes, the less often: looking takes time from what is awaited.
      const pause = Math.min(longestPause, 1 + (now() - start) / 50)
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
  try {
    await waitFor(what, look())
  } finally {
    isWanted = false
  }
}

/** Ends every wait that a test has left behind, and returns what they were for. */
export function leaveWaits(): string[] {
  const left = [...waiting]
  for (const wait of left) end(wait)
  return left.map(({ what }) => what)
}

function end(wait: Wait): void {
  clearTimeout(wait.timer)
  waiting.delete(wait)
}
