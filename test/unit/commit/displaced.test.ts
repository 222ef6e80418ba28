import { expect, test } from 'vitest'
import { DisplacedRows } from '../../../src/commit/displaced.ts'
import type { Mutation } from '../../../src/commit/write.ts'

const key = (text: string) => Buffer.from(text)
const stored = { value: '1', encoding: 0, types: null } as const
const set = (text: string): Mutation => ({
  type: 'set',
  key: key(text),
  collection: 'c',
  stored,
  expiresAt: null,
})
const remove = (text: string): Mutation => ({ type: 'delete', key: key(text) })
const touch = (text: string): Mutation => ({ type: 'touch', key: key(text), expiresAt: 7 })
const row = (text: string, expiresAt: number | null = null) => ({ key: key(text), expiresAt })

test('a row may be removed for a mutation if a later one sets or deletes it', () => {
  const rows = new DisplacedRows([set('a'), set('b'), remove('c'), touch('d')])
  expect(rows.displace(row('b'), 0)).toBe(true)
  expect(rows.displace(row('c'), 1)).toBe(true)
  expect(rows.displace(row('a'), 0)).toBe(false)
  expect(rows.displace(row('b'), 1)).toBe(false)
  expect(rows.displace(row('d'), 0)).toBe(false)
  expect(rows.displace(row('e'), 0)).toBe(false)
})

test('it keeps its expiry, which a touch in between changes, until it is settled', () => {
  const rows = new DisplacedRows([set('a'), touch('b'), set('b')])
  expect(rows.touch(key('b'), 9)).toBe(false)
  expect(rows.displace(row('b', 5), 0)).toBe(true)
  expect(rows.expiryOf(key('b'))).toBe(5)
  expect(rows.touch(key('b'), 9)).toBe(true)
  expect(rows.expiryOf(key('b'))).toBe(9)
  expect(rows.settle(key('b'))).toBe(true)
  expect(rows.settle(key('b'))).toBe(false)
  expect(rows.expiryOf(key('b'))).toBeNull()
})
