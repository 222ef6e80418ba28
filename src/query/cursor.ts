import { QueryError } from '../contract/errors.ts'
import { decodeKey } from '../key/codec.ts'
import { contains, type KeyRange } from '../key/range.ts'
import { isBigint } from '../schema/fields.ts'
import { maxBigIntDigits } from '../value/bounds.ts'
import { isDigits } from './bigint-order.ts'
import { sortable } from './evaluate.ts'
import type { FindPlan, OrderTerm } from './plan.ts'
import { isRank } from './rank.ts'
import { scalarReader } from './scalar.ts'

/** The end of a page: the values that its last row was ordered by, and its key. */
export interface Cursor {
  readonly values: readonly (string | number | null)[]
  readonly key: Uint8Array
}

type Ordered = Pick<FindPlan, 'order' | 'keyDirection'>

/** The cursor of a page that ended with this row, in its stored form: text for `decodeCursor`, opaque to everyone else. */
export function encodeCursor(
  plan: Ordered,
  rowKey: Uint8Array,
  stored: string | Uint8Array,
  rank: number | null = null,
): string {
  // Rows are ordered by their stored values; bytes have no fields.
  const json: unknown = typeof stored === 'string' ? JSON.parse(stored) : null
  const values = plan.order.map((term) => (isRank(term.field) ? rank : sortable(json, term)))
  const key = Buffer.from(rowKey).toString('base64')
  return Buffer.from(JSON.stringify([orderText(plan), values, key])).toString('base64url')
}

/** Throws a QueryError for anything but a cursor of a query with this order, whose key lies in the range. */
export function decodeCursor(cursor: unknown, plan: Ordered, range: KeyRange): Cursor {
  const decoded = typeof cursor === 'string' ? parse(cursor) : null
  if (decoded === null || !contains(range, decoded.key)) {
    throw new QueryError('after takes the cursor of an earlier page of the same query, unchanged')
  }
  if (decoded.order !== orderText(plan) || decoded.values.length !== plan.order.length) {
    throw new QueryError('The cursor belongs to a page with another order: use the same orderBy')
  }
  const values = decoded.values.map((value, i) => ofTerm(value, plan.order[i]!))
  return { values, key: decoded.key }
}

/** The value of a cursor, as rows are ordered by it. Throws a QueryError for a value that the field cannot have. */
function ofTerm(value: string | number | null, { field }: OrderTerm): string | number | null {
  const { types } = field
  if (value === null) return value
  if (typeof value === 'number') {
    if (types.number || types.boolean) return value === 0 ? 0 : value
  } else if (isBigint(types)) {
    if (value.length <= maxBigIntDigits + 1 && isDigits.test(value)) return value
  } else if (types.date && !types.string) return scalarReader(field, 'after', 'none')(value)
  // Numbers that JSON cannot express are stored as text.
  else if (types.string || types.structure || types.bigint || types.number) return value
  throw new QueryError('after takes the cursor of an earlier page of the same query, unchanged')
}

function parse(text: string): (Cursor & { readonly order: string }) | null {
  try {
    const bytes = Buffer.from(text, 'base64url')
    if (bytes.toString('base64url') !== text) return null
    const parsed: unknown = JSON.parse(bytes.toString('utf8'))
    if (!Array.isArray(parsed) || parsed.length !== 3) return null
    const [order, values, key] = parsed
    if (typeof order !== 'string' || !Array.isArray(values) || typeof key !== 'string') return null
    if (!values.every(isCursorValue)) return null
    const keyBytes = Buffer.from(key, 'base64')
    decodeKey(keyBytes)
    return { order, values, key: keyBytes }
  } catch {
    return null
  }
}

function isCursorValue(value: unknown): boolean {
  return value === null || typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))
}

function orderText({ order, keyDirection }: Ordered): string {
  return [...order.map(({ field, direction }) => `${field.path} ${direction}`), keyDirection].join()
}
