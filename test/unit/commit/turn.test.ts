import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  activeTurn,
  askForTurn,
  isWaiting,
  leaveTurn,
  longestTurn,
  type Ticket,
} from '../../../src/commit/turn.ts'

const now = 1_000_000

it('the first to ask has the turn, and the others have places in the order in which they came', () => {
  let queue = askForTurn([], 'a', 50, now)
  expect(activeTurn(queue, now)).toMatchObject({ id: 'a', until: now + 50 })
  queue = askForTurn(askForTurn(queue, 'b', 50, now), 'c', 50, now)
  expect(activeTurn(queue, now)?.id).toBe('a')
  expect(isWaiting(queue, 'c', now)).toBe(true)
  queue = leaveTurn(queue, 'a')
  // It begins when it is asked for again.
  expect(activeTurn(queue, now)).toBeNull()
  expect(activeTurn(askForTurn(queue, 'c', 50, now), now)).toBeNull()
  expect(activeTurn(askForTurn(queue, 'b', 50, now), now)?.id).toBe('b')
})

it('whoever does not come back loses turn and place', () => {
  const queue = askForTurn(askForTurn([], 'gone', 50, now), 'a', 50, now)
  expect(activeTurn(queue, now + 50)).toBeNull()
  expect(activeTurn(askForTurn(queue, 'a', 50, now + 50), now + 50)?.id).toBe('a')
  expect(askForTurn(queue, 'b', 50, now + 10_000).map(({ id }) => id)).toEqual(['b'])
})

it('no turn is longer than the longest, even if a clock was set back', () => {
  expect(askForTurn([], 'a', 1e9, now)[0]!.until).toBe(now + longestTurn)
  expect(activeTurn(askForTurn([], 'a', 50, now + 1e9), now)).toBeNull()
})

it('whoever asks and leaves, at most one has the turn, and whoever keeps asking gets it', () => {
  const step = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    leaves: fc.boolean(),
    passes: fc.nat({ max: 400 }),
  })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let queue: readonly Ticket[] = []
      let time = now
      for (const { id, leaves, passes } of steps) {
        time += passes
        queue = leaves ? leaveTurn(queue, id) : askForTurn(queue, id, 100, time)
        expect(new Set(queue.map((ticket) => ticket.id)).size).toBe(queue.length)
        expect(queue.slice(1).some(({ active }) => active)).toBe(false)
      }
      const others = queue.filter(({ id }) => id !== 'me').length
      let asked = 0
      do {
        queue = askForTurn(queue, 'me', 100, time)
        time += 400
        asked += 1
      } while (queue[0]!.id !== 'me')
      expect(asked).toBeLessThanOrEqual(3 * others + 2)
    }),
  )
})
