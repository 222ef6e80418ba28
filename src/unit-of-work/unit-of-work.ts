import type { InspectOptions } from 'node:util'
import { inspected, inspectName } from '../contract/inspected.ts'
import { KeyValue } from '../key-value/key-value.ts'
import { TypedStore } from '../repository/typed-store.ts'
import type { Definitions } from '../schema/registry.types.ts'
import type { UnitStore } from './unit-store.ts'
import type { WriteCalls } from './write-calls.ts'

const keyValueWrites = ['set', 'delete', 'enqueue'] as const
const repositoryWrites = [
  ...['insert', 'create', 'set', 'update', 'upsert', 'delete', 'touch', 'sum', 'max', 'min'],
  ...['insertMany', 'updateMany', 'deleteMany', 'claimMany'],
]

/**
 * What the function of a unit of work reads from and writes to: the database's repositories and its reads and writes by key,
 * all of one snapshot. A write is visible to later reads of the unit at once, to everybody else when the unit commits. An
 * entry that it loads is one object for each key: a value that is changed in place, or assigned to the entry, is written at the
 * end, as by `update`. To the entry of a missing row nothing can be assigned: it is frozen.
 * What `columns` has chosen of a value is a copy, whose fields are changed by `update` only.
 * The versionstamp of what the unit has written itself is not known before it commits.
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
 * After its function has returned, a call of the unit is a TypeError; to watch in one always is. So await every call, or return its
 * promise. A write that has not ended when the function returns makes the unit reject, and nothing is written. A call that is rejected writes
 * nothing; the rest is committed only where your function handles the rejection: one that nobody waits for makes the unit reject with its error.
 *
 * What you write through the database itself is not a part of the unit: it is committed at once, stays where the unit fails, and is
 * written again by each further run.
 */
export class UnitOfWork<R extends Definitions> extends TypedStore<R> {
  static {
    for (const name of keyValueWrites) {
      const write = KeyValue.prototype[name] as (...args: unknown[]) => Promise<unknown>
      Object.defineProperty(UnitOfWork.prototype, name, {
        value(this: UnitOfWork<Definitions>, ...args: unknown[]) {
          return this.#calls.count(`unit.${name}`, write.apply(this, args))
        },
        configurable: true,
        writable: true,
      })
    }
  }

  readonly #unit: UnitStore
  readonly #calls: WriteCalls

  constructor(store: UnitStore, calls: WriteCalls) {
    super(store, (definition) => {
      const repository = store.openRepository!(store, definition)
      calls.countAll(definition.name, repository, repositoryWrites)
      return repository
    })
    this.#unit = store
    this.#calls = calls
  }

  [inspectName](_depth: number, options: InspectOptions): string {
    const { registry, own } = this.#unit
    const repositories = registry.definitions.map(({ name }) => name)
    return inspected('UnitOfWork', { repositories, writes: own.all().length }, options)
  }
}
