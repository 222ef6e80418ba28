import { expect, test } from 'vitest'
import { hasLostUnique, mayViolate } from '../../../src/commit/unique.ts'
import type { Mutation } from '../../../src/commit/write.ts'

const stored = { value: '{}', encoding: 0, types: null } as const
const set = (collection: string | null): Mutation => ({
  type: 'set',
  key: Uint8Array.of(1),
  collection,
  stored,
})
const users = new Map([['users', [['email'], ['first', 'last']]]])

test('a set of a collection with a unique index may violate it, and nothing else', () => {
  expect(mayViolate(users, [set('posts'), set('users')])).toBe(true)
  expect(mayViolate(users, [set('posts'), set(null)])).toBe(false)
  expect(mayViolate(users, [{ type: 'delete', key: Uint8Array.of(1) }])).toBe(false)
  expect(mayViolate(new Map(), [set('users')])).toBe(false)
})

test('a unique index is lost if its fields, in their order, are no longer unique', () => {
  expect(hasLostUnique(users, users)).toBe(false)
  expect(hasLostUnique(users, new Map([...users, ['posts', [['slug']]]]))).toBe(false)
  expect(hasLostUnique(users, new Map([['users', [['first', 'last']]]]))).toBe(true)
  expect(hasLostUnique(users, new Map([['users', [['email'], ['last', 'first']]]]))).toBe(true)
  expect(hasLostUnique(new Map(), users)).toBe(false)
})
