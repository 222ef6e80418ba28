import { expect, test } from 'vitest'
import { ServerClock } from '../../../src/driver/postgres/server/server-clock.ts'
import { stillClock } from '../../still-clock.ts'

/** Compares a clock with that of a server, which reports the time in the middle of a request, and is off by so much. */
function compare(clock: ServerClock, { now }: { readonly now: number }, roundTrip: number, ahead: number) {
  clock.heard(now + ahead, now - roundTrip / 2, now + roundTrip / 2)
}

test('the clock of a server is that of its best comparison', () => {
  const own = stillClock()
  const clock = new ServerClock()
  compare(clock, own, 10, 3_600_000)
  compare(clock, own, 40, 3_600_015)
  expect(clock.now()).toBe(own.now + 3_600_000)
  compare(clock, own, 2, 3_600_004)
  expect(clock.now()).toBe(own.now + 3_600_004)
})

test('a better comparison does not set the clock of a server back: it waits until the time has come', () => {
  const own = stillClock()
  const clock = new ServerClock()
  compare(clock, own, 100, 40)
  const before = clock.now()
  compare(clock, own, 2, 10)
  expect(clock.now()).toBe(before)
  own.advance(29)
  expect(clock.now()).toBe(before)
  own.advance(2)
  expect(clock.now()).toBe(before + 1)
})

test('a clock that somebody has set back is followed at once', () => {
  const own = stillClock()
  const clock = new ServerClock()
  compare(clock, own, 2, 60_000)
  clock.now()
  own.advance(31_000)
  compare(clock, own, 2, 0)
  expect(clock.now()).toBe(own.now)
})
