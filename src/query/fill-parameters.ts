import { QueryError } from '../contract/errors.ts'
import { parameterName } from './parameter.ts'

/** The value of each parameter, for one execution. */
export type ParameterValues = Readonly<Record<string, unknown>>

/** The names of the parameters in a part of a query. */
export function parametersIn(part: unknown, names = new Set<string>()): Set<string> {
  const name = parameterName(part)
  if (name !== undefined) names.add(name)
  else if (isBranch(part)) for (const inner of Object.values(part)) parametersIn(inner, names)
  return names
}

/** A copy of a part of a query with the values of its parameters, or, without `values`, with the parameters themselves. */
export function fillParameters(part: unknown, values?: ParameterValues): unknown {
  const name = parameterName(part)
  if (name !== undefined) return values === undefined ? part : checkOperand(values[name], name)
  if (!isBranch(part)) return part
  if (Array.isArray(part)) return part.map((inner) => fillParameters(inner, values))
  return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, fillParameters(inner, values)]))
}

/** A parameter stands for an operand, so an object, which would be conditions, is a QueryError. */
export function checkOperand(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object' || item instanceof Date))
    return value
  throw new QueryError(
    `The parameter '${name}' must be an operand: a text, a number, a boolean, a date, or an array of them`,
  )
}

function isBranch(part: unknown): part is object {
  if (typeof part !== 'object' || part === null) return false
  const prototype = Object.getPrototypeOf(part)
  return Array.isArray(part) || prototype === Object.prototype || prototype === null
}
