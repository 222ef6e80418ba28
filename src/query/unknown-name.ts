import { nearName } from '../arguments/near-name.ts'
import { parsePath } from '../schema/field-path.ts'
import { type Fields, fieldAt, type Place } from '../schema/fields.ts'
import { quote } from './describe.ts'
import { type Operator, operatorsFor } from './operators.ts'

/** How many fields a message names. */
const mostNamed = 30

/** Names of other libraries for the same operators. */
const foreignOperators: Readonly<Record<string, Operator>> = {
  equals: 'eq',
  is: 'eq',
  not: 'ne',
  notEquals: 'ne',
  nin: 'notIn',
  has: 'arrayContains',
  hasEvery: 'arrayContains',
  includes: 'arrayContains',
  hasSome: 'some',
  elemMatch: 'some',
  regex: 'like',
  matches: 'like',
}

/** A hint for a name that is not a field at a place: which one was probably meant, and which exist. */
export function fieldHint(name: string, place: Place, fields: Fields): string {
  const names = fields.names(place)
  const path = parsePath(name)
  if (path !== null && path.length > 1 && leads(path, place, fields))
    return `: write a field in a field nested, ${nested(path)}`
  return nameHint(name, names)
}

/** The same for a name that is not one of these. */
export function nameHint(name: string, names: readonly string[]): string {
  return hint(nearName(name, names), [listed('there are', names)])
}

/** The same for a name in the conditions on a field, which also has operators. */
export function conditionHint(name: string, place: Place, fields: Fields): string {
  const known = operatorsFor(fieldAt([], place).types, fields.elements(place).schemas.length > 0)
  const plain = name.startsWith('$') ? name.slice(1) : name
  const foreign = Object.hasOwn(foreignOperators, plain) ? foreignOperators[plain] : undefined
  const names = fields.names(place)
  const meant =
    foreign !== undefined && known.includes(foreign) ? foreign : nearName(plain, [...names, ...known])
  return hint(meant, [listed('its fields are', names), listed('its operators are', known)])
}

function hint(meant: string | undefined, lists: readonly string[]): string {
  const there = lists.filter((list) => list !== '').join('; ')
  if (meant === undefined) return there === '' ? '' : `: ${there}`
  return `: did you mean ${quote(meant)}?${there === '' ? '' : ` ${there[0]!.toUpperCase()}${there.slice(1)}`}`
}

function listed(what: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `${what} ${names.slice(0, mostNamed).join(', ')}`
}

function leads(path: readonly string[], place: Place, fields: Fields): boolean {
  let found: Place | null = place
  for (const name of path) found = found && fields.child(found, name)
  return found !== null
}

/** `{ address: { city: … } }`. */
function nested(path: readonly string[]): string {
  return path.reduceRight((inner, name) => `{ ${name}: ${inner} }`, '…')
}
