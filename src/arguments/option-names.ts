import { nearName } from './near-name.ts'

/** Names of other libraries for the same options. */
const foreignOptions: Readonly<Record<string, string>> = {
  take: 'limit',
  first: 'limit',
  skip: 'offset',
  cursor: 'after',
  select: 'columns',
  include: 'with',
  sort: 'orderBy',
  filter: 'where',
  data: 'set',
  ttl: 'expireIn',
  ex: 'expireIn',
}

/** What a call takes beside a query. */
const besideQuery = ', and signal in a second argument'

/**
 * Throws a TypeError if the query of a call is not an object or has a name that is not in `known`. The call takes a signal, too, in an
 * argument of its own.
 */
export function checkQueryNames(query: object, known: readonly string[], call: string): void {
  checkObject(query, known, call)
  checkNames(query, known, call, 'option', besideQuery)
}

/**
 * Throws a TypeError if `options` is not an object or has a name that is not in `known`.
 *
 * ```ts
 * checkOptionNames({ readonly: true }, ['readOnly'], 'open') // TypeError: Misspelled option 'readonly' of open: write 'readOnly'
 * ```
 */
export function checkOptionNames(options: object, known: readonly string[], call: string): void {
  checkObject(options, known, call)
  checkNames(options, known, call, 'option')
}

function checkObject(options: object, known: readonly string[], call: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`The options of ${call} must be an object, such as { ${known[0]}: … }`)
  }
}

/**
 * Throws a TypeError if `given` has a name that is not in `known`. `of` and `kind` say what it is a name of, and `beside` what else there
 * is, elsewhere.
 */
export function checkNames(
  given: object,
  known: readonly string[],
  of: string,
  kind: 'option' | 'property',
  beside = '',
): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    const near = nearName(name, known)
    if (near?.toLowerCase() === name.toLowerCase())
      throw new TypeError(`Misspelled ${kind} '${name}' of ${of}: write '${near}'`)
    const foreign = Object.hasOwn(foreignOptions, name) ? foreignOptions[name]! : ''
    const meant = known.includes(foreign) ? foreign : near
    const there = `here are ${known.join(', ')}${beside}`
    throw new TypeError(
      `There is no ${kind} '${name}' of ${of}: ${meant ? `did you mean '${meant}'? T${there}` : `t${there}`}`,
    )
  }
}
