import { expect, it } from 'vitest'
import { decodeValue, encodeValue } from '../../../src/value/codec.ts'
import { stillClock } from '../../still-clock.ts'

it('a date that was made while a test tool has stopped the clock is a date', () => {
  const before = new Date(1)
  const clock = stillClock()
  const value = { before, now: new Date(), later: new Date(clock.now + 1) }
  const { value: stored, encoding, types } = encodeValue(value)
  expect(JSON.parse(String(stored))).toEqual(JSON.parse(JSON.stringify(value)))
  expect(decodeValue(stored, encoding, types)).toEqual(value)
})
