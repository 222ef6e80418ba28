import { type LoggedChange, type LoggedCommit, readChanges } from '../../../commit/log-format.ts'

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
  readonly keys: Uint8Array[]
  readonly kinds: Uint8Array
  readonly hasValues: boolean
}

export function logColumns(changes: Uint8Array): LogColumns {
  const list = readChanges(changes)!
  return {
    keys: list.map(({ key }) => key),
    kinds: Uint8Array.from(list, ({ type }) => types.indexOf(type)),
    hasValues: list.some(({ stored }) => stored !== undefined),
  }
}
