import { KeyedMutex } from '../store/keyed-mutex.ts'
import { clock } from '../time/clock.ts'

/** Something that is worked on, for as long as it is known to be. */
export interface Leased {
  /** Milliseconds for which it is left to its worker, unless that tells again. */
  readonly lease: number
  /** Tells that it is still worked on; false if another has it. */
  renew(): Promise<boolean>
  /** Another has it, or may have by now. */
  lost(): void
}

interface Held {
  readonly leased: Leased
  /** When it was told last, by the clock of the process. */
  told: number
  renewing: Promise<void> | null
  timer: NodeJS.Timeout | undefined
}

/** How often in the time of a lease it is renewed: one may come late, and one may fail. */
const renewals = 3

/** The leases of the workers of one queue in this process: each is renewed until it is given up. */
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

  /** Renews it no more. Resolves once no renewal is under way, to whether it was kept. */
  async release(leased: Leased): Promise<boolean> {
    const held = this.#held.get(leased)
    this.#held.delete(leased)
    clearTimeout(held?.timer)
    await held?.renewing
    return held !== undefined
  }

  /**
   * Has the workers of this process take leases one after the other: what one has taken is kept before the next one looks. Those whose time is
   * nearly over are renewed before: where the loop was blocked for long, they seem to be left behind.
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
    // While the database cannot be written, the lease goes on until its time is over.
    if (outcome === 'kept' || (outcome === 'failed' && clock() - held.told < leased.lease)) {
      this.#schedule(held)
      return
    }
    this.#held.delete(leased)
    leased.lost()
  }
}
