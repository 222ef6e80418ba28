import { checkNames, checkPath, quote } from './definition-options.ts'
import { type Fields, fieldAt, type Place } from './fields.ts'
import {
  type SearchDefinition,
  type SearchOptions,
  type SearchTokenizer,
  searchTokenizers,
} from './search-definition.ts'

const mostFields = 32
const greatestWeight = 1_000

/** The declared search over the values of a schema, frozen. Throws a TypeError or a RangeError. */
export function searchOf(given: readonly string[] | SearchOptions, fieldsOf: () => Fields): SearchDefinition {
  const options: SearchOptions = Array.isArray(given) ? { on: given } : (given as SearchOptions)
  checkNames(options, ['on', 'weights', 'tokenizer'], "a search, such as { on: ['title', 'body'] }")
  const { on, weights = {}, tokenizer = 'unicode61' } = options
  const fields = typeof on === 'string' ? [on] : checkedFields(on)
  for (const path of fields) {
    checkPath(path)
    checkText(path, fieldsOf())
  }
  if (new Set(fields).size < fields.length)
    throw new TypeError(`The search names a field twice: ${fields.join(', ')}`)
  if (!searchTokenizers.includes(tokenizer as SearchTokenizer))
    throw new TypeError(`There is no tokenizer ${quote(tokenizer)}: there are ${searchTokenizers.join(', ')}`)
  checkNames(weights, fields, 'the weights of a search, such as { title: 3 }')
  return Object.freeze({
    fields: Object.freeze([...fields]),
    weights: Object.freeze(
      fields.map((path) => checkedWeight(path, Object.hasOwn(weights, path) ? (weights[path] ?? 1) : 1)),
    ),
    tokenizer,
  })
}

function checkedFields(on: readonly string[]): readonly string[] {
  if (!Array.isArray(on) || on.length === 0)
    throw new TypeError("search must be an array of fields, such as ['title', 'body']")
  if (on.length > mostFields) throw new TypeError(`A search is over at most ${mostFields} fields`)
  return on
}

function checkText(path: string, fields: Fields): void {
  let place: Place | null = fields.root
  for (const name of path.split('.')) place = place && fields.child(place, name)
  if (place === null) throw new TypeError(`There is no field '${path}' in the output of this schema`)
  const { string, structure } = fieldAt([], place).types
  if (string || (structure && fieldAt([], fields.elements(place)).types.string)) return
  throw new TypeError(`'${path}' is not a text or an array of texts, which is all that can be searched`)
}

function checkedWeight(path: string, weight: number): number {
  if (typeof weight === 'number' && weight > 0 && weight <= greatestWeight) return weight
  throw new RangeError(
    `The weight of '${path}' must be a number above 0 and up to ${greatestWeight}: got ${String(weight)}`,
  )
}
