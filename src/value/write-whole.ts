import { isDeepStrictEqual } from 'node:util'
import { isReadable } from '../contract/readable-bytes.ts'
import { maxRegExpLength } from './bounds.ts'
import { typedArrayClasses } from './native-classes.ts'
import { type Place, refuse } from './place.ts'
import { isJsonNumber, numberWord, type Written, whole } from './written.ts'

type ViewClass = new (buffer: ArrayBufferLike, offset: number, length: number) => NodeJS.TypedArray

/** How many bytes an object without members takes at least; text other than of bytes is not counted. */
export function leastBytes(value: object, kind: string): number {
  // A digit and a comma for each element, or base64.
  if (kind === 'typed-array') return 2 * (value as NodeJS.TypedArray).length
  if (kind !== 'ArrayBuffer' && kind !== 'DataView') return 0
  const bytes = value as ArrayBuffer | DataView
  // What cannot be read has no length either, and is refused when it is written.
  return isReadable(bytes) ? Math.floor(bytes.byteLength / 3) * 4 : 0
}

/** Writes an object that has no members in JSON. */
export function writeWhole(value: object, kind: string, place: Place | null): Written {
  switch (kind) {
    case 'Date': {
      const date = value as Date
      checkBare(date, place)
      if (Number.isNaN(date.getTime())) refuse(place, 'is an invalid Date')
      return whole(date.toISOString(), kind)
    }
    case 'regexp': {
      const regexp = value as RegExp
      checkBare(regexp, place)
      if (regexp.lastIndex !== 0)
        refuse(place, 'is a RegExp in the middle of a search: set its lastIndex to 0')
      if (regexp.source.length > maxRegExpLength)
        refuse(place, `is a RegExp of more than ${maxRegExpLength} characters`)
      return whole(String(regexp), kind)
    }
    case 'URL':
      checkBare(value, place)
      return whole((value as URL).href, kind)
    case 'typed-array':
      return writeElements(value as NodeJS.TypedArray, place)
    default:
      return writeBytes(value as ArrayBuffer | DataView, kind, place)
  }
}

/** The elements as JSON numbers; what JSON cannot express becomes a word of the type `number`, or the digits of a bigint. */
function writeElements(array: NodeJS.TypedArray, place: Place | null): Written {
  checkAttached(array, place)
  checkElementsOnly(array, place)
  const { length } = array
  // Made at its full length: spreading or mapping a typed array takes several times as long.
  const json = new Array<unknown>(length)
  for (let i = 0; i < length; i++) {
    const element = array[i]!
    if (typeof element === 'bigint') json[i] = element.toString()
    else json[i] = isJsonNumber(element) ? element : numberWord(element)
  }
  return whole(json, ['typed-array', array[Symbol.toStringTag]])
}

/** `Object.keys` makes a text of each index, so it only runs if there is something beside the elements. */
function checkElementsOnly(array: NodeJS.TypedArray, place: Place | null): void {
  const viewClass = typedArrayClasses.get(array[Symbol.toStringTag]) as unknown as ViewClass
  if (isDeepStrictEqual(array, new viewClass(array.buffer, array.byteOffset, array.length))) return
  const [extra] = Object.keys(array).slice(array.length)
  if (extra !== undefined) refuse(place, `has a property ${JSON.stringify(extra)}, which cannot be stored`)
}

function writeBytes(value: ArrayBuffer | DataView, kind: string, place: Place | null): Written {
  checkBare(value, place)
  checkAttached(value, place)
  if (!ArrayBuffer.isView(value) && (value as { readonly resizable?: boolean }).resizable === true)
    refuse(place, 'is a resizable ArrayBuffer: store a copy of a fixed size, with .slice()')
  const bytes = ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(value)
  return whole(bytes.toString('base64'), kind)
}

/** Refuses bytes that cannot be read any more: they would be stored as none. */
function checkAttached(value: NodeJS.ArrayBufferView | ArrayBuffer, place: Place | null): void {
  if (!isReadable(value))
    refuse(place, 'has no memory any more: its buffer was transferred or has become shorter')
}

export function checkIndexes(array: readonly unknown[], place: Place | null): void {
  const keys = Object.keys(array)
  // Indexes come first, in order: if the last one is in its place, there are neither holes nor other properties.
  const last = array.length - 1
  if (keys.length === array.length && (last < 0 || keys[last] === String(last))) return
  const odd = keys.findIndex((key, index) => key !== String(index))
  if (odd === -1 || odd < array.length)
    refuse(place, `has a hole at [${odd === -1 ? keys.length : odd}]: store null there`)
  refuse(place, `is an array with a property ${JSON.stringify(keys[odd])}, which cannot be stored`)
}

export function checkBare(value: object, place: Place | null): void {
  const [extra] = Object.keys(value)
  if (extra !== undefined) refuse(place, `has a property ${JSON.stringify(extra)}, which cannot be stored`)
}
