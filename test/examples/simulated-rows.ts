import { setImmediate as nextTurn } from 'node:timers/promises'
import { LogTrimmedError } from 'valkeyrie'
import type { CachedRows } from '../../examples/coherent-cache/coherent-cache.ts'
import { noVersion, type State } from './cache-law.ts'

/**
 * Everything that waits for its turn. The test chooses which goes on next, so that every interleaving is possible, and repeatable.
 */
export class Turns {
  readonly #waiting: (() => void)[] = []

  /** Resolves when it is chosen. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Lets the waiting steps go on one at a time, until none waits. */
  async run(choices: Iterator<number>): Promise<void> {
    await nextTurn()
    while (this.#waiting.length > 0) {
      const [chosen] = this.#waiting.splice(choices.next().value % this.#waiting.length, 1)
      chosen!()
      await nextTurn()
    }
  }
}

export interface SimulatedEntry {
  readonly id: string
  readonly value: { n: number; list: number[]; at: Date | null } | null
  readonly versionstamp: string | null
}

interface Told {
  readonly id: string
  readonly versionstamp: string
}

/**
 * A repository in which each event takes a step of its own: a read takes its snapshot, a read returns, a change is
 * delivered.
 */
export class SimulatedRows implements CachedRows<string, SimulatedEntry> {
  readonly history = new Map<string, State[]>()
  /** The newest version when the feed last began: older changes need not be reported. */
  followedFrom = noVersion
  readonly #turns: Turns
  readonly #log: Told[] = []
  #version = 0
  #feed: ReadableStreamDefaultController<Told> | null = null
  #committed = Promise.withResolvers<void>()

  constructor(turns: Turns) {
    this.#turns = turns
  }

  get version(): string {
    return this.#version.toString(16).padStart(20, '0')
  }

  /** What is stored now. Every second value has a part that cannot be frozen. */
  now(id: string): SimulatedEntry {
    const state = this.history.get(id)?.at(-1)
    if (state === undefined || state.value === null) return { id, value: null, versionstamp: null }
    return { id, value: structuredClone(state.value) as SimulatedEntry['value'], versionstamp: state.version }
  }

  commit(id: string, remove: boolean): string {
    this.#version += 1
    const n = this.#version
    const value = remove ? null : { n, list: [n], at: n % 2 === 0 ? new Date(n) : null }
    const states = this.history.get(id) ?? []
    this.history.set(id, [...states, { version: this.version, value }])
    this.#log.push({ id, versionstamp: this.version })
    this.#committed.resolve()
    this.#committed = Promise.withResolvers()
    return this.version
  }

  async get(id: string): Promise<SimulatedEntry> {
    await this.#turns.next()
    const entry = this.now(id)
    await this.#turns.next()
    return entry
  }

  async exists(id: string): Promise<boolean> {
    await this.#turns.next()
    const exists = this.now(id).value !== null
    await this.#turns.next()
    return exists
  }

  changes(): ReadableStream<Told> {
    this.followedFrom = this.version
    let at = this.#log.length
    return new ReadableStream<Told>(
      {
        start: (controller) => {
          this.#feed = controller
        },
        pull: async (controller) => {
          while (at === this.#log.length) await this.#committed.promise
          await this.#turns.next()
          // Unless it has failed meanwhile.
          if (this.#feed === controller) controller.enqueue(this.#log[at++]!)
        },
      },
      { highWaterMark: 0 },
    )
  }

  /** The feed loses what it has not reported yet. */
  trim(): void {
    this.#feed?.error(new LogTrimmedError(this.version))
    this.#feed = null
  }

  endFeed(): void {
    this.#feed?.close()
    this.#feed = null
  }
}
