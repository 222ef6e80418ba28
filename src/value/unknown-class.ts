import { isAnyArrayBuffer, isBoxedPrimitive, isNativeError } from 'node:util/types'
import { KeyedEntry } from './keyed-entry.ts'

/** What is wrong with an object that is neither plain nor of a class that can be stored, and what to store instead. */
export function describeUnknownClass(value: object): string {
  const name = className(value)
  if (value instanceof KeyedEntry)
    return 'is an entry with what is no plain JSON in it: copy it, with { ...entry }'
  if (Buffer.isBuffer(value)) return 'is a Buffer: copy it, with new Uint8Array(buffer)'
  if (isAnyArrayBuffer(value)) return `is an ${name}: store the bytes, as new Uint8Array(buffer)`
  if (isNativeError(value)) return `is an error (${name}): store an object with its name and message`
  if (isBoxedPrimitive(value)) return `is a ${name} object: store the primitive, with .valueOf()`
  return `is an instance of ${name}, which cannot be stored: make a plain object of it`
}

function className(value: object): string {
  const maker: unknown = value.constructor
  return typeof maker === 'function' && maker !== Object && maker.name !== ''
    ? maker.name
    : 'a class of its own'
}
