import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { clock } from '../../../time/clock.ts'
import type { Connection } from './connection.ts'
import { sqlState } from './server-error.ts'
import { quoteName } from './sql-text.ts'

/** How many milliseconds between two looks at the newest version: without notifications, and with them. */
const shortestLook = 2
const longestLook = 40
const safetyLook = 5_000
/** Without notifications, the delay is this share of the time since the last commit. */
const patience = 0.02
/** How many milliseconds until a connection is tried again, at most. */
const longestPause = 1_000

/** The name of the advisory lock that everybody who follows a database shares, so that nobody replaces it meanwhile. */
export function followedLock(channel: string): string {
  return `${channel} followed`
}

export interface FollowPort {
  /** A connection of its own, because notifications go to the connection that listens. */
  connect(isWanted: () => boolean): Promise<Connection>
  readonly channel: string
  /** The newest version, over any connection, or over this one. */
  latest(connection?: Connection): Promise<number>
  notify(channel: string, payload: string): Promise<void>
  isOwn(version: number): boolean
}

/**
 * `Driver.follow` by LISTEN. It tests whether notifications arrive, because a pooler may give the connection to others; until one
 * has, it looks at the newest version repeatedly. After each reconnect it looks at once, so nothing is missed. If an older state of
 * the database was restored, it gives null, and the readers find that out.
 */
export async function* follow(
  port: FollowPort,
  since: number,
  signal: AbortSignal,
): AsyncGenerator<number | null, void> {
  let told = since
  for (let pause = shortestLook; !signal.aborted; pause = Math.min(2 * pause, longestPause)) {
    let listener: Listener | null = null
    try {
      listener = await Listener.open(port, signal)
      for (;;) {
        const newest = await listener.next()
        if (signal.aborted) return
        if (newest === null || newest === told) continue
        // A notification may be older than the version that was looked up before it.
        const isBack = newest < told
        if (isBack && (await port.latest()) >= told) continue
        pause = shortestLook
        told = newest
        if (isBack) yield null
        else if (!port.isOwn(newest)) yield newest
      }
    } catch {
      // Wakes the readers, which then meet the obstacle themselves.
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
  /** Whether notifications arrive. */
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
      // A notification may have come before the answer.
      listener.#newest = Math.max(listener.#newest ?? 0, newest)
      return listener
    } catch (error) {
      listener.close()
      throw error
    }
  }

  /** If the server refuses to notify, as a standby does, the newest version is looked at instead. */
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

  /** The newest version, once it may have changed; null if there is none. Rejects if the connection is lost. */
  async next(): Promise<number | null> {
    if (this.#newest === null) await this.#pause()
    if (this.#signal.aborted) return null
    const heard = this.#newest
    this.#newest = null
    if (heard !== null) return heard
    if (this.#connection.isLost) throw new Error('the connection that listens was lost')
    // The listening connection is rarely used otherwise: asking it shows whether it still works.
    return this.#port.latest(this.#isTold ? this.#connection : undefined)
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#abort)
    this.#connection.onEnd = null
    this.#connection.discard()
  }

  #hear(payload: string): void {
    if (payload === this.#probe) this.#beTold()
    else if (/^\d+$/.test(payload)) {
      this.#newest = Math.max(this.#newest ?? 0, Number(payload))
      this.#wake()
    }
  }

  /** Its own notification has arrived, so the connection is its own, and not that of a pooler. */
  #beTold(): void {
    this.#isTold = true
    const text = 'select pg_try_advisory_lock_shared(hashtextextended($1, 0))'
    // Without it, a replaced database is only not noticed; a lost connection is noticed anyway.
    this.#connection.run({ text }, [followedLock(this.#port.channel)]).catch(() => {})
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
