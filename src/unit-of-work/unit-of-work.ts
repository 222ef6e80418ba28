import type { InspectOptions } from 'node:util'
import { inspected, inspectName } from '../contract/inspected.ts'
import { TypedStore } from '../repository/typed-store.ts'
import type { Definitions } from '../schema/registry.types.ts'
import { countCalls } from '../store/call-counter.ts'
import type { UnitStore } from './unit-store.ts'

const keyValueWrites = ['set', 'delete', 'enqueue'] as const

/**
 * What the function of a unit of work reads from and writes to: repositories, and reads and writes by key, all of one snapshot.
 * Later reads of the unit see a write at once, everybody else when the unit commits. Each key has one entry in the unit: change
 * its value in place, or assign to it, and it is written at the end, as by `update`. The entry of a missing row is frozen. With
 * `columns`, the value is a copy, frozen with its entry: change the row with `update`. The versionstamp of the unit's own writes is not known before it
 * commits.
 *
 * ```ts
 * const count = await db.unitOfWork(async (unit) => {
 *   const alice = await unit.get(['accounts', 'alice'])
 *   if (alice.value !== null) alice.value.balance += 1
 *   await unit.repositories.accounts.set('carol', { balance: 0 })
 *   return unit.repositories.accounts.count()
 * })
 * count // => 3
 * ```
 *
 * After its function has returned, a call of the unit is a TypeError; watching in a unit always is. So await every call, or
 * return its promise. If a write is still running when the function returns, the unit rejects, and nothing is written. A call
 * that rejects writes nothing, and the rest commits only if your function handles the rejection; a rejection that nobody waits
 * for makes the unit reject with its error.
 *
 * A write with the database itself is not part of the unit: it commits at once, stays if the unit fails, and happens again at
 * each further run.
 */
export class UnitOfWork<R extends Definitions> extends TypedStore<R> {
  static {
    countCalls(UnitOfWork.prototype as UnitOfWork<Definitions>, keyValueWrites, (unit, name, promise) =>
      unit.#unit.calls.count(`unit.${name}`, promise),
    )
  }

  readonly #unit: UnitStore

  constructor(store: UnitStore) {
    super(store)
    this.#unit = store
  }

  [inspectName](_depth: number, options: InspectOptions): string {
    const { registry, own } = this.#unit
    const repositories = registry.definitions.map(({ name }) => name)
    return inspected('UnitOfWork', { repositories, writes: own.all().length }, options)
  }
}
