import { setImmediate as nextTurn } from 'node:timers/promises'
import { DatabaseBusyError, DatabaseClosedError } from '../contract/errors.ts'
import type { Driver } from '../driver/driver.ts'

const rowsPerSweep = 500
/** The shortest time between sweeps in milliseconds, so that rows that expire one after the other are removed together. */
const shortestWait = 100
/** How many milliseconds until looking for rows that other processes have given an expiry. */
const longestWait = 60_000
const never = Number.POSITIVE_INFINITY

/** Removes expired rows in the background, when the next one expires. Its timer does not keep the process alive. */
export class Sweeper {
  readonly #driver: Driver
  readonly #removed: () => void
  #timer: NodeJS.Timeout | undefined
  /** The next expiry that it knows of. While it looks for the next one: that of those reported since. */
  #due = never
  #closed = false

  /** `removed` is called after rows have been removed. */
  constructor(driver: Driver, removed: () => void) {
    this.#driver = driver
    this.#removed = removed
  }

  /** Finds the next expiry, and sets a timer for it. */
  async start(): Promise<void> {
    this.#due = never
    this.#wakeAtFound(await this.#driver.nextExpiry())
  }

  /** Looks for rows to which others have given an expiry. */
  async look(): Promise<void> {
    const next = await this.#driver.nextExpiry()
    if (next !== null) this.notice(next)
  }

  /** Reports that a row expires at this time, in milliseconds since the epoch. */
  notice(expiresAt: number): void {
    if (expiresAt < this.#due) this.#wakeAt(expiresAt)
  }

  /** Removes all expired rows. Returns how many there were. */
  async sweepAll(signal?: AbortSignal): Promise<number> {
    for (let total = 0; ; ) {
      signal?.throwIfAborted()
      this.#due = never
      const { removed, next } = await this.#driver.sweep(rowsPerSweep)
      total += removed
      if (removed > 0) this.#removed()
      if (removed === rowsPerSweep) {
        await nextTurn()
        continue
      }
      this.#wakeAtFound(next)
      return total
    }
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** `next`: the next expiry that was found, null for none. One that was reported while it was looked for may come sooner. */
  #wakeAtFound(next: number | null): void {
    this.#wakeAt(Math.min(next ?? never, this.#due))
  }

  #wakeAt(time: number): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    this.#due = time
    const wait = Math.min(Math.max(time - this.#driver.now(), shortestWait), longestWait)
    this.#timer = setTimeout(() => void this.#wake(), wait).unref()
  }

  async #wake(): Promise<void> {
    try {
      if (this.#due <= this.#driver.now()) await this.sweepAll()
      else await this.start()
    } catch (error) {
      if (error instanceof DatabaseClosedError || this.#closed) return
      if (!(error instanceof DatabaseBusyError)) process.emitWarning(error as Error)
      this.#wakeAt(this.#driver.now() + longestWait)
    }
  }
}
