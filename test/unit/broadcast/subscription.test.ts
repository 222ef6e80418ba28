import { expect, it, onTestFinished, vi } from 'vitest'
import { Subscription } from '../../../src/broadcast/subscription.ts'

const subscribe = () =>
  new Subscription(
    () => Date.now(),
    () => {},
  )

it('a change before the wait is not missed', async () => {
  const subscription = subscribe()
  subscription.wake(7)
  subscription.wake(9)
  await subscription.changed()
  expect(subscription.distributed).toBe(7)
})

it('resolves at the expiry, be it past or far away, and also where the clock jumps to it', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const subscription = subscribe()
  let resolved = false
  const wait = (expiry: number) => {
    resolved = false
    return subscription.changed(expiry).then(() => {
      resolved = true
    })
  }
  const past = wait(Date.now() - 1_000)
  await vi.advanceTimersByTimeAsync(1)
  await past
  const soon = wait(Date.now() + 30)
  await vi.advanceTimersByTimeAsync(29)
  expect(resolved).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  await soon
  const farAway = wait(Date.now() + 2 ** 40)
  await vi.advanceTimersByTimeAsync(2 ** 30)
  expect(resolved).toBe(false)
  subscription.wake()
  await farAway
  const jumped = wait(Date.now() + 3_600_000)
  vi.setSystemTime(Date.now() + 3_600_000)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(resolved).toBe(true)
  await jumped
})

it('its end is reported once, with itself', () => {
  const ended: Subscription[] = []
  const subscription = new Subscription(
    () => Date.now(),
    (it) => ended.push(it),
  )
  subscription.end()
  expect(ended).toEqual([subscription])
})
