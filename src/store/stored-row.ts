import { CorruptValueError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import type { StoredRow } from '../driver/driver.ts'
import { isStamp } from '../key/versionstamp.ts'
import { decodeValue } from '../value/codec.ts'
import { comparedValue } from '../value/compared-value.ts'
import type { ValueFormat } from '../value/value-format.ts'

/** The value of a row. Like all functions here, throws a CorruptValueError. */
export function decodeStored(row: StoredRow, key: Key, format: ValueFormat): unknown {
  return readStored(row, key, () => decodeValue(row.value, row.encoding, row.types, format))
}

/** The value of a row as queries compare it. */
export function comparedStored(row: StoredRow, key: Key): unknown {
  return readStored(row, key, () => comparedValue(row.value, row.encoding, row.types))
}

function readStored(row: StoredRow, key: Key, read: () => unknown): unknown {
  if (!isStamp(row.version)) throw new CorruptValueError(key, new TypeError('its version is not a version'))
  try {
    return read()
  } catch (error) {
    throw new CorruptValueError(key, error)
  }
}
