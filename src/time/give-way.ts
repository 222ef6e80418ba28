import { setImmediate as nextTurn } from 'node:timers/promises'
import { clock } from './clock.ts'

/** Milliseconds of work after which timers and I/O have their turn. */
const longestWork = 4
/** After so many of them it matters whether the timers come next. */
const shortWork = 1
/** Who waits is let on in so small groups that time is looked at between two of them. */
const letOnAtOnce = 4

let isWatched = false
/** When the work began that has gone on since without a turn of the event loop. */
let began = 0
/** Whether the timers come before the next call of `turn`. */
let isBeforeTimers = false
let calls = 0
/** Whether work waits for the next turn of the event loop; what comes now waits behind it. */
let isPaused = false
/** What goes on then, in this order, from `first` on. */
let waiting: (() => void)[] = []
let first = 0

/**
 * What to wait for where work has gone on for long: a turn of the event loop. `undefined` if it has not: a promise that settles in
 * a microtask is no pause, and a pause for each call would cost more than the call. To be asked between the parts of work that lasts,
 * and before each call, since a loop may await one after the other.
 */
export function pauseDue(): Promise<void> | undefined {
  return mustPause() ? pause() : undefined
}

function mustPause(): boolean {
  if (isPaused) return true
  if (!isWatched) {
    watch(false)
    return false
  }
  calls += 1
  return (calls & 3) === 0 && isPauseDue(clock())
}

/** Whether a pause is due by now; to be asked where waiting is somebody else's, between parts of at least some tens of microseconds. */
export function isWorkLong(): boolean {
  return isPauseDue(clock())
}

/**
 * Begins a call, after a pause where one is due. The pause comes before the call and not behind it: so what was begun in one turn is
 * settled in one turn, and a failure finds whoever awaits one call after the other. Calls that wait begin in their order, as many in a
 * turn as there is time for.
 */
export function paced<T>(call: () => Promise<T>): Promise<T> {
  return mustPause() ? pause().then(call) : call()
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve)
  })
}

function isPauseDue(now: number): boolean {
  if (isPaused) return true
  if (!isWatched) {
    watch(false)
    return false
  }
  isPaused = now - began >= longestWork
  return isPaused
}

/** `isInTurn`: in a call of `turn`, behind which the timers come before the next one. */
function watch(isInTurn: boolean): void {
  isWatched = true
  began = clock()
  isBeforeTimers = isInTurn
  setImmediate(turn)
}

function turn(): void {
  // What began beside timers or I/O has this next: it would keep the timers waiting for twice as long.
  if (!isBeforeTimers && (isPaused || clock() - began >= shortWork)) {
    isBeforeTimers = true
    setImmediate(turn)
    return
  }
  isWatched = false
  if (!isPaused) return
  watch(true)
  void letOn()
}

/** Lets on who waits, until there has been work for long again. */
async function letOn(): Promise<void> {
  do {
    const end = Math.min(first + letOnAtOnce, waiting.length)
    // Just before the last ones go on, and not sooner: nobody who comes meanwhile goes on before them.
    if (end === waiting.length) queueMicrotask(endPause)
    while (first < end) waiting[first++]!()
    // What they go on with in microtasks counts too.
    await undefined
  } while (first < waiting.length && clock() - began < longestWork)
  if (first < waiting.length / 2) return
  waiting = waiting.slice(first)
  first = 0
}

function endPause(): void {
  isPaused = first < waiting.length
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
  const made = new Array<U>(items.length)
  /** For each slice that promises were made in: when all of them are kept. */
  const promised: Promise<unknown>[] = []
  let step = firstStep
  let next = 0
  let looked = 0
  const keep = async (one: Promise<U>, at: number): Promise<void> => {
    made[at] = await one
  }
  /** Makes some of the items; gives what to wait for before the next ones. */
  const slice = (): Promise<unknown> | undefined => {
    while (next < items.length) {
      const promises: Promise<void>[] = []
      try {
        for (const end = Math.min(next + step, items.length); next < end; next++) {
          const one = make(items[next]!, next)
          if (one instanceof Promise) promises.push(keep(one, next))
          else made[next] = one
        }
      } finally {
        if (promises.length > 0) promised.push(awaitedLater(Promise.all(promises)))
      }
      if (promises.length > 0) return settledOrTurn(promises)
      if (next === items.length) return undefined
      const now = clock()
      const spent = looked === 0 ? 0 : now - looked
      looked = now
      if (spent < shortLook) step = Math.min(2 * step, longestStep)
      else if (spent > longLook) step = Math.max(1, step >> 1)
      if (isPauseDue(now)) return pause()
    }
    return undefined
  }
  const rest = async (due: Promise<unknown>): Promise<U[]> => {
    for (let wait: Promise<unknown> | undefined = due; wait !== undefined; wait = slice()) {
      await wait
      await pauseDue()
    }
    await Promise.all(promised)
    return made
  }
  const due = slice()
  return due === undefined ? made : rest(due)
}

/** Until it is, a rejection is no unhandled one. */
function awaitedLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/**
 * The work that promises stand for may be done in microtasks, and is over then before the next look at the clock; what waits for
 * something else goes on beside the items that follow.
 */
function settledOrTurn(promises: readonly Promise<unknown>[]): Promise<unknown> {
  return Promise.race([Promise.allSettled(promises), nextTurn()])
}
