import {
  isArrayBuffer,
  isDataView,
  isDate,
  isMap,
  isNativeError,
  isRegExp,
  isSet,
  isTypedArray,
} from 'node:util/types'
import { KeyedEntry } from './keyed-entry.ts'
import { errorClasses, typedArrayClasses } from './native-classes.ts'

/** The kinds of objects that are stored; a class derived from one of them is none. */
export type Kind =
  | 'object'
  | 'array'
  | 'map'
  | 'set'
  | 'Date'
  | 'regexp'
  | 'URL'
  | 'error'
  | 'typed-array'
  | 'ArrayBuffer'
  | 'DataView'

/** Whether an object is what the prototype that it has says. */
const tests: Readonly<Record<Kind, (value: object) => boolean>> = {
  object: () => true,
  array: Array.isArray,
  map: isMap,
  set: isSet,
  Date: isDate,
  regexp: isRegExp,
  URL: (value) => value instanceof URL,
  error: isNativeError,
  'typed-array': isTypedArray,
  ArrayBuffer: isArrayBuffer,
  DataView: isDataView,
}

const kindNames: readonly (readonly [name: string, kind: Kind])[] = [
  ['Object', 'object'],
  ['Array', 'array'],
  ['Map', 'map'],
  ['Set', 'set'],
  ['Date', 'Date'],
  ['RegExp', 'regexp'],
  ['ArrayBuffer', 'ArrayBuffer'],
  ['DataView', 'DataView'],
  ...[...typedArrayClasses.keys()].map((name) => [name, 'typed-array'] as const),
  ...[...errorClasses.keys()].map((name) => [name, 'error'] as const),
]
const kindsByName: ReadonlyMap<string, Kind> = new Map(kindNames)
const kindsByPrototype = new Map<object, Kind>([
  [URL.prototype, 'URL'],
  [KeyedEntry.prototype, 'object'],
])
for (const [name, kind] of kindNames)
  kindsByPrototype.set(
    (globalThis as unknown as Record<string, { readonly prototype: object }>)[name]!.prototype,
    kind,
  )

/**
 * The kind of an object, also of one that another realm has made (a vm context, a test environment); null for an instance of
 * any other class.
 */
export function kindOf(value: object): Kind | null {
  const prototype: object | null = Object.getPrototypeOf(value)
  if (prototype === null) return 'object'
  const kind = kindsByPrototype.get(prototype) ?? kindsByName.get(nativeNameOf(prototype))
  // Test tools that stop the clock put a class of their own in the place of Date.
  if (kind === undefined && prototype === Date.prototype && isDate(value)) return 'Date'
  return kind !== undefined && tests[kind](value) ? kind : null
}

/** The name of the class of an error that is one of the kinds. */
export function errorClassOf(error: Error): string {
  return nativeNameOf(Object.getPrototypeOf(error))
}

/** The name of the language's class, of this realm or of another, whose prototype this is; empty for any other object. */
function nativeNameOf(prototype: object): string {
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  const isNative =
    typeof maker === 'function' &&
    maker.prototype === prototype &&
    Function.prototype.toString.call(maker).includes('[native code]')
  return isNative ? maker.name : ''
}
