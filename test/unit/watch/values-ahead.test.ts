import { expect, it, onTestFinished, vi } from 'vitest'
import { StorageError } from '../../../src/contract/errors.ts'
import type { Driver, StoredRow, WrittenVersion } from '../../../src/driver/driver.ts'
import { encodeKey } from '../../../src/key/codec.ts'
import { type PendingChange, ValuesAhead } from '../../../src/watch/values-ahead.ts'

const set = (version: number): PendingChange => ({
  version,
  change: { type: 'set', key: encodeKey([version]) },
})
const remove = (version: number): PendingChange => ({
  version,
  change: { type: 'delete', key: encodeKey([version]) },
})
const sets = (count: number) => Array.from({ length: count }, (_, i) => set(i + 1))

/** A driver that counts for how many rows it was asked, and what a test makes of its answers. */
class FakeRows {
  readonly asked: number[] = []
  now = 0
  expiresAt: number | null = null
  answer: (rows: StoredRow[]) => StoredRow[] = (rows) => rows
  /** Its commits of this process. */
  readonly hub = { reports: 0 }

  readonly driver = {
    now: () => this.now,
    rowsOfVersions: async (written: readonly WrittenVersion[]) => {
      this.asked.push(written.length)
      const { expiresAt } = this
      return this.answer(
        written.map(({ version }) => ({ value: `${version}`, encoding: 0, types: null, version, expiresAt })),
      )
    },
  } as Partial<Driver> as Driver
}

/** The clock of the process, which only the test moves. */
function stillTime(): void {
  vi.useFakeTimers({ toFake: ['hrtime'] })
  onTestFinished(() => void vi.useRealTimers())
}

/** The versions of the rows of the pending changes from one place to another. */
async function read(ahead: ValuesAhead, pending: readonly PendingChange[], from: number, to: number) {
  const versions: (number | undefined)[] = []
  for (let place = from; place < to; place++) versions.push((await ahead.rowOf(pending, place))?.version)
  return versions
}

/** What reads ahead of so many sets, over rows that a test can change, while the clock stands still. */
function readingAhead(count: number) {
  stillTime()
  const rows = new FakeRows()
  return { rows, pending: sets(count), ahead: new ValuesAhead(rows.driver, rows.hub) }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i + 1)

it('asks for the rows of ever more changes at once, for 256 at most', async () => {
  const { rows, pending, ahead } = readingAhead(1_000)
  expect(await read(ahead, pending, 0, 1_000)).toEqual(numbers(0, 1_000))
  expect(rows.asked).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 256, 233])
})

it('reads again what a commit of this process may have overwritten, as many as were taken meanwhile', async () => {
  const { rows, pending, ahead } = readingAhead(1_000)
  await read(ahead, pending, 0, 40)
  expect(rows.asked.splice(0)).toEqual([1, 2, 4, 8, 16, 32])
  rows.hub.reports += 1
  expect(await read(ahead, pending, 40, 60)).toEqual(numbers(40, 60))
  expect(rows.asked).toEqual([9, 18])
})

it('asks for no row of a change that needs none', async () => {
  stillTime()
  const rows = new FakeRows()
  const stored = { value: '1', encoding: 0, types: null } as const
  const kept = { version: 4, change: { ...set(4).change, stored } }
  const pending = [set(1), set(2), remove(3), kept, set(5), remove(6), set(7)]
  const ahead = new ValuesAhead(rows.driver, rows.hub)
  const versions = []
  for (const place of [0, 1, 4, 6]) versions.push((await ahead.rowOf(pending, place))?.version)
  expect(versions).toEqual([1, 2, 5, 7])
  expect(rows.asked).toEqual([1, 1, 2])
})

it('asks for as many as were returned last, if that were fewer than it asked for', async () => {
  const { rows, pending, ahead } = readingAhead(100)
  await read(ahead, pending, 0, 31)
  rows.answer = (rows) => rows.slice(0, 3)
  expect(await read(ahead, pending, 31, 44)).toEqual(numbers(31, 44))
  expect(rows.asked).toEqual([1, 2, 4, 8, 16, 32, 3, 6, 3, 6])
})

it('reads what it has read ahead again for a reader that comes after more than a second', async () => {
  const { rows, pending, ahead } = readingAhead(100)
  await read(ahead, pending, 0, 9)
  vi.advanceTimersByTime(1_000)
  await read(ahead, pending, 9, 10)
  expect(rows.asked).toEqual([1, 2, 4, 8])
  vi.advanceTimersByTime(1)
  expect(await read(ahead, pending, 10, 13)).toEqual(numbers(10, 13))
  expect(rows.asked).toEqual([1, 2, 4, 8, 1, 2])
})

it('does not give a row that has expired since it was read', async () => {
  const { rows, pending, ahead } = readingAhead(10)
  rows.expiresAt = 50
  expect(await read(ahead, pending, 0, 4)).toEqual([1, 2, 3, 4])
  rows.now = 50
  expect(await read(ahead, pending, 4, 7)).toEqual([undefined, undefined, undefined])
  expect(rows.asked).toEqual([1, 2, 4])
})

it('fails at the change whose row cannot be read, and gives those before it', async () => {
  const { rows, pending, ahead } = readingAhead(20)
  const damage = new StorageError('SQLITE_CORRUPT', 'damaged')
  rows.answer = (rows) => {
    if (rows.some(({ version }) => version === 13)) throw damage
    return rows
  }
  expect(await read(ahead, pending, 0, 12)).toEqual(numbers(0, 12))
  await expect(ahead.rowOf(pending, 12)).rejects.toBe(damage)
})

it('does not repeat a request that has failed for another reason', async () => {
  const { rows, pending, ahead } = readingAhead(20)
  await read(ahead, pending, 0, 3)
  rows.answer = () => {
    throw new Error('lost')
  }
  await expect(ahead.rowOf(pending, 3)).rejects.toThrow('lost')
  expect(rows.asked).toEqual([1, 2, 4])
})
