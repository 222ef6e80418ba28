/**
 * Throws a TypeError where `options` is not an object or has a name that is none of `known`.
 *
 * ```ts
 * checkOptionNames({ readonly: true }, ['readOnly'], 'open') // TypeError: Misspelled option 'readonly' of open: write 'readOnly'
 * ```
 */
export function checkOptionNames(options: object, known: readonly string[], call: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`The options of ${call} are an object, as { ${known[0]}: … }`)
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const meant = known.find((candidate) => candidate.toLowerCase() === name.toLowerCase())
    if (meant) throw new TypeError(`Misspelled option '${name}' of ${call}: write '${meant}'`)
    throw new TypeError(`There is no option '${name}' of ${call}: there are ${known.join(', ')}`)
  }
}

/** Throws a RangeError unless `value` is left out or a whole number of at least `least`. */
export function checkWholeNumber(value: unknown, name: string, least: number): void {
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} is a whole number of at least ${least} (got ${String(value)})`)
  }
}
