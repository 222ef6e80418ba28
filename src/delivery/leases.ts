import { KeyedMutex } from '../store/keyed-mutex.ts'
import { clock } from '../time/clock.ts'

/** A message or a job that a worker works on. */
export interface Leased {
  /** How many milliseconds it belongs to its worker without a renewal. */
  readonly lease: number
  /** When it is over without a renewal: milliseconds since the epoch, by the clock of the database. */
  readonly until: number
  /** Renews the lease; false if another worker has it. */
  renew(): Promise<boolean>
  /** Another worker has it, or may have it by now. */
  lost(): void
}

interface Held {
  readonly leased: Leased
  /** When it was last renewed, by the clock of the process. */
  told: number
  /** Why the last renewal failed; null if it did not. */
  fault: unknown
  /** Whether it is about to be settled, which shows whether another worker has it. */
  isEnding: boolean
  renewing: Promise<void> | null
  timer: NodeJS.Timeout | undefined
}

/** Renewals in the time of a lease: one may be late, and one may fail. */
const renewals = 3
/** How often to try in the time of a lease while a renewal fails. */
const triesOfFailing = 12

/** The leases of the workers of one queue in this process, each renewed until it is released. */
export class Leases {
  readonly #held = new Map<Leased, Held>()
  readonly #turns = new KeyedMutex()
  readonly #now: () => number

  /** `now`: milliseconds since the epoch, by the clock of the database. */
  constructor(now: () => number) {
    this.#now = now
  }

  get size(): number {
    return this.#held.size
  }

  /** Renews a lease that was taken at `since`, by the clock of the process, until `release`. */
  keep(leased: Leased, since: number): void {
    const held: Held = { leased, told: since, fault: null, isEnding: false, renewing: null, timer: undefined }
    this.#held.set(leased, held)
    this.#schedule(held, since + leased.lease / renewals)
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
   * Releases a lease whose job or message is about to be settled: if it looks over, it is renewed before, so that no worker of this
   * process takes it meanwhile.
   */
  async settle(leased: Leased): Promise<boolean> {
    const held = this.#held.get(leased)
    if (held !== undefined && this.#isLate(held)) {
      held.isEnding = true
      await this.#renew(held)
    }
    return this.release(leased)
  }

  /**
   * Makes the workers of this process take leases one after the other, so each sees what the others have taken. `take` is given the
   * time by the clock of the database: what is due by then is leased by no worker of this process.
   */
  async inTurn<T>(take: (now: number) => Promise<T>): Promise<T> {
    const leave = await this.#turns.enter('')
    try {
      return await take(await this.#renewLate())
    } finally {
      leave()
    }
  }

  /**
   * Renews leases that are nearly over, or look so: after a blocked event loop, or after the clock of the database was put forward,
   * as it is when the machine has slept. Returns the time, which is before the end of each lease.
   */
  async #renewLate(): Promise<number> {
    const now = this.#now()
    const late = [...this.#held.values()].filter((held) => this.#isLate(held))
    if (late.length === 0) return now
    await Promise.all(late.map((held) => this.#renew(held)))
    for (const held of late) {
      const { leased, fault } = held
      // Nothing would tell it from one that was left behind.
      if (this.#held.get(leased) === held && fault !== null && leased.until <= now + 1) throw fault
    }
    return Math.min(now, this.#now())
  }

  #isLate({ leased, told }: Held): boolean {
    const half = leased.lease / 2
    return clock() - told > half || leased.until - this.#now() < half
  }

  /** `due`: when to renew it, by the clock of the process. */
  #schedule(held: Held, due: number): void {
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
      (error: unknown) => {
        held.fault = error
        return 'failed'
      },
    )
    if (this.#held.get(leased) !== held) return
    if (outcome === 'kept') {
      held.told = begun
      held.fault = null
      this.#schedule(held, begun + leased.lease / renewals)
      return
    }
    // While the database cannot be written, the lease lasts until its time is over.
    if (outcome === 'failed' && (held.isEnding || clock() - held.told < leased.lease)) {
      this.#schedule(held, clock() + leased.lease / triesOfFailing)
      return
    }
    this.#held.delete(leased)
    leased.lost()
  }
}
