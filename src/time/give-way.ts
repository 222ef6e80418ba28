import { setImmediate } from 'node:timers'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { clock } from './clock.ts'

/** Milliseconds of work after which timers and I/O get their turn. */
const longestWork = 4
/** After this many, it matters whether the timers come next. */
const shortWork = 1
/** How many waiting calls continue before the clock is read again. */
const letOnAtOnce = 4

let isWatched = false
/** When the current work began, without a turn of the event loop since. */
let began = 0
/** Whether the timers run before the next call of `turn`. */
let isBeforeTimers = false
/** Counts the calls that have asked whether a pause is due. */
let asked = 0
/** Whether work waits for the next turn of the event loop; new calls wait behind it. */
let isPaused = false
/** The calls that continue then, in this order, starting at `first`. */
let waiting: (() => void)[] = []
let first = 0

/**
 * What to await after long work: a turn of the event loop. `undefined` if the work was short, because a pause for each call would
 * cost more than the call; a promise that settles in a microtask would be no pause. Ask between the parts of long work, and before
 * each call, since a loop may await one call after the other.
 */
export function pauseDue(): Promise<void> | undefined {
  return mustPause() ? pause() : undefined
}

/** Reads the clock for every fourth call only, because the shortest ones take a microsecond. */
function mustPause(): boolean {
  countAsked()
  if (isPaused) return true
  if (!isWatched) {
    watch(false)
    return false
  }
  return (asked & 3) === 0 && isPauseDue(clock())
}

function countAsked(): void {
  // Stays a small integer, for which nothing is allocated.
  asked = (asked + 1) | 0
}

/**
 * Whether a pause is due by now. Ask this if the caller does the waiting, between parts that take at least some tens of
 * microseconds.
 */
export function isWorkLong(): boolean {
  return isPauseDue(clock())
}

/**
 * Begins a call, after a pause if one is due. The pause comes before the call, not after it: so calls that begin in one turn settle
 * in one turn, and a failure reaches a caller who awaits them one by one. Waiting calls begin in their order, as many in a turn as
 * there is time for. `isShort`: it takes some microseconds, as reading a row does.
 */
export function paced<T>(call: () => Promise<T>, isShort: boolean): Promise<T> {
  const must = isShort ? mustPause() : mustPauseLong()
  return must ? pause().then(call) : call()
}

function mustPauseLong(): boolean {
  countAsked()
  return isWorkLong()
}

/** Where the count of calls that have asked for a pause is before a call begins, for `pacedSince`. */
export function beforeCall(): number {
  return asked
}

/**
 * The outcome of a call that has just begun, after a pause if one is due and nothing in the call has asked: one that is refused, or
 * has nothing to do, ends before the work that asks, and a loop of such calls would keep timers and I/O waiting forever. The call
 * itself has begun at once, with its arguments as they were and in its order.
 */
export function pacedSince<T>(before: number, outcome: Promise<T>): Promise<T> {
  return before === asked ? pacedOutcome(outcome) : outcome
}

/** The outcome of a call that does not ask for a pause itself, after one if it is due. */
export function pacedOutcome<T>(outcome: Promise<T>): Promise<T> {
  const due = pauseDue()
  return due === undefined ? outcome : afterPause(outcome, due)
}

/** Awaits the outcome first: an error keeps the stack of those who wait for it, and no rejection is unhandled meanwhile. */
async function afterPause<T>(outcome: Promise<T>, due: Promise<void>): Promise<T> {
  try {
    return await outcome
  } finally {
    await due
  }
}

/** Makes methods of a class that do not ask for a pause themselves give way, as `pacedSince` does. None takes more than three arguments. */
export function paceCalls<Face extends object>(
  prototype: Face,
  names: readonly (keyof Face & string)[],
): void {
  for (const name of names) {
    const method = prototype[name] as Method
    const value = function (this: Face, a: unknown, b: unknown, c: unknown): Promise<unknown> {
      const before = beforeCall()
      return pacedSince(before, method.call(this, a, b, c))
    }
    Object.defineProperty(value, 'name', { value: name })
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
  }
}

type Method = (a: unknown, b: unknown, c: unknown) => Promise<unknown>

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
  const worked = now - began
  // Below zero after a test that put the time forward has put it back: nothing would be long for as much.
  isPaused = worked >= longestWork || worked < 0
  return isPaused
}

/** `isInTurn`: called from `turn`; the timers run before the next one. */
function watch(isInTurn: boolean): void {
  isWatched = true
  began = clock()
  isBeforeTimers = isInTurn
  setImmediate(turn)
}

function turn(): void {
  // Work that began beside timers or I/O reaches this at once: continuing would keep the timers waiting twice as long.
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

/** Lets waiting calls continue, until the work was long again. */
async function letOn(): Promise<void> {
  do {
    const end = Math.min(first + letOnAtOnce, waiting.length)
    // Just before the last ones continue, not sooner: no new call may overtake them.
    if (end === waiting.length) queueMicrotask(endPause)
    while (first < end) waiting[first++]!()
    // Counts the microtasks in which they continue.
    await undefined
  } while (first < waiting.length && clock() - began < longestWork)
  if (first < waiting.length / 2) return
  waiting = waiting.slice(first)
  first = 0
}

function endPause(): void {
  isPaused = first < waiting.length
}

/** How many items to make before reading the clock: about a millisecond's worth. */
const firstStep = 4
const longestStep = 256
const shortLook = 1
const longLook = 2

/** Maps items with `make`, in slices with pauses in between. Gives a promise if there was a pause, or if `make` gives promises. */
export function inSlices<T, U>(
  items: readonly T[],
  make: (item: T, index: number) => U | Promise<U>,
): U[] | Promise<U[]> {
  const made = new Array<U>(items.length)
  /** For each slice with promises: settles when all of them have. */
  const promised: Promise<unknown>[] = []
  let step = firstStep
  let next = 0
  let looked = 0
  const keep = async (one: Promise<U>, at: number): Promise<void> => {
    made[at] = await one
  }
  /** Makes some of the items; gives what to await before the next ones. */
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

/** Keeps a rejection from being reported as unhandled before somebody awaits the promise. */
function awaitedLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/**
 * If the promises only do work in microtasks, they are settled before the clock is read again. If they wait for something else, the
 * next items begin meanwhile.
 */
function settledOrTurn(promises: readonly Promise<unknown>[]): Promise<unknown> {
  return Promise.race([Promise.allSettled(promises), nextTurn()])
}
