import { QueryError } from '../contract/errors.ts'
import type { Field, FieldTypes } from '../schema/fields.ts'
import { describe } from './describe.ts'
import { instantText, type Rounding } from './instant.ts'

/** A text in a query. Throws a QueryError for a text that no key and no stored text can equal. */
export function readText(value: unknown, of: string): string {
  const text = value as string
  if (text.isWellFormed()) return text
  throw new QueryError(`${of} got a text with a lone surrogate, which cannot be compared`)
}

/** A number in a query: 0 for -0. Throws a QueryError for a number that no stored number can equal. */
export function readNumber(value: unknown, of: string): number {
  const number = value as number
  if (!Number.isFinite(number))
    throw new QueryError(`${of} got ${number}, which no stored number equals: check it first`)
  return number === 0 ? 0 : number
}

export function readBigint(value: unknown): string {
  return String(value)
}

/**
 * Reads the texts and dates that a field is compared with, in their stored form. If the field is a date and no other text, a text
 * is an instant in ISO 8601.
 */
export function scalarReader({ types }: Pick<Field, 'types'>, of: string, rounding: Rounding) {
  const isDate = types.date && !types.string
  return (value: unknown): string => {
    if (value instanceof Date) return dateText(value, of)
    const text = readText(value, of)
    if (!isDate) return text
    const instant = instantText(text, rounding)
    if (instant !== null) return instant
    throw new QueryError(
      `${of} takes a Date, or the ISO 8601 text of an instant with its offset, such as '2024-01-31T12:00:00Z': got another text`,
    )
  }
}

/** Reads the items that an array should contain. */
export function itemReader(types: FieldTypes, of: string) {
  const readScalar = scalarReader({ types }, of, 'none')
  return (item: unknown): string | number | boolean => {
    if (typeof item === 'boolean') return item
    if (typeof item === 'number') return readNumber(item, of)
    if (typeof item === 'string' || item instanceof Date) return readScalar(item)
    throw new QueryError(`${of} takes texts, numbers, booleans, bigints and dates: got ${describe(item)}`)
  }
}

function dateText(date: Date, of: string): string {
  if (!Number.isNaN(date.getTime())) return date.toISOString()
  throw new QueryError(`${of} got an invalid Date`)
}
