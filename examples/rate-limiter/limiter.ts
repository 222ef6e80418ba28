import { KvU64, type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const schemas = Valkeyrie.withSchema(['allowances', '*', '*'], z.instanceof(KvU64), { name: 'allowances' })

/** How many requests are left, by client and number of the window. */
export type Allowances = Awaited<ReturnType<typeof openAllowances>>

export function openAllowances(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}

export interface RateLimit {
  /** The most requests of one client in one window. */
  readonly limit: bigint
  /** The length of a window, in milliseconds. */
  readonly window: number
  /** The time, in milliseconds since the epoch. */
  readonly now?: () => number
}

/**
 * Admits exactly `limit` requests of a client in each window, by however many processes it is asked.
 *
 * The number of the window is part of the key, so a new window begins at the full allowance whatever became of the old one,
 * whose row expires by itself. One key for all windows would have to be started anew when it has expired, and a count that
 * slips in just then creates it without an expiry: a client that is over the limit would stay so for ever.
 *
 * The count goes down, because a sum below 0 is refused as a whole: who gets one of the last requests is decided inside
 * the commit. Counting up and looking afterwards would turn away requests that there was room for.
 */
export class RateLimiter {
  readonly #db: Allowances
  readonly #limit: bigint
  readonly #window: number
  readonly #now: () => number

  constructor(db: Allowances, { limit, window, now = Date.now }: RateLimit) {
    this.#db = db
    this.#limit = limit
    this.#window = window
    this.#now = now
  }

  /** Whether the client may go on. A refusal reads, and writes nothing. */
  async admits(client: string): Promise<boolean> {
    const id = [client, Math.floor(this.#now() / this.#window)] as const
    const { value: left } = await this.#db.repositories.allowances.get(id)
    if (left?.value === 0n) return false
    if (left === null && (await this.#open(id))) return true
    return this.#take(id)
  }

  /** Opens a window with its first request; `false` where another has done so. */
  async #open(id: readonly [string, number]): Promise<boolean> {
    if (this.#limit === 0n) return false
    const key = this.#db.repositories.allowances.key(id)
    const result = await this.#db
      .atomic()
      .check({ key, versionstamp: null })
      // A window longer than needed, so that a request that was held up still finds it.
      .set(key, new KvU64(this.#limit - 1n), { expireIn: 2 * this.#window })
      .commit()
    return result.ok
  }

  /** `sum` keeps the expiry of its row: later requests do not prolong it. */
  async #take(id: readonly [string, number]): Promise<boolean> {
    try {
      await this.#db.repositories.allowances.sum(id, -1n)
      return true
    } catch (error) {
      if (error instanceof RangeError) return false
      throw error
    }
  }
}
