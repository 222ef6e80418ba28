import { TypedStore } from './repository/typed-store.ts'
import type { Definitions } from './schema/registry.types.ts'

/**
 * What the function of a unit of work reads from and writes to: the database's repositories and its reads and writes by key,
 * all of one snapshot. A write is visible to later reads of the unit at once, to everybody else when the
 * unit commits. The versionstamp of an entry that the unit has written itself is not known before and may change.
 */
export class UnitOfWork<R extends Definitions> extends TypedStore<R> {}
