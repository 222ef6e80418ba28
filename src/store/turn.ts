import { setTimeout as delay } from 'node:timers/promises'
import { longestTurn } from '../commit/turn.ts'
import { KvError } from '../contract/errors.ts'
import type { Driver } from '../driver/driver.ts'
import { untilAborted } from '../time/until-aborted.ts'
import type { KeyedMutex } from './keyed-mutex.ts'

/** Milliseconds for which a turn lasts at the least. */
const shortest = 50
/** The run in a turn is given this multiple of the time that the longest run before it has taken, and twice as much each time. */
const patience = 4
/** Milliseconds between two looks whether a turn has come. */
const longestDelay = 4

/** What turns are taken of: the driver of a database, and the line of those in this process who want one. */
export interface TurnSource {
  readonly driver: Driver
  readonly turns: KeyedMutex
  /** Of the call for which a turn is taken. */
  readonly signal?: AbortSignal
}

/**
 * The turn of somebody whose commits have failed several times because of others: while it lasts, these wait, in every process.
 * It ends with the commit, or after a time that is in proportion to the work. Those of one process stand in a line, of which the
 * first has a place in the queue of all processes.
 */
export class Turn {
  readonly id = crypto.randomUUID()
  readonly #source: TurnSource
  #hold: number
  #leaveLine: (() => void) | undefined
  #isLongest = false

  /** `longestRun`: the time that the work has taken at most so far, in milliseconds. */
  constructor(source: TurnSource, longestRun: number) {
    this.#source = source
    this.#hold = Math.max(shortest, patience * longestRun)
  }

  /** Whether the turn that has come is the longest one. */
  get isLongest(): boolean {
    return this.#isLongest
  }

  /** Resolves when the turn has come; after a run in it that failed, it begins again, for longer. */
  async come(signal: AbortSignal | undefined): Promise<void> {
    this.#leaveLine ??= await this.#enterLine(signal)
    const hold = this.#hold
    this.#hold *= 2
    this.#isLongest = hold >= longestTurn
    while (!(await this.#source.driver.takeTurn(this.id, hold))) {
      await delay(1 + Math.random() * longestDelay)
      signal?.throwIfAborted()
    }
  }

  /** `committed`: the turn has ended with the commit. */
  async end(committed: boolean): Promise<void> {
    if (this.#leaveLine === undefined) return
    try {
      if (!committed) await this.#source.driver.endTurn(this.id)
    } catch (error) {
      // What the work has come to stands: a turn that a closed, busy or full database keeps expires by itself, within seconds.
      if (!(error instanceof KvError)) throw error
    } finally {
      this.#leaveLine()
    }
  }

  async #enterLine(signal: AbortSignal | undefined): Promise<() => void> {
    const entering = this.#source.turns.enter('')
    try {
      return await untilAborted(entering, signal)
    } catch (error) {
      void entering.then((leave) => leave())
      throw error
    }
  }
}
