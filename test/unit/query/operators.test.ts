import { expect, expectTypeOf, it } from 'vitest'
import { instantText } from '../../../src/query/instant.ts'
import type { Operator } from '../../../src/query/operators.ts'
import type { FieldConditions } from '../../../src/query/query.types.ts'
import { endOfPrefix } from '../../../src/query/text-order.ts'

it('the types have the operators of the table, and logic', () => {
  expectTypeOf<Exclude<keyof FieldConditions<unknown>, 'AND' | 'OR' | 'NOT'>>().toEqualTypeOf<Operator>()
})

it('an instant between two milliseconds is rounded as its comparison needs', () => {
  const between = '2024-01-01T00:00:00.9996+00:00'
  expect(instantText(between, 'down')).toBe('2024-01-01T00:00:00.999Z')
  expect(instantText(between, 'up')).toBe('2024-01-01T00:00:01.000Z')
  expect(instantText(between, 'none')).toBe('2024-01-01T00:00:00.9996Z')
  expect(instantText('2024-01-01T00:00:00.9990Z', 'up')).toBe('2024-01-01T00:00:00.999Z')
})

it.each([
  ['0000-01-01', '0000-01-01T00:00:00.000Z'],
  ['-271821-04-20T00:00:00Z', '-271821-04-20T00:00:00.000Z'],
  ['+275760-09-13T00:00:00Z', '+275760-09-13T00:00:00.000Z'],
  ['2024-02-29T23:59:59.9-0030', '2024-03-01T00:29:59.900Z'],
])('%s is the instant %s', (text, stored) => expect(instantText(text, 'none')).toBe(stored))

it.each([
  '2023-02-29',
  '+275760-09-13T00:00:00.001Z',
  '2024-01-01T24:00:00.001Z',
  '2024-01-01T00:00:60Z',
  '2024-W01-1',
  '2024-001',
  '20240101T000000Z',
  ' 2024-01-01',
  '2024-01-01\n',
])('%j names no instant', (text) => expect(instantText(text, 'none')).toBeNull())

it('the end of a prefix is the smallest text after all that begin with it', () => {
  expect(endOfPrefix('ab')).toBe('ac')
  expect(endOfPrefix('a\u{10ffff}')).toBe('b')
  expect(endOfPrefix('\ud7ff')).toBe('\ue000')
  expect(endOfPrefix('\u{10ffff}')).toBeNull()
  expect(endOfPrefix('')).toBeNull()
})
