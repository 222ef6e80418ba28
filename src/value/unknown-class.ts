import { isAnyArrayBuffer, isBoxedPrimitive, isNativeError, isSharedArrayBuffer } from 'node:util/types'

/** Why an object cannot be stored that is neither plain nor of a known class, and what to store instead. */
export function describeUnknownClass(value: object): string {
  const name = className(value)
  if (Buffer.isBuffer(value)) return 'is a Buffer: copy it, with new Uint8Array(buffer)'
  if (isSharedArrayBuffer(value)) return 'is a SharedArrayBuffer: store its bytes, new Uint8Array(buffer)'
  if (isAnyArrayBuffer(value) || ArrayBuffer.isView(value))
    return `is of a class derived from a buffer (${name}): store its bytes, new Uint8Array(…)`
  if (value instanceof Blob) return `is a ${name}: store its bytes, await blob.bytes()`
  if (isNativeError(value))
    return `is an error of your own class (${name}): store its name and message, or add a value type to open`
  if (isBoxedPrimitive(value)) return `is a ${name} object: store the primitive, with .valueOf()`
  if (value instanceof Promise) return 'is an instance of Promise: await it, and store its result'
  return `is an instance of ${name}, which cannot be stored: make it a plain object, or add a value type to open`
}

function className(value: object): string {
  const maker: unknown = value.constructor
  return typeof maker === 'function' && maker !== Object && maker.name !== ''
    ? maker.name
    : 'a class without a name'
}
