import { CorruptValueError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import type { StoredRow } from '../driver/driver.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'
import type { RowEntry } from '../store/row-store.ts'
import { decodeValue, encodeValue } from '../value/codec.ts'
import type { StoredValue } from '../value/encoding.ts'
import { KeyedEntry } from '../value/keyed-entry.ts'
import type { ValueFormat } from '../value/value-format.ts'

/** A value that the unit has loaded: one object, shared by all entries of its key. */
export interface Loaded {
  readonly key: Key
  /** The stored form that `value` was decoded from, or was last written as. */
  row: StoredRow
  value: unknown
  entry: KeyedEntry | null
  /** The entry of its repository, and those with related rows. */
  rowEntries: readonly WritableRowEntry[]
}

type WritableRowEntry = { -readonly [P in keyof RowEntry]: RowEntry[P] }

/** Shows a value in all entries of its key. */
export function show(loaded: Loaded, value: unknown): void {
  loaded.value = value
  const { version, expiresAt } = loaded.row
  const versionstamp = formatVersionstamp(version)
  if (loaded.entry !== null) KeyedEntry.renew(loaded.entry, value, versionstamp, expiresAt)
  for (const entry of loaded.rowEntries) Object.assign(entry, { value, versionstamp, expiresAt })
}

/** Whether another value was assigned to an entry of the key. */
export function isAssigned({ value, entry, rowEntries }: Loaded): boolean {
  const others = entry === null ? rowEntries : [entry, ...rowEntries]
  return others.some((one) => !Object.is(one.value, value))
}

/** Takes over a value that was assigned to an entry of the key: its other entries then show it, too. */
export function adoptAssigned(loaded: Loaded): void {
  let assigned: { readonly value: unknown } | null = null
  const look = (entry: { readonly value: unknown }) => {
    if (Object.is(entry.value, loaded.value)) return
    if (assigned !== null && !Object.is(entry.value, assigned.value)) {
      const id = loaded.rowEntries[0]?.id ?? loaded.key
      throw new TypeError(
        `You assigned different values to two entries of ${String(id)}: assign to one of them`,
      )
    }
    assigned = entry
  }
  if (loaded.entry !== null) look(loaded.entry)
  loaded.rowEntries.forEach(look)
  if (assigned !== null) show(loaded, (assigned as { readonly value: unknown }).value)
}

/**
 * The form in which the value would be stored. Throws a TypeError if it cannot be stored; a CorruptValueError if the stored one
 * already could not, which means another program has written it.
 */
export function encodeLoaded({ key, row, value }: Loaded, format: ValueFormat): StoredValue {
  try {
    return encodeValue(value, format)
  } catch (error) {
    try {
      encodeValue(decodeValue(row.value, row.encoding, row.types, format), format)
    } catch (cause) {
      throw new CorruptValueError(key, cause)
    }
    throw error
  }
}
