import { expect, it } from 'vitest'
import { WatchHub } from '../../../src/broadcast/hub.ts'
import { Pump } from '../../../src/delivery/pump.ts'
import type { Driver } from '../../../src/driver/driver.ts'
import { lookForCommits } from '../../../src/driver/look-for-commits.ts'
import { prefixRange } from '../../../src/key/range.ts'

const fault = new Error('The server does not answer')

/** A pump over a hub that cannot be watched at first, so many times, and what it reports. */
function pumpOver(failures: number, work: (pump: Pump<number>) => void) {
  let left = failures
  const latestVersion = async () => {
    if (left-- > 0) throw fault
    return 0
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
  await new Promise((resolve) => setTimeout(resolve, 120))
  pump.stop()
  await running
  expect(errors.length).toBeGreaterThan(1)
})
