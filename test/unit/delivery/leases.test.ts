import { expect, it, onTestFinished, vi } from 'vitest'
import { type Leased, Leases } from '../../../src/delivery/leases.ts'

/** A lease of 10 s, by a clock that the test sets. */
class Lease implements Leased {
  readonly lease = 10_000
  readonly clock: { now: number }
  until: number
  renewals = 0
  isLost = false
  fault: Error | null = null

  constructor(clock: { now: number }) {
    this.clock = clock
    this.until = clock.now + this.lease
  }

  async renew(): Promise<boolean> {
    this.renewals += 1
    if (this.fault !== null) throw this.fault
    this.until = this.clock.now + this.lease
    return true
  }

  lost(): void {
    this.isLost = true
  }
}

/** The clock of the process, which the test sets apart from that of the database. */
function processTime() {
  vi.useFakeTimers({ toFake: ['hrtime', 'setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

function kept(clock: { now: number }) {
  const leases = new Leases(() => clock.now)
  const lease = new Lease(clock)
  leases.keep(lease, processTime())
  return { leases, lease }
}

it('a take sees no lease as over, whichever clock went on', async () => {
  const clock = { now: 1_000_000 }
  const { leases, lease } = kept(clock)
  const isFree = () => leases.inTurn(async (now) => lease.until <= now)
  expect([await isFree(), lease.renewals]).toEqual([false, 0])
  clock.now += 3_600_000
  expect([await isFree(), lease.renewals]).toEqual([false, 1])
  clock.now -= 7_200_000
  expect([await isFree(), lease.renewals]).toEqual([false, 1])
  await leases.release(lease)
})

it('nothing is taken while a lease looks over and cannot be renewed', async () => {
  const clock = { now: 1_000_000 }
  const { leases, lease } = kept(clock)
  lease.fault = new Error('The disk is full')
  clock.now += 6_000
  expect(await leases.inTurn(async () => 'taken')).toBe('taken')
  clock.now += 4_000
  await expect(leases.inTurn(async () => 'taken')).rejects.toBe(lease.fault)
  lease.fault = null
  expect(await leases.inTurn(async () => 'taken')).toBe('taken')
  await leases.release(lease)
})

it('a lease that looks over is renewed before its job is settled, and no other', async () => {
  const clock = { now: 1_000_000 }
  const { leases, lease } = kept(clock)
  const other = new Lease(clock)
  leases.keep(other, processTime())
  expect([await leases.settle(other), other.renewals]).toEqual([true, 0])
  clock.now += 3_600_000
  expect([await leases.settle(lease), lease.renewals]).toEqual([true, 1])
  expect([await leases.settle(lease), leases.size]).toEqual([false, 0])
})

it('a job whose lease cannot be renewed may be settled all the same', async () => {
  const leases = new Leases(() => 1_000_000)
  const lease = new Lease({ now: 1_000_000 })
  leases.keep(lease, processTime() - 20_000)
  lease.fault = new Error('The disk is full')
  expect([await leases.settle(lease), lease.isLost, lease.renewals]).toEqual([true, false, 1])
})

it('a renewal that fails is tried again some times until the lease is over', async () => {
  const clock = { now: 1_000_000 }
  const { lease } = kept(clock)
  lease.fault = new Error('The disk is full')
  await vi.advanceTimersByTimeAsync(9_999)
  expect(lease.isLost).toBe(false)
  expect(lease.renewals).toBe(9)
  await vi.advanceTimersByTimeAsync(lease.lease)
  expect(lease.isLost).toBe(true)
})
