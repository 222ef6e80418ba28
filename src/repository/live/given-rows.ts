import { encodeStoredKey } from '../../key/codec.ts'
import { keyText } from '../../key/key-text.ts'
import type { RowEntry } from '../../store/row-store.ts'
import { pauseDue } from '../../time/give-way.ts'
import { freeze } from '../../value/freeze.ts'
import { type Relation, relatedRows } from './relation.ts'

/** How many rows that are in no result pile up before they are checked. */
const mostGone = 64

interface Given {
  readonly version: number
  readonly entry: WeakRef<RowEntry>
}

/**
 * The rows that the results of a query have returned, for as long as somebody holds them. So an unchanged row is the same object
 * again, and rows that nobody holds cost no memory.
 */
export class GivenRows {
  readonly #relations: readonly Relation[]
  readonly #rows = new Map<string, Given>()

  constructor(relations: readonly Relation[]) {
    this.#relations = relations
  }

  /** The entry returned for this version of a row. */
  of(name: string, version: number): RowEntry | undefined {
    const given = this.#rows.get(name)
    return given?.version === version ? given.entry.deref() : undefined
  }

  /**
   * The entry to return for a row: the previous one if it shows the same, including its related rows; otherwise `fresh`, frozen,
   * which reuses the related rows that show the same.
   */
  renew(name: string, version: number, fresh: RowEntry): RowEntry {
    const last = this.#rows.get(name)?.entry.deref()
    const entry = renewed(last, fresh, this.#relations)
    if (entry !== last) this.#rows.set(name, { version, entry: new WeakRef(entry) })
    return entry
  }

  /** Forgets rows that nobody holds, if there may be many. `rows`: how many the result has. */
  async tidy(rows: number): Promise<void> {
    if (this.#rows.size <= 2 * rows + mostGone) return
    for (const [name, { entry }] of this.#rows) {
      if (entry.deref() === undefined) this.#rows.delete(name)
      const pause = pauseDue()
      if (pause !== undefined) await pause
    }
  }
}

function renewed(last: RowEntry | undefined, fresh: RowEntry, relations: readonly Relation[]): RowEntry {
  let isSame = last !== undefined && last.versionstamp === fresh.versionstamp
  const related: Record<string, unknown> = {}
  for (const relation of relations) {
    const before = last === undefined ? [] : relatedRows(last, relation)
    const rows = renewedRows(before, relatedRows(fresh, relation), relation.inner)
    isSame &&= rows === before
    related[relation.name] = relation.field === null ? rows : (rows[0] ?? null)
  }
  if (isSame) return last!
  // Several rows may refer to it: then the first of them has done this.
  return Object.isFrozen(fresh) ? fresh : freeze(Object.assign(fresh, related))
}

/** `before`, if these are the same rows. */
function renewedRows(
  before: readonly RowEntry[],
  fresh: readonly RowEntry[],
  relations: readonly Relation[],
): readonly RowEntry[] {
  const last = new Map(before.map((entry) => [nameOf(entry), entry]))
  const rows = fresh.map((entry) => renewed(last.get(nameOf(entry)), entry, relations))
  return rows.length === before.length && rows.every((row, i) => row === before[i]) ? before : rows
}

const nameOf = ({ key }: RowEntry): string => keyText(encodeStoredKey(key))
