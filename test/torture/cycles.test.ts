import { expect, it } from 'vitest'
import { randomOf, seedOfThisRun } from '../concurrency/random.ts'
import { type Footprint, leakOf } from './cycles.ts'

const random = randomOf(seedOfThisRun())
const noise = (most: number) => random() * most
/** Of 40 rounds of 5 kinds of cycles. */
function leak(of: (n: number) => Partial<Footprint>): string | null {
  const rounds = Array.from({ length: 40 }, (_, n) => ({ heap: 5e6, rss: 6e7, descriptors: 20, ...of(n) }))
  return leakOf(rounds, 5)
}

it('a leak is distinguished from noise and from one-time costs', () => {
  expect(leak(() => ({ heap: 5e6 + noise(2e5), rss: 6e7 + noise(1e6) }))).toBeNull()
  expect(leak((n) => ({ heap: n < 20 ? 5e6 : 9e6 }))).toBeNull()
  expect(leak((n) => ({ heap: 5e6 + n * 2e5 + noise(1e5) }))).toMatch(/^heap grows by \d+ bytes/)
  expect(leak((n) => ({ rss: 5e6 + n * 1e7 + noise(1e6) }))).toMatch(/^rss grows by \d+ bytes/)
  expect(leak((n) => ({ descriptors: 20 + n }))).toMatch(/^descriptors: 20 21 22/)
})
