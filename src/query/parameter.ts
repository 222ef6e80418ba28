const brand = Symbol.for('valkeyrie.Parameter')

/** Stands in a prepared query for an operand that each execution gives. */
export interface Parameter<Name extends string = string> {
  readonly [brand]: Name
}

/**
 * A named place for an operand, in a query for `prepare`.
 *
 * @example
 * const adults = users.prepare({ where: { age: { gte: parameter('least') } } })
 * await adults.execute({ least: 18 })
 */
export function parameter<const Name extends string>(name: Name): Parameter<Name> {
  if (typeof name !== 'string' || name === '')
    throw new TypeError("A parameter has a name, as parameter('least')")
  return Object.freeze({ [brand]: name })
}

/** The name of a parameter; `undefined` for anything else. */
export function parameterName(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null && brand in value
    ? (value as Parameter)[brand]
    : undefined
}
