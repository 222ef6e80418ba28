const brand = Symbol.for('valkeyrie.Parameter')

/** Stands for an operand in a prepared query; each execution passes its value. Make it with `parameter`. */
export interface Parameter<Name extends string = string> {
  readonly [brand]: Name
}

/**
 * A named place for an operand, in a query for `prepare`. Throws a TypeError if the name is empty or not a string.
 *
 * ```ts
 * const adults = users.prepare({ where: { age: { gte: parameter('least') } }, orderBy: { age: 'asc' } })
 * const found = await adults.execute({ least: 18 })
 * found.map(({ id }) => id) // => ['alice', 'bob']
 * ```
 */
export function parameter<const Name extends string>(name: Name): Parameter<Name> {
  if (typeof name !== 'string' || name === '')
    throw new TypeError("A parameter needs a name: parameter('least')")
  return Object.freeze({ [brand]: name })
}

/** The name of a parameter; `undefined` for anything else. */
export function parameterName(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null && brand in value
    ? (value as Parameter)[brand]
    : undefined
}
