import { hasExpired } from '../../../commit/row.ts'
import { keyText } from '../../../key/key-text.ts'
import { realClock } from '../../../time/clock.ts'
import type { StoredRow } from '../../driver.ts'
import type { Statements } from '../rows/statements.ts'
import { endMomentWithCallback, momentNow } from './moment.ts'

/** How many characters the rows of a connection have at most, those of a row besides its texts, and those of the longest value. */
const mostText = 2 * 1024 * 1024
const textPerRow = 200
const longestValue = 32 * 1024

/** How many rows that are not found cost what one saves that is found, without a look and with one. */
const worthOfFound = 4
const worthWithLook = 1
/** After so many rows that were not found, and none that was, most calls do not look for theirs. */
const mostWorth = 256
/** One in so many calls does then. */
const seldom = 32

/** For how many milliseconds of continuous work a look for commits of others is trusted. */
const trusted = 1
/**
 * For how many since a row was last found, at most, and in times of the fastest look. To wait for an answer of another process takes
 * longer. So does what passes through no driver: a commit of this thread, or a read that shows a commit of another.
 */
const mostIdle = 0.004
const idleLooks = 1.5

/** Who else uses the connections of a database. */
export interface Sharing {
  /** Whether plain Drizzle has one of them: its statements run at any time, and pass through no driver. */
  hasDrizzle: boolean
}

/**
 * The rows that a connection has lately read by key, in memory. Its own commits forget what they change. A commit of another
 * connection forgets everything. It is looked for by `PRAGMA data_version`, which differs whenever another connection has
 * committed (https://sqlite.org/pragma.html#pragma_data_version): in each callback of the event loop, so that a message from another process
 * is never ahead of the rows, after each use of the engine, and in each millisecond of continuous work.
 */
export class HotRows {
  readonly #dataVersion: Statements['control']['dataVersion']
  readonly #sharing: Sharing
  readonly #isInMemory: boolean
  readonly #clock: () => number
  /** Deno runs messages, and other callbacks that are due, before the ticks of the first of them. */
  readonly #hasTicks = !('Deno' in globalThis)
  /** Rows live in one of two generations: what is found in the old one moves to the young one, and the rest goes with it. */
  #young = new Map<string, StoredRow>()
  #old = new Map<string, StoredRow>()
  /** How many characters the young ones have. */
  #text = 0
  /** Falls with each row that is not found. At 0, most calls do not look for theirs. */
  #worth = mostWorth
  #gets = 0
  /** The key that was not found last; null if nobody looked. */
  #asked: string | null = null
  /** The state that they are of, and in which moment and when it was looked for. */
  #version: unknown
  #hasLooked = false
  #lookedIn = -1
  #lookedAt = Number.NEGATIVE_INFINITY
  /** When a row was last found, and for how long that is trusted. */
  #foundAt = Number.NEGATIVE_INFINITY
  #trustedIdle = mostIdle

  /** `isInMemory`: nobody else has the database. */
  constructor({ control }: Statements, sharing: Sharing, isInMemory: boolean, clock = realClock) {
    this.#dataVersion = control.dataVersion
    this.#sharing = sharing
    this.#isInMemory = isInMemory
    this.#clock = clock
  }

  /** The row under a key; undefined if it is not here. */
  find(key: Uint8Array, now: number): StoredRow | undefined {
    this.#asked = null
    this.#hasLooked = false
    this.#gets = (this.#gets + 1) | 0
    if (this.#worth === 0 && this.#gets % seldom !== 0) return undefined
    const text = keyText(key)
    const row = this.#young.get(text) ?? this.#old.get(text)
    if (row === undefined || !this.#isCurrent() || hasExpired(row.expiresAt, now)) {
      if (this.#worth > 0) this.#worth -= 1
      this.#asked = text
      return undefined
    }
    this.#worth = Math.min(this.#worth + (this.#hasLooked ? worthWithLook : worthOfFound), mostWorth)
    if (this.#old.delete(text)) this.#add(text, row)
    return row
  }

  /** Under what to keep the row that was not found, once it was read; null if it is not to be kept. */
  get asked(): string | null {
    return this.#asked
  }

  /** Keeps a row that was not found, and was then read outside of any transaction. */
  keep(asked: string, row: StoredRow): void {
    // Bytes would be shared with whoever gets the value.
    if (typeof row.value !== 'string' || row.value.length > longestValue) return
    if (this.#isInMemory && this.#sharing.hasDrizzle) return
    this.#add(asked, row)
  }

  /** Called before the connection changes what is under a key. */
  forget(key: Uint8Array): void {
    if (this.#isEmpty) return
    const text = keyText(key)
    const row = this.#young.get(text)
    if (row === undefined) {
      this.#old.delete(text)
      return
    }
    this.#young.delete(text)
    this.#text -= lengthOf(text, row)
  }

  forgetAll(): void {
    if (this.#isEmpty) return
    this.#young = new Map()
    this.#old = new Map()
    this.#text = 0
  }

  get #isEmpty(): boolean {
    return this.#young.size === 0 && this.#old.size === 0
  }

  #add(text: string, row: StoredRow): void {
    const length = lengthOf(text, row)
    if (this.#text + length > mostText / 2) {
      this.#old = this.#young
      this.#young = new Map()
      this.#text = 0
    }
    this.#young.set(text, row)
    this.#text += length
  }

  /** Whether the rows are those of the newest state, as far as this program can know. */
  #isCurrent(): boolean {
    if (this.#isInMemory) return !this.#sharing.hasDrizzle
    const at = this.#clock()
    const isTrusted =
      this.#hasTicks &&
      this.#lookedIn === momentNow() &&
      at - this.#foundAt < this.#trustedIdle &&
      at - this.#lookedAt < trusted &&
      !this.#sharing.hasDrizzle
    if (!isTrusted) return this.#look(at)
    this.#foundAt = at
    return true
  }

  #look(at: number): boolean {
    const version = this.#dataVersion.get()
    this.#hasLooked = true
    this.#lookedIn = momentNow()
    this.#lookedAt = at
    // After the look, which takes as long as some rows that are found.
    this.#foundAt = this.#clock()
    this.#trustedIdle = Math.min(this.#trustedIdle, idleLooks * (this.#foundAt - at))
    endMomentWithCallback()
    if (version === this.#version) return true
    this.forgetAll()
    this.#version = version
    return false
  }
}

function lengthOf(text: string, { value, types }: StoredRow): number {
  return textPerRow + text.length + value.length + (types?.length ?? 0)
}
