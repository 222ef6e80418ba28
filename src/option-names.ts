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
  checkNames(options, known, call, 'option')
}

/** Throws a TypeError where `given` has a name that is none of `known`. `of` and `kind` say what it is a name of. */
export function checkNames(
  given: object,
  known: readonly string[],
  of: string,
  kind: 'option' | 'property',
): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    const meant = known.find((candidate) => candidate.toLowerCase() === name.toLowerCase())
    if (meant) throw new TypeError(`Misspelled ${kind} '${name}' of ${of}: write '${meant}'`)
    throw new TypeError(`There is no ${kind} '${name}' of ${of}: there are ${known.join(', ')}`)
  }
}

/** Throws a RangeError unless `value` is left out or a whole number of at least `least`. */
export function checkWholeNumber(value: unknown, name: string, least: number): void {
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} is a whole number of at least ${least} (got ${String(value)})`)
  }
}
