import { hasExpired } from '../../../commit/row.ts'
import { keyText } from '../../../key/key-text.ts'
import { clock } from '../../../time/clock.ts'
import type { StoredRow } from '../../driver.ts'
import type { Statements } from '../rows/statements.ts'

/** How many bytes the rows of a connection take at most, about; what a row takes besides its texts; and how large one may be. */
const mostBytes = 2 * 1024 * 1024
const bytesPerRow = 200
const largestRow = 32 * 1024

/** How many rows that are not found cost what one saves that is; how many of them are counted; and which calls look even so. */
const worthOfHit = 4
const mostWorth = 256
const looksWhenCold = 32

/** For how many milliseconds of continuous work a look for commits of others is trusted. */
const trusted = 1
/**
 * For how many since a row was last found. An answer of another process takes longer, and so does a write of this thread that
 * passes through no driver.
 */
const trustedIdle = 0.004

/** Taken when the module is loaded, because tests of programs replace it. */
const { nextTick } = process

/** Counts the moments in which the state that this thread knows of may have changed: an older look is not to be trusted. */
let moment = 0
let isTickDue = false

/** Called before a driver uses the engine: whatever that does may show commits of others. */
export function beforeEngineUse(): void {
  moment = (moment + 1) | 0
}

/** Makes looks end with the callback of the event loop that runs: the next one may bring a message. */
function untilTick(): void {
  if (isTickDue) return
  isTickDue = true
  nextTick(endMoment)
}

function endMoment(): void {
  isTickDue = false
  moment = (moment + 1) | 0
}

/** Who else uses the connections of a database. */
export interface Sharing {
  /** Whether plain Drizzle has one of them: its statements run at any moment, and pass through no driver. */
  drizzle: boolean
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
  /** Rows live in one of two generations: what is found in the old one moves to the young one, and the rest goes with it. */
  #young = new Map<string, StoredRow>()
  #old = new Map<string, StoredRow>()
  /** What the young ones take. */
  #bytes = 0
  /** Falls with each row that is not found. At 0, most calls do not look for theirs. */
  #worth = mostWorth
  #gets = 0
  /** The key that was not found last; null if nobody looked. */
  #asked: string | null = null
  /** The state that they are of, and in which moment and when it was looked for. */
  #version: unknown
  #lookedIn = -1
  #lookedAt = Number.NEGATIVE_INFINITY
  /** When a row was last found. */
  #foundAt = Number.NEGATIVE_INFINITY

  /** `isInMemory`: nobody else has the database. */
  constructor({ control }: Statements, sharing: Sharing, isInMemory: boolean) {
    this.#dataVersion = control.dataVersion
    this.#sharing = sharing
    this.#isInMemory = isInMemory
  }

  /** The row under a key; undefined if it is not here. */
  find(key: Uint8Array, now: number): StoredRow | undefined {
    this.#asked = null
    this.#gets = (this.#gets + 1) | 0
    if (this.#worth === 0 && this.#gets % looksWhenCold !== 0) return undefined
    const text = keyText(key)
    const row = this.#young.get(text) ?? this.#old.get(text)
    if (row === undefined || !this.#isCurrent() || hasExpired(row.expiresAt, now)) {
      if (this.#worth > 0) this.#worth -= 1
      this.#asked = text
      return undefined
    }
    this.#worth = Math.min(this.#worth + worthOfHit, mostWorth)
    if (this.#old.delete(text)) this.#add(text, row)
    return row
  }

  /** Keeps the row that was not found, and was then read outside of any transaction. */
  keep(row: StoredRow): void {
    // Bytes would be shared with whoever gets the value.
    if (this.#asked === null || typeof row.value !== 'string' || row.value.length > largestRow) return
    if (this.#isInMemory && this.#sharing.drizzle) return
    this.#add(this.#asked, row)
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
    this.#bytes -= sizeOf(text, row)
  }

  forgetAll(): void {
    if (this.#isEmpty) return
    this.#young = new Map()
    this.#old = new Map()
    this.#bytes = 0
  }

  get #isEmpty(): boolean {
    return this.#young.size === 0 && this.#old.size === 0
  }

  #add(text: string, row: StoredRow): void {
    const bytes = sizeOf(text, row)
    if (this.#bytes + bytes > mostBytes / 2) {
      this.#old = this.#young
      this.#young = new Map()
      this.#bytes = 0
    }
    this.#young.set(text, row)
    this.#bytes += bytes
  }

  /** Whether the rows are those of the newest state, as far as this program can know. */
  #isCurrent(): boolean {
    if (this.#isInMemory) return !this.#sharing.drizzle
    const at = clock()
    const isTrusted =
      this.#lookedIn === moment &&
      at - this.#foundAt < trustedIdle &&
      at - this.#lookedAt < trusted &&
      !this.#sharing.drizzle
    if (!isTrusted) return this.#look(at)
    this.#foundAt = at
    return true
  }

  #look(at: number): boolean {
    const version = this.#dataVersion.get()
    this.#lookedIn = moment
    this.#lookedAt = at
    // After the look, which takes as long as some rows that are found.
    this.#foundAt = clock()
    untilTick()
    if (version === this.#version) return true
    this.forgetAll()
    this.#version = version
    return false
  }
}

function sizeOf(text: string, { value, types }: StoredRow): number {
  return bytesPerRow + text.length + value.length + (types?.length ?? 0)
}
