import { expect, it } from 'vitest'
import { Subscription } from '../../../src/watch/subscription.ts'

const subscribe = () => new Subscription(() => {})

it('a change before the wait is not missed', async () => {
  const subscription = subscribe()
  subscription.wake(7)
  subscription.wake(9)
  await subscription.changed()
  expect(subscription.distributed).toBe(7)
})

it('resolves at the expiry, be it past or far away', async () => {
  const subscription = subscribe()
  const started = performance.now()
  await subscription.changed(Date.now() - 1_000)
  await subscription.changed(Date.now() + 30)
  expect(performance.now() - started).toBeGreaterThan(25)
  const farAway = subscription.changed(Date.now() + 2 ** 40)
  subscription.wake()
  await farAway
})

it('its end is told once with itself', () => {
  const ended: Subscription[] = []
  const subscription = new Subscription((it) => ended.push(it))
  subscription.end()
  expect(ended).toEqual([subscription])
})
