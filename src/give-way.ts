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
    isWatched = true
    began = performance.now()
    setImmediate(turn)
    return undefined
  }
  calls += 1
  if ((calls & 3) !== 0 || performance.now() - began < longestWork) return undefined
  pause = new Promise((resolve) => {
    resume = resolve
  })
  return pause
}

/**
 * Begins a call, after a pause where one is due. The pause comes before the call and not behind it: so what was begun in one turn is
 * settled in one turn, and a failure finds whoever awaits one call after the other.
 */
export function paced<T>(call: () => Promise<T>): Promise<T> {
  const due = pauseDue()
  return due === undefined ? call() : due.then(call)
}

/** Sizes are those of stored values, more or less in bytes: as much is worked on between two looks whether a pause is due. */
const sizeOfSlice = 16_384
const sizeOfItem = 512

/**
 * What `make` makes of each item, in slices with pauses between them; a promise of it where there was a pause, or where `make` gives
 * promises. `sizeOf` tells how much work an item is.
 */
export function inSlices<T, U>(
  items: readonly T[],
  sizeOf: (item: T) => number,
  make: (item: T, index: number) => U | Promise<U>,
): U[] | Promise<U[]> {
  const made = new Array<U | Promise<U>>(items.length)
  let asynchronous = false
  let size = 0
  /** Makes items from one on until a pause is due; gives where to go on. */
  const slice = (from: number): number => {
    for (let i = from; i < items.length; i++) {
      const item = items[i]!
      const one = make(item, i)
      made[i] = one
      if (one instanceof Promise) {
        asynchronous = true
        // It is awaited at the end; until then a rejection is no unhandled one.
        one.catch(() => {})
      }
      size += sizeOfItem + sizeOf(item)
      if (size < sizeOfSlice) continue
      size = 0
      if (pauseDue() !== undefined) return i + 1
    }
    return items.length
  }
  const reached = slice(0)
  if (reached === items.length && !asynchronous) return made as U[]
  const rest = async () => {
    for (let next = reached; next < items.length; next = slice(next)) await pauseDue()
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
