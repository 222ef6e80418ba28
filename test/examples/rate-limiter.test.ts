import { expect, it } from 'vitest'
import { openAllowances, RateLimiter } from '../../examples/rate-limiter/limiter.ts'
import { stillClock } from '../still-clock.ts'
import { enginesOf, runExample } from './run-example.ts'

const count = (answers: boolean[]) => answers.filter((admitted) => admitted).length

it.each(enginesOf('rate-limiter'))(
  'admits to four processes exactly the limit, in this window and in the next, on %s',
  async (engine) => {
    const output = await runExample('rate-limiter', engine)
    expect(output).toMatch(/^This window: .* = 100 of 320 requests admitted$/m)
    expect(output).toMatch(/^The next one: 100 of 320 requests admitted$/m)
  },
)

it('admits exactly the limit of those who ask at once, for each client, window after window', async () => {
  await using db = await openAllowances()
  let now = 1_000_000
  const limiter = new RateLimiter(db, { limit: 7n, window: 1_000, now: () => now })
  for (let window = 0; window < 5; window++, now += 1_000) {
    const ask = (client: string) => Promise.all(Array.from({ length: 20 }, () => limiter.admits(client)))
    const [ada, bob] = await Promise.all([ask('ada'), ask('bob')])
    expect([count(ada), count(bob)]).toEqual([7, 7])
    expect(await limiter.admits('ada')).toBe(false)
  }
})

it('ends its windows without anybody asking: their rows expire, and later requests do not prolong them', async () => {
  const clock = stillClock()
  await using db = await openAllowances()
  const { allowances } = db.repositories
  const limiter = new RateLimiter(db, { limit: 100n, window: 30, now: () => 0 })
  expect(await limiter.admits('ada')).toBe(true)
  // Asks once more whenever the row has changed, until it is gone.
  let asked = 0
  for await (const { value } of allowances.watch(['ada', 0])) {
    if (value === null) break
    if (asked++ < 50) await limiter.admits('ada')
    else clock.advance(60)
  }
  expect(asked).toBe(51)
})

it('admits nothing where nothing is allowed', async () => {
  await using db = await openAllowances()
  expect(await new RateLimiter(db, { limit: 0n, window: 1_000 }).admits('ada')).toBe(false)
})
