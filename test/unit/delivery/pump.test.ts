import { expect, it, onTestFinished, vi } from 'vitest'
import { WatchHub } from '../../../src/broadcast/hub.ts'
import { Pump } from '../../../src/delivery/pump.ts'
import type { Driver } from '../../../src/driver/driver.ts'
import { lookForCommits } from '../../../src/driver/look-for-commits.ts'
import { prefixRange } from '../../../src/key/range.ts'
import { waitUntil } from '../../waiting.ts'

const fault = new Error('The server does not answer')

/** A pump over a hub that cannot be watched at first, so many times, and what it reports. `fail`: called before each failure. */
function pumpOver(failures: number, work: (pump: Pump<number>) => void, fail = (_: Pump<number>) => {}) {
  let left = failures
  const latestVersion = async () => {
    if (left-- <= 0) return 0
    fail(pump)
    throw fault
  }
  const follow: Driver['follow'] = (_since, signal) => lookForCommits(() => 0, signal)
  const errors: unknown[] = []
  const pump: Pump<number> = new Pump({
    hub: new WatchHub({ latestVersion, follow } as Partial<Driver> as Driver),
    now: Date.now,
    ranges: [prefixRange(new Uint8Array())],
    concurrency: 1,
    take: async () => ({ jobs: [1], nextDue: null }),
    work: async () => work(pump),
    onError: (error) => void errors.push(error),
  })
  return { pump, errors }
}

it('tries again if changes cannot be followed at first', async () => {
  const { pump, errors } = pumpOver(2, (pump) => pump.stop())
  await pump.run()
  expect(errors).toEqual([fault, fault])
})

it('can be stopped while it waits to try again', async () => {
  const { pump, errors } = pumpOver(Number.POSITIVE_INFINITY, () => {})
  const running = pump.run()
  await waitUntil('two failures', () => errors.length > 1)
  pump.stop()
  await running
})

it('can be stopped while it tries, and waits no more then', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { pump, errors } = pumpOver(
    Number.POSITIVE_INFINITY,
    () => {},
    (pump) => pump.stop(),
  )
  await pump.run()
  expect(errors).toEqual([fault])
})
