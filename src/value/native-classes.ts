type TypedArrayClass = (new (
  elements: readonly never[],
) => NodeJS.TypedArray) & {
  readonly prototype: NodeJS.TypedArray
}

/** The classes of typed arrays by name; Float16Array if the runtime has it. */
export const typedArrayClasses: ReadonlyMap<string, TypedArrayClass> = classesByName([
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
])

/** The classes of errors by name. */
export const errorClasses: ReadonlyMap<string, ErrorConstructor | AggregateErrorConstructor> = classesByName([
  'Error',
  'AggregateError',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
])

function classesByName<Class>(names: readonly string[]): ReadonlyMap<string, Class> {
  const classes = new Map<string, Class>()
  for (const name of names) {
    if (name in globalThis) classes.set(name, (globalThis as Record<string, unknown>)[name] as Class)
  }
  return classes
}
