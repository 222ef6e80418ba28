import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { clock } from '../../../time/clock.ts'
import type { Connection } from './connection.ts'
import { sqlState } from './server-error.ts'
import { quoteName } from './sql-text.ts'

/** Milliseconds between two looks at the newest version: where nobody reports commits, and where the server does. */
const shortestLook = 2
const longestLook = 40
const safetyLook = 5_000
/** Where nobody tells, the next look comes after this share of the time for which nothing has come. */
const patience = 0.02
/** Milliseconds before a connection is tried again, at most. */
const longestPause = 1_000

export interface FollowPort {
  /** A connection of its own, since what is told comes to the one that listens. */
  connect(isWanted: () => boolean): Promise<Connection>
  readonly channel: string
  /** The newest version, over whichever connection, or over this one. */
  latest(connection?: Connection): Promise<number>
  notify(channel: string, payload: string): Promise<void>
  isOwn(version: number): boolean
}

/**
 * `Driver.follow` by LISTEN. Whether what is told arrives is tried out, since a pooler may give the connection to others: while nothing
 * has, the newest version is looked at again and again. After each connection it is looked at once, so that nothing is missed.
 */
export async function* follow(port: FollowPort, signal: AbortSignal): AsyncGenerator<number | null, void> {
  let told = -1
  for (let pause = shortestLook; !signal.aborted; pause = Math.min(2 * pause, longestPause)) {
    let listener: Listener | null = null
    try {
      listener = await Listener.open(port, signal)
      for (;;) {
        const newest = await listener.next()
        if (signal.aborted) return
        if (newest === null || newest <= told) continue
        pause = shortestLook
        told = newest
        if (!port.isOwn(newest)) yield newest
      }
    } catch {
      // The readers are woken, who meet what stands in the way themselves.
      if (signal.aborted) return
      yield null
    } finally {
      listener?.close()
    }
    await delay(pause, undefined, { ref: false, signal }).catch(() => {})
  }
}

/** A connection that listens. */
class Listener {
  readonly #port: FollowPort
  readonly #signal: AbortSignal
  readonly #connection: Connection
  readonly #probe = `probe ${randomUUID()}`
  /** Whether what is told arrives. */
  #isTold = false
  #newest: number | null = null
  #foundAt = clock()
  #wake: () => void = () => {}
  readonly #abort = () => this.#wake()

  static async open(port: FollowPort, signal: AbortSignal): Promise<Listener> {
    const connection = await port.connect(() => !signal.aborted)
    const listener = new Listener(port, signal, connection)
    try {
      await listener.#listen()
      const newest = await port.latest()
      // A later one may have been told before the answer came.
      listener.#newest = Math.max(listener.#newest ?? 0, newest)
      return listener
    } catch (error) {
      listener.close()
      throw error
    }
  }

  /** Where the server refuses to tell, as a standby does, the newest version is looked at. */
  async #listen(): Promise<void> {
    const { channel, notify } = this.#port
    try {
      await this.#connection.execute(`listen ${quoteName(channel)}`)
      await notify(channel, this.#probe)
    } catch (error) {
      if (sqlState(error) === undefined) throw error
    }
  }

  private constructor(port: FollowPort, signal: AbortSignal, connection: Connection) {
    this.#port = port
    this.#signal = signal
    this.#connection = connection
    connection.onNotification = (payload) => this.#hear(payload)
    connection.onEnd = () => this.#wake()
    signal.addEventListener('abort', this.#abort)
  }

  /** The newest version once it may be another one; null: there is none. Rejects where the connection is lost. */
  async next(): Promise<number | null> {
    if (this.#newest === null) await this.#pause()
    if (this.#signal.aborted) return null
    const heard = this.#newest
    this.#newest = null
    if (heard !== null) return heard
    if (this.#connection.isLost) throw new Error('the connection that listens was lost')
    // The connection that tells is seldom asked for anything else: that is how it is noticed that it tells no more.
    return this.#port.latest(this.#isTold ? this.#connection : undefined)
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#abort)
    this.#connection.onEnd = null
    this.#connection.discard()
  }

  #hear(payload: string): void {
    if (payload === this.#probe) this.#isTold = true
    else if (/^\d+$/.test(payload)) {
      this.#newest = Math.max(this.#newest ?? 0, Number(payload))
      this.#wake()
    }
  }

  async #pause(): Promise<void> {
    if (this.#connection.isLost || this.#signal.aborted) return
    const idle = clock() - this.#foundAt
    const look = Math.min(Math.max(idle * patience, shortestLook), longestLook)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = setTimeout(resolve, this.#isTold ? safetyLook : look).unref()
    await promise
    clearTimeout(timer)
    if (this.#newest !== null) this.#foundAt = clock()
  }
}
