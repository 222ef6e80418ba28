import { expect, it } from 'vitest'
import { DistributedCounter, openCounters } from '../../examples/distributed-counter/counter.ts'
import { enginesOf, runExample } from './run-example.ts'

it.each(enginesOf('distributed-counter'))(
  'has every hit of four processes in exactly one report, on %s',
  async (engine) => {
    const output = await runExample('distributed-counter', engine)
    const [, counted, reported] = output.match(/^Counted (\d+), reported (\d+), left 0$/m) ?? []
    expect(Number(counted)).toBeGreaterThanOrEqual(4 * (200 - 66))
    expect(reported).toBe(counted)
    expect(Number(output.match(/^(\d+) reports/m)?.[1])).toBeGreaterThan(1)
  },
)

it('counts up and down from 0, and not below', async () => {
  await using db = await openCounters()
  const counter = new DistributedCounter(db, 'c')
  expect(await counter.value()).toBe(0n)
  expect(await counter.decrement()).toBe(false)
  await counter.increment(5n)
  expect(await counter.decrement(2n)).toBe(true)
  expect(await counter.decrement(4n)).toBe(false)
  expect(await counter.value()).toBe(3n)
  expect(await counter.reset()).toBe(3n)
  expect(await counter.value()).toBe(0n)
  await expect(counter.increment(2n ** 64n)).rejects.toThrow(RangeError)
})

it('loses nothing to resets that come at the same time', async () => {
  await using db = await openCounters()
  const counter = new DistributedCounter(db, 'c')
  const increments = Array.from({ length: 100 }, () => counter.increment())
  const resets = await Promise.all(Array.from({ length: 5 }, () => counter.reset()))
  await Promise.all(increments)
  expect(resets.reduce((sum, n) => sum + n, await counter.value())).toBe(100n)
})
