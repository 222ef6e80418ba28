import type { Load, Racer, Task } from './task.ts'
import { summarize, type Timing } from './timing.ts'

/** A timing, why there is none, or null where the racer has no such task. */
export type Outcome = Timing | Failure | null

export interface Failure {
  readonly failure: string
}

export const isTiming = (outcome: Outcome | undefined): outcome is Timing =>
  outcome != null && 'median' in outcome

/** The outcomes of every task that was raced, in the order of the racers. */
export type Outcomes<Name extends string> = Readonly<Partial<Record<Name, readonly Outcome[]>>>

/** Those of some of the racers, which stood one after the other. */
export const outcomesOf = <Name extends string>(
  outcomes: Outcomes<Name>,
  first: number,
  racers: number,
): Outcomes<Name> =>
  Object.fromEntries(
    Object.entries<readonly Outcome[]>(outcomes as Record<Name, readonly Outcome[]>).map(([task, all]) => [
      task,
      all.slice(first, first + racers),
    ]),
  ) as unknown as Outcomes<Name>

export interface RaceOptions {
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
 * Runs every task on every racer, in turns: each round runs all racers one after another, and the next round starts
 * with the next one, so that whatever slows the machine down for a while slows all of them. The first rounds of each
 * task warm up and do not count. A racer that fails is out of this task, and its outcome says why.
 */
export async function race<Name extends string>(
  racers: readonly Racer<Name>[],
  loads: Readonly<Partial<Record<Name, Load>>>,
  { turn = 50, enough = Number.POSITIVE_INFINITY, onTask = () => {} }: RaceOptions = {},
): Promise<Outcomes<Name>> {
  const outcomes: Partial<Record<Name, readonly Outcome[]>> = {}
  for (const [name, load] of Object.entries(loads) as [Name, Load][]) {
    onTask(name)
    outcomes[name] = await raceOnce(
      racers.map(({ tasks }) => tasks[name]),
      load,
      turn * (load.longer ?? 1),
      enough,
    )
  }
  return outcomes
}

async function raceOnce(
  tasks: readonly (Task | undefined)[],
  load: Load,
  turn: number,
  enough: number,
): Promise<readonly Outcome[]> {
  globalThis.gc?.()
  const lanes: Lane[] = []
  for (const task of tasks) lanes.push(await Lane.of(task, load, turn, enough))
  for (let round = 0; round < warmUps + load.rounds; round++) {
    for (let place = 0; place < lanes.length; place++) {
      await lanes[(round + place) % lanes.length]!.go(round >= warmUps)
    }
  }
  return lanes.map((lane) => lane.outcome)
}

/** One racer on one task. */
class Lane {
  readonly #task: Task | undefined
  readonly #enough: number
  readonly #samples: number[] = []
  #n: number
  #failure: string | null = null
  #spent = 0

  static async of(task: Task | undefined, load: Load, turn: number, enough: number): Promise<Lane> {
    const lane = new Lane(task, load.least ?? load.n, enough)
    if (load.least === undefined) return lane
    // The first turn is slow: nothing is compiled yet.
    await lane.go(false)
    const taken = await lane.go(false)
    const manageable = taken === null ? 1 : Math.round((turn * 1e6) / taken / load.least)
    lane.#n = load.least * Math.min(Math.max(manageable, 1), Math.floor(load.n / load.least))
    return lane
  }

  private constructor(task: Task | undefined, n: number, enough: number) {
    this.#task = task
    this.#enough = enough
    this.#n = n
  }

  get outcome(): Outcome {
    if (this.#failure !== null) return { failure: this.#failure }
    return this.#task === undefined ? null : summarize(this.#samples)
  }

  get #isThrough(): boolean {
    return this.#samples.length >= fewestRounds && this.#spent > this.#enough
  }

  /** What an operation took, in nanoseconds; null where there was none. */
  async go(counts: boolean): Promise<number | null> {
    if (this.#task === undefined || this.#failure !== null || this.#isThrough) return null
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
