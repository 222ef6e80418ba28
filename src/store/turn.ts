import { setTimeout as delay } from 'node:timers/promises'
import { longestTurn } from '../commit/turn.ts'
import { KvError } from '../contract/errors.ts'
import type { Driver } from '../driver/driver.ts'
import { untilAborted } from '../time/until-aborted.ts'
import type { KeyedMutex } from './keyed-mutex.ts'

/** The shortest turn in milliseconds. */
const shortest = 50
/** A turn lasts this many times the longest run before it, and twice as long each further time. */
const patience = 4
/** The longest wait in milliseconds between two checks for the turn. */
const longestDelay = 4

/** What a turn needs: the driver of a database, and the line of calls in this process that want a turn. */
export interface TurnSource {
  readonly driver: Driver
  readonly turns: KeyedMutex
  /** The signal of the call that wants a turn. */
  readonly signal?: AbortSignal
}

/**
 * A turn for a call whose commits have failed several times because of others. During it, all others wait, in every process. It
 * ends with the commit, or after a time in proportion to the work. The calls of one process stand in a line, and the first of them
 * has a place in the queue of all processes.
 */
export class Turn {
  readonly id = crypto.randomUUID()
  readonly #source: TurnSource
  #hold: number
  #leaveLine: (() => void) | undefined
  #isLongest = false
  /** The last request for the turn. It may still wait for a lock when the call that wants the turn is aborted. */
  #asked: Promise<boolean> | undefined

  /** `longestRun`: the longest time that the work has taken so far, in milliseconds. */
  constructor(source: TurnSource, longestRun: number) {
    this.#source = source
    this.#hold = Math.max(shortest, patience * longestRun)
  }

  /** Whether this turn has the greatest length. */
  get isLongest(): boolean {
    return this.#isLongest
  }

  /** Resolves when the turn has come. If a run in it has failed, it comes again, for longer. */
  async come(signal: AbortSignal | undefined): Promise<void> {
    this.#leaveLine ??= await this.#enterLine(signal)
    const hold = this.#hold
    this.#hold *= 2
    this.#isLongest = hold >= longestTurn
    const ask = () => {
      this.#asked = this.#source.driver.takeTurn(this.id, hold)
      return untilAborted(this.#asked, signal)
    }
    while (!(await ask())) {
      await delay(1 + Math.random() * longestDelay)
      signal?.throwIfAborted()
    }
  }

  /** `committed`: the commit has already ended the turn. Once the signal is aborted, the turn ends in the background. */
  async end(committed: boolean, signal: AbortSignal | undefined): Promise<void> {
    try {
      await untilAborted(this.#end(committed), signal)
    } catch (error) {
      if (!signal?.aborted) throw error
    }
  }

  async #end(committed: boolean): Promise<void> {
    if (this.#leaveLine === undefined) return
    try {
      if (!committed) {
        await this.#asked?.catch(() => {})
        await this.#source.driver.endTurn(this.id)
      }
    } catch (error) {
      // The result of the work stands: if the database is closed, busy or full, the turn expires within seconds.
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
