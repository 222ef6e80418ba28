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

/** The kinds of objects that can be stored; a derived class is not one of them. */
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

/** Whether an object really is what its prototype suggests. */
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

/** The kind of an object, even from another realm (a vm context, a test environment); null for an instance of any other class. */
export function kindOf(value: object): Kind | null {
  const prototype: object | null = Object.getPrototypeOf(value)
  if (prototype === null) return 'object'
  const kind = kindsByPrototype.get(prototype) ?? kindsByName.get(nativeNameOf(prototype))
  // Test tools that fake the clock replace Date with their own class.
  if (kind === undefined && prototype === Date.prototype && isDate(value)) return 'Date'
  return kind !== undefined && tests[kind](value) ? kind : null
}

/** The class name of an error, if it is one of the kinds. */
export function errorClassOf(error: Error): string {
  return nativeNameOf(Object.getPrototypeOf(error))
}

/** The name of the built-in class, of this or another realm, with this prototype; empty for any other object. */
function nativeNameOf(prototype: object): string {
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  const isNative =
    typeof maker === 'function' &&
    maker.prototype === prototype &&
    Function.prototype.toString.call(maker).includes('[native code]')
  return isNative ? maker.name : ''
}
