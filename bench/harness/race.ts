import { summarize, type Timing } from './timing.ts'
import { takeTurns } from './turns.ts'

/** Prepares `n` operations. It is called before the clock starts. */
export type Task = (n: number) => Turn | Promise<Turn>

export interface Turn {
  /** Does the operations. Its time is taken until what it returns, where that is a promise, resolves. */
  run(): unknown
  /** Throws where the answers were wrong, and clears up. It is called after the clock has stopped. */
  verify(): unknown
}

/** One of the implementations that are compared: what it cannot do, it has no task for. */
export type Racer = Readonly<Record<string, Task | undefined>>

/** How often a task is done. */
export interface Load {
  /** The most operations of a turn. */
  readonly n: number
  /**
   * The fewest operations of a turn, where the slow may do fewer than the fast: as many times that, then, as they manage
   * in the time that a turn may take. Left out: all do `n`.
   */
  readonly least?: number
  /** How many times as long as usual such a turn may take. */
  readonly longer?: number
  /** How many rounds count, where not as many as of the other tasks. */
  readonly rounds?: number
}

export type Outcome = Timing | { readonly failure: string }

export const isTiming = (outcome: Outcome | undefined): outcome is Timing =>
  outcome !== undefined && 'median' in outcome

/** By task and racer: nothing where the racer has no such task. */
export type Outcomes = Readonly<Record<string, Readonly<Record<string, Outcome>>>>

export interface RaceOptions {
  /** How many rounds count. */
  readonly rounds: number
  /** How long the turn of a slow racer may take, in milliseconds. */
  readonly turn?: number
  /** After how many milliseconds a racer does no more rounds of a task than the fewest. */
  readonly enough?: number
  readonly onTask?: (task: string) => void
}

const fewestRounds = 3

/** The rounds that do not count. */
export const warmUps = 2

/**
 * Runs every task on every racer, in turns. A racer that fails is out of this task, and its outcome says why. Libraries for
 * benchmarks, such as tinybench and mitata, finish one racer before they begin the next: what the machine does meanwhile would be
 * part of the ratio of both.
 */
export async function race(
  racers: Readonly<Record<string, Racer>>,
  loads: Readonly<Record<string, Load>>,
  { rounds, turn = 50, enough = Number.POSITIVE_INFINITY, onTask }: RaceOptions,
): Promise<Outcomes> {
  const outcomes: Record<string, Record<string, Outcome>> = {}
  for (const [name, load] of Object.entries(loads)) {
    onTask?.(name)
    globalThis.gc?.()
    const lanes: [racer: string, Lane][] = []
    for (const [racer, tasks] of Object.entries(racers)) {
      const task = tasks[name]
      if (task === undefined) continue
      const lane = new Lane(task, load.least ?? load.n, enough)
      if (load.least !== undefined) await lane.findLoad(load.n, load.least, turn * (load.longer ?? 1))
      lanes.push([racer, lane])
    }
    await takeTurns(
      lanes.map(
        ([, lane]) =>
          (counts) =>
            lane.go(counts),
      ),
      load.rounds ?? rounds,
      warmUps,
    )
    outcomes[name] = Object.fromEntries(lanes.map(([racer, lane]) => [racer, lane.outcome]))
  }
  return outcomes
}

/** One racer on one task. */
class Lane {
  readonly #task: Task
  readonly #enough: number
  readonly #samples: number[] = []
  #n: number
  #failure: string | null = null
  #spent = 0

  constructor(task: Task, n: number, enough: number) {
    this.#task = task
    this.#enough = enough
    this.#n = n
  }

  get outcome(): Outcome {
    return this.#failure === null ? summarize(this.#samples) : { failure: this.#failure }
  }

  /** As many operations as it manages in a turn of so many milliseconds. */
  async findLoad(most: number, least: number, turn: number): Promise<void> {
    // The first turn is slow: nothing is compiled yet.
    await this.go(false)
    const taken = await this.go(false)
    const manageable = taken === null ? 1 : Math.round((turn * 1e6) / taken / least)
    this.#n = least * Math.min(Math.max(manageable, 1), Math.floor(most / least))
  }

  /** What an operation took, in nanoseconds; null where there was none. */
  async go(counts: boolean): Promise<number | null> {
    const isThrough = this.#samples.length >= fewestRounds && this.#spent > this.#enough
    if (this.#failure !== null || isThrough) return null
    const start = performance.now()
    try {
      const taken = await time(this.#task, this.#n)
      if (counts) this.#samples.push(taken)
      return taken
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error)
      return null
    } finally {
      this.#spent += performance.now() - start
    }
  }
}

async function time(task: Task, n: number): Promise<number> {
  const { run, verify } = await task(n)
  // A full collection would throw away the optimized code whose object shapes have no instance at the time.
  globalThis.gc?.({ type: 'minor' })
  const start = process.hrtime.bigint()
  const done = run()
  if (done instanceof Promise) await done
  const taken = Number(process.hrtime.bigint() - start) / n
  await verify()
  return taken
}
