import { KeyedMutex } from '../store/keyed-mutex.ts'
import { clock } from '../time/clock.ts'

/** A message or a job that a worker works on. */
export interface Leased {
  /** How many milliseconds it belongs to its worker without a renewal. */
  readonly lease: number
  /** Renews the lease; false if another worker has it. */
  renew(): Promise<boolean>
  /** Another worker has it, or may have it by now. */
  lost(): void
}

interface Held {
  readonly leased: Leased
  /** When it was last renewed, by the clock of the process. */
  told: number
  renewing: Promise<void> | null
  timer: NodeJS.Timeout | undefined
}

/** Renewals in the time of a lease: one may be late, and one may fail. */
const renewals = 3

/** The leases of the workers of one queue in this process, each renewed until it is released. */
export class Leases {
  readonly #held = new Map<Leased, Held>()
  readonly #turns = new KeyedMutex()

  get size(): number {
    return this.#held.size
  }

  /** Renews a lease that was taken at `since`, by the clock of the process, until `release`. */
  keep(leased: Leased, since: number): void {
    const held: Held = { leased, told: since, renewing: null, timer: undefined }
    this.#held.set(leased, held)
    this.#schedule(held)
  }

  /** Stops renewing it. Resolves once no renewal is running, with whether the lease was kept. */
  async release(leased: Leased): Promise<boolean> {
    const held = this.#held.get(leased)
    this.#held.delete(leased)
    clearTimeout(held?.timer)
    await held?.renewing
    return held !== undefined
  }

  /**
   * Makes the workers of this process take leases one after the other, so each sees what the others have taken. It first renews
   * leases that are nearly over: after a blocked event loop they would look abandoned.
   */
  async inTurn<T>(take: () => Promise<T>): Promise<T> {
    const leave = await this.#turns.enter('')
    try {
      const late = [...this.#held.values()].filter(({ leased, told }) => clock() - told > leased.lease / 2)
      if (late.length > 0) await Promise.all(late.map((held) => this.#renew(held)))
      return await take()
    } finally {
      leave()
    }
  }

  #schedule(held: Held): void {
    const due = held.told + held.leased.lease / renewals
    held.timer = setTimeout(() => void this.#renew(held), Math.max(due - clock(), 1))
  }

  #renew(held: Held): Promise<void> {
    clearTimeout(held.timer)
    held.renewing ??= this.#renewOnce(held).finally(() => {
      held.renewing = null
    })
    return held.renewing
  }

  async #renewOnce(held: Held): Promise<void> {
    const { leased } = held
    const begun = clock()
    const outcome = await leased.renew().then(
      (isOurs) => (isOurs ? 'kept' : 'lost'),
      () => 'failed',
    )
    if (this.#held.get(leased) !== held) return
    if (outcome === 'kept') held.told = begun
    // While the database cannot be written, the lease lasts until its time is over.
    if (outcome === 'kept' || (outcome === 'failed' && clock() - held.told < leased.lease)) {
      this.#schedule(held)
      return
    }
    this.#held.delete(leased)
    leased.lost()
  }
}
