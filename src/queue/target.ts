import { type Database, storeOf } from '../api/database.ts'
import { storeOfFace } from '../key-value/key-value.ts'
import type { Definitions } from '../schema/registry.types.ts'
import { StoreAtomicOperation } from '../store/atomic-operation.ts'
import type { AtomicOperation } from '../store/atomic-operation.types.ts'
import type { Store } from '../store/store.ts'
import type { SnapshotView } from '../unit-of-work/snapshot.ts'
import { UnitOfWork } from '../unit-of-work/unit-of-work.ts'

// biome-ignore lint/suspicious/noExplicitAny: a queue works with a database of whatever definitions, as long as its own are among them.
export type Any = any

/** An open database that has the definitions of a queue. */
export type QueueDatabase<R extends Definitions = Any> = Database<R, Any>
/** What a function of `unitOfWork` gets. */
export type QueueUnit = UnitOfWork<Any>
/** What a function of `snapshot` is given. */
export type QueueView = SnapshotView<Any>
/** An atomic operation that is not committed yet. */
export type QueueOperation = AtomicOperation<Any>

/** The store of a database. Throws a TypeError for anything else. */
export function openStore(database: QueueDatabase, call: string): Store {
  const store = storeOf(database)
  if (store === null) throw new TypeError(`${call} takes an open database first: ${call}(db, …)`)
  return store
}

/** The time by the engine's clock, in milliseconds since the epoch. */
export function nowOf(target: QueueDatabase | QueueUnit | QueueView | QueueOperation): number {
  const store = isOperation(target) ? (target as unknown as StoreAtomicOperation).store : storeOfFace(target)
  return store!.now()
}

export function isOperation(target: unknown): target is QueueOperation {
  return target instanceof StoreAtomicOperation
}

export function isUnit(target: unknown): target is QueueUnit {
  return target instanceof UnitOfWork
}
