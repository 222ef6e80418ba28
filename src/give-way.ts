/** Milliseconds of work after which timers and I/O have their turn. */
const longestWork = 8

let isWatched = false
/** When the work began that has gone on since without a turn of the event loop. */
let began = 0
let calls = 0
let pause: Promise<void> | null = null
let resume: () => void = () => {}

/**
 * What to wait for where work has gone on for long: a turn of the event loop. `undefined` where it has not: a promise that settles in
 * a microtask is no pause, and a pause for each call would cost more than the call. To be asked between the parts of work that lasts,
 * and before each call, since a loop may await one after the other.
 */
export function pauseDue(): Promise<void> | undefined {
  if (pause !== null) return pause
  if (!isWatched) {
    watch(performance.now())
    return undefined
  }
  calls += 1
  return (calls & 3) === 0 && isPauseDue(performance.now()) ? pause! : undefined
}

/** Whether to wait for `pause`. */
function isPauseDue(now: number): boolean {
  if (pause !== null) return true
  if (!isWatched) {
    watch(now)
    return false
  }
  if (now - began < longestWork) return false
  pause = new Promise((resolve) => {
    resume = resolve
  })
  return true
}

function watch(now: number): void {
  isWatched = true
  began = now
  setImmediate(turn)
}

/**
 * Begins a call, after a pause where one is due. The pause comes before the call and not behind it: so what was begun in one turn is
 * settled in one turn, and a failure finds whoever awaits one call after the other.
 */
export function paced<T>(call: () => Promise<T>): Promise<T> {
  const due = pauseDue()
  return due === undefined ? call() : due.then(call)
}

/** Items between two looks at the clock: as many as take about a millisecond. */
const firstStep = 4
const longestStep = 256
const shortLook = 1
const longLook = 2

/**
 * What `make` makes of each item, in slices with pauses between them; a promise of it where there was a pause, or where `make` gives
 * promises.
 */
export function inSlices<T, U>(
  items: readonly T[],
  make: (item: T, index: number) => U | Promise<U>,
): U[] | Promise<U[]> {
  const made = new Array<U | Promise<U>>(items.length)
  let asynchronous = false
  let step = firstStep
  let nextLook = step
  let looked = 0
  /** Makes items from one on until a pause is due; gives where to go on. */
  const slice = (from: number): number => {
    for (let i = from; i < items.length; i++) {
      const one = make(items[i]!, i)
      made[i] = one
      if (one instanceof Promise) {
        asynchronous = true
        // It is awaited at the end; until then a rejection is no unhandled one.
        one.catch(() => {})
      }
      if (i < nextLook) continue
      const now = performance.now()
      const spent = looked === 0 ? 0 : now - looked
      looked = now
      if (spent < shortLook) step = Math.min(2 * step, longestStep)
      else if (spent > longLook) step = Math.max(1, step >> 1)
      nextLook = i + step
      if (isPauseDue(now)) return i + 1
    }
    return items.length
  }
  const reached = slice(0)
  if (reached === items.length && !asynchronous) return made as U[]
  const rest = async () => {
    for (let next = reached; next < items.length; next = slice(next)) await pause
    return Promise.all(made)
  }
  return rest()
}

function turn(): void {
  isWatched = false
  if (pause === null) return
  pause = null
  resume()
}
