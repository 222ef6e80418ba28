import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ReadTime } from '../../../src/driver/sqlite/query/read-time.ts'

it('a query is fast if its last run was, whatever came before, and unknown until it has run', () => {
  expect(new ReadTime().isFast).toBe(false)
  const runs = fc.array(fc.tuple(fc.nat({ max: 50 }), fc.double({ min: 0, max: 1_000, noNaN: true })), {
    minLength: 1,
  })
  fc.assert(
    fc.property(runs, (taken) => {
      const time = new ReadTime()
      for (const [rows, took] of taken) time.learn(rows, took)
      expect(time.isFast).toBe(taken.at(-1)![1] < 0.5)
    }),
  )
})
