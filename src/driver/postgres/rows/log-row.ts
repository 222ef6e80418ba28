import {
  type LoggedChange,
  type LoggedCommit,
  readChanges,
  writeChanges,
} from '../../../commit/log-format.ts'

type ChangeType = LoggedChange['type']

/** The bytes of `kinds`: the same numbers as in the log of a file. */
const types: readonly (ChangeType | undefined)[] = [undefined, 'set', 'delete', 'expire']

/** A row of `kv_log`; `changes` are its bytes if values are kept. */
export function loggedCommit(
  version: number,
  at: number,
  keys: readonly Uint8Array[],
  kinds: Uint8Array,
  changes: Uint8Array | null,
): LoggedCommit {
  return { version, at, changes: changes === null ? changesOf(keys, kinds) : readChanges(changes) }
}

/** Null for anything that this package has not written. */
function changesOf(keys: readonly Uint8Array[], kinds: Uint8Array): LoggedChange[] | null {
  const changes: LoggedChange[] = []
  for (const [place, key] of keys.entries()) {
    const type = types[kinds[place] ?? 0]
    if (type === undefined) return null
    changes.push({ type, key })
  }
  return keys.length === kinds.length ? changes : null
}

/** The changes of a commit, in the columns of `kv_log`. */
export interface LogColumns {
  readonly keys: readonly Uint8Array[]
  readonly kinds: Uint8Array
  /** Null if no values are kept. */
  readonly changes: Uint8Array | null
}

export function logColumns(changes: readonly LoggedChange[]): LogColumns {
  return { keys: changes.map(({ key }) => key), kinds: kindsOf(changes), changes: keptChanges(changes) }
}

/** A byte for each change: what it did. */
export function kindsOf(changes: readonly LoggedChange[]): Uint8Array {
  const kinds = new Uint8Array(changes.length)
  for (let place = 0; place < changes.length; place++) kinds[place] = types.indexOf(changes[place]!.type)
  return kinds
}

/** The bytes of changes, if values are kept. */
export function keptChanges(changes: readonly LoggedChange[]): Uint8Array | null {
  return changes.some(({ stored }) => stored !== undefined) ? writeChanges(changes) : null
}
