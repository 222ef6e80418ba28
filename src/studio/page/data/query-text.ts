import { notationOf } from '../value/notation.ts'
import { parseNotation } from '../value/parse-notation.ts'
import { isFields } from './columns.ts'

/** The parts of a query that the user writes. */
export interface WrittenQuery {
  readonly where?: unknown
  readonly orderBy?: unknown
  readonly with?: unknown
  readonly columns?: unknown
  readonly prefix?: unknown
  readonly limit?: unknown
}

const names = ['where', 'orderBy', 'with', 'columns', 'prefix', 'limit']

/** The query in a text: `{ where: …, orderBy: … }`, or only a condition. Throws an Error that says what is wrong in it. */
export function parseQuery(text: string): WrittenQuery {
  if (text.trim() === '') return {}
  const parsed = parseNotation(text)
  if (!isFields(parsed)) throw new TypeError("A query is an object, such as { where: { name: 'Ada' } }")
  const isWhole = Object.keys(parsed).every((name) => names.includes(name))
  const { limit } = parsed
  if (!isWhole) return { where: parsed }
  if (limit !== undefined && !(Number.isInteger(limit) && (limit as number) > 0))
    throw new RangeError('limit must be a number of rows, at least 1')
  return parsed
}

export function queryText(query: WrittenQuery): string {
  const used = Object.fromEntries(Object.entries(query).filter(([, part]) => part !== undefined))
  return Object.keys(used).length === 0 ? '' : notationOf(used)
}

/** The field and direction, if a query is ordered by a single field. */
export function orderOf({
  orderBy,
}: WrittenQuery): readonly [field: string, direction: 'asc' | 'desc'] | null {
  if (!isFields(orderBy)) return null
  const [only, ...more] = Object.entries(orderBy)
  if (only === undefined || more.length > 0 || (only[1] !== 'asc' && only[1] !== 'desc')) return null
  return [only[0], only[1]]
}

/** The same query as a call in a program. */
export function callText(repository: string, { limit, ...query }: WrittenQuery): string {
  const asked = { ...query, ...(limit !== undefined && { limit }) }
  const name = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(repository)
    ? `.${repository}`
    : `[${JSON.stringify(repository)}]`
  const text = Object.keys(asked).length === 0 ? '' : notationOf(asked, { lines: true })
  return `await db.repositories${name}.findMany(${text})`
}

/** A field as a query names it: with a backslash if the name means something else there. */
export function fieldName(name: string): string {
  return ['AND', 'OR', 'NOT', '$id', '$search', '$rank'].includes(name) || name.startsWith('\\')
    ? `\\${name}`
    : name
}
