/**
 * The part of `node:util/types` that the codec of values needs, for a browser: all objects of a page are from its own realm, so the
 * class of an object shows what it is.
 */
const of =
  <T>(...classes: readonly (abstract new (...args: never) => T)[]) =>
  (value: unknown): value is T =>
    classes.some((it) => value instanceof it)

export const isArrayBuffer = of(ArrayBuffer)
export const isAnyArrayBuffer = of(ArrayBuffer)
export const isDataView = of(DataView)
export const isDate = of(Date)
export const isMap = of(Map)
export const isNativeError = of(Error)
export const isRegExp = of(RegExp)
export const isSet = of(Set)
export const isUint8Array = of(Uint8Array)
export const isBoxedPrimitive = of<object>(String, Number, Boolean)
export const isSharedArrayBuffer = (_: unknown): boolean => false

export function isTypedArray(value: unknown): boolean {
  return ArrayBuffer.isView(value) && !isDataView(value)
}
