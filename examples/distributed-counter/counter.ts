import { KvU64, type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const schemas = Valkeyrie.withSchema(['counters', '*'], z.instanceof(KvU64))

/** Counters by their names. */
export type Counters = Awaited<ReturnType<typeof openCounters>>

export function openCounters(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}

/** A number from 0 on that any number of processes count with. One that is not stored yet is 0. */
export class DistributedCounter {
  readonly #db: Counters
  readonly #name: string

  constructor(db: Counters, name: string) {
    this.#db = db
    this.#name = name
  }

  /** Adds where the number is stored, so there is nothing to read before, no conflict, and nothing to try again. */
  async increment(by = 1n): Promise<void> {
    await this.#db.repositories.counters.sum(this.#name, by)
  }

  /** Subtracts; `false`, and nothing is subtracted, where the number would fall below 0. */
  async decrement(by = 1n): Promise<boolean> {
    try {
      await this.#db.repositories.counters.sum(this.#name, -by)
      return true
    } catch (error) {
      if (error instanceof RangeError) return false
      throw error
    }
  }

  async value(): Promise<bigint> {
    const { value } = await this.#db.repositories.counters.get(this.#name)
    return value?.value ?? 0n
  }

  /**
   * Begins at 0 again, and tells what was counted until then. Reading and resetting are one unit: what is counted
   * between a `value()` and a `set` to 0 would be in neither of two reports.
   */
  reset(): Promise<bigint> {
    return this.#db.unitOfWork(async ({ repositories: { counters } }) => {
      const { value } = await counters.get(this.#name)
      await counters.set(this.#name, new KvU64(0n))
      return value?.value ?? 0n
    })
  }
}
