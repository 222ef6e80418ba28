/** An array as PostgreSQL takes it in binary: nothing in it has to be escaped, and bytes are sent as they are. */

/** The numbers of the types of elements, which are the same on every server. */
const oids = { bytea: 17, bigint: 20, smallint: 21, integer: 23, text: 25, json: 114 }
const sizes = { bigint: 8, smallint: 2, integer: 4 }

type ElementType = keyof typeof oids
type Element = Uint8Array | string | number | null

/** The header of an array with one dimension: dimensions, whether there are nulls, the type, the length, and the first index. */
const headerBytes = 20

export function byteas(values: readonly (Uint8Array | null)[]): Buffer {
  return binaryArray('bytea', values)
}

export function bigints(values: readonly (number | null)[]): Buffer {
  return binaryArray('bigint', values)
}

export function smallints(values: readonly (number | null)[]): Buffer {
  return binaryArray('smallint', values)
}

export function integers(values: readonly number[]): Buffer {
  return binaryArray('integer', values)
}

export function texts(values: readonly (string | null)[]): Buffer {
  return binaryArray('text', values)
}

export function jsons(values: readonly (string | null)[]): Buffer {
  return binaryArray('json', values)
}

/** Most arrays of a commit are empty: no dimensions, no nulls, and the type. */
const emptyArrays = Object.fromEntries(
  Object.entries(oids).map(([type, oid]) => {
    const array = Buffer.alloc(12)
    array.writeInt32BE(oid, 8)
    return [type, array]
  }),
) as Readonly<Record<ElementType, Buffer>>

function binaryArray(type: ElementType, values: readonly Element[]): Buffer {
  if (values.length === 0) return emptyArrays[type]
  let bytes = headerBytes
  for (const value of values) bytes += 4 + sizeOf(type, value)
  const array = Buffer.allocUnsafe(bytes)
  array.writeInt32BE(1, 0)
  array.writeInt32BE(values.includes(null) ? 1 : 0, 4)
  array.writeInt32BE(oids[type], 8)
  array.writeInt32BE(values.length, 12)
  array.writeInt32BE(1, 16)
  let at = headerBytes
  for (const value of values) {
    const size = value === null ? -1 : sizeOf(type, value)
    at = array.writeInt32BE(size, at)
    if (value === null) continue
    if (typeof value === 'string') array.write(value, at)
    else if (typeof value !== 'number') array.set(value, at)
    else if (type === 'bigint') array.writeBigInt64BE(BigInt(value), at)
    else array.writeIntBE(value, at, size)
    at += size
  }
  return array
}

function sizeOf(type: ElementType, value: Element): number {
  if (value === null) return 0
  if (typeof value === 'string') return Buffer.byteLength(value)
  return type in sizes ? sizes[type as keyof typeof sizes] : (value as Uint8Array).length
}
