/** An array as PostgreSQL takes it in binary: nothing in it has to be escaped, and bytes are sent as they are. */

/** The numbers of the types of elements, which are the same on every server. */
const oids = { bytea: 17, bigint: 20, smallint: 21, integer: 23, text: 25, json: 114 }
const sizes = { bigint: 8, smallint: 2, integer: 4 }

type ElementType = keyof typeof oids

/** The header of an array with one dimension: dimensions, whether there are nulls, the type, the length, and the first index. */
const headerBytes = 20
/** Before each element: how many bytes it has, -1 for null. */
const sizeBytes = 4

export function byteas(values: readonly (Uint8Array | null)[]): Buffer {
  let bytes = 0
  for (const value of values) bytes += value === null ? 0 : value.length
  const array = newArray('bytea', values, bytes)
  let at = headerBytes
  for (const value of values) {
    at = array.writeInt32BE(value === null ? -1 : value.length, at)
    if (value === null) continue
    array.set(value, at)
    at += value.length
  }
  return array
}

export function bigints(values: readonly (number | null)[]): Buffer {
  return ofNumbers('bigint', values)
}

export function smallints(values: readonly (number | null)[]): Buffer {
  return ofNumbers('smallint', values)
}

export function integers(values: readonly number[]): Buffer {
  return ofNumbers('integer', values)
}

export function texts(values: readonly (string | null)[]): Buffer {
  return ofTexts('text', values)
}

export function jsons(values: readonly (string | null)[]): Buffer {
  return ofTexts('json', values)
}

function ofTexts(type: ElementType, values: readonly (string | null)[]): Buffer {
  let bytes = 0
  for (const value of values) bytes += value === null ? 0 : Buffer.byteLength(value)
  const array = newArray(type, values, bytes)
  let at = headerBytes
  for (const value of values) {
    const size = value === null ? -1 : array.write(value, at + sizeBytes)
    array.writeInt32BE(size, at)
    at += sizeBytes + Math.max(size, 0)
  }
  return array
}

function ofNumbers(type: keyof typeof sizes, values: readonly (number | null)[]): Buffer {
  const size = sizes[type]
  let bytes = 0
  for (const value of values) bytes += value === null ? 0 : size
  const array = newArray(type, values, bytes)
  let at = headerBytes
  for (const value of values) {
    at = array.writeInt32BE(value === null ? -1 : size, at)
    if (value === null) continue
    // Half by half: a BigInt of each would take four times as long.
    if (type === 'bigint') {
      at = array.writeInt32BE(Math.floor(value / 2 ** 32), at)
      at = array.writeUInt32BE(value >>> 0, at)
    } else at = array.writeIntBE(value, at, size)
  }
  return array
}

/** An array with room for its elements, which have this many bytes together. Without elements, it has no dimensions. */
function newArray(type: ElementType, values: readonly unknown[], bytes: number): Buffer {
  if (values.length === 0) return emptyArrays[type]
  const array = Buffer.allocUnsafe(headerBytes + sizeBytes * values.length + bytes)
  array.writeInt32BE(1, 0)
  array.writeInt32BE(values.includes(null) ? 1 : 0, 4)
  array.writeInt32BE(oids[type], 8)
  array.writeInt32BE(values.length, 12)
  array.writeInt32BE(1, 16)
  return array
}

/** Most arrays of a commit are empty: no dimensions, no nulls, and the type. */
const emptyArrays = Object.fromEntries(
  Object.entries(oids).map(([type, oid]) => {
    const array = Buffer.alloc(12)
    array.writeInt32BE(oid, 8)
    return [type, array]
  }),
) as Readonly<Record<ElementType, Buffer>>
