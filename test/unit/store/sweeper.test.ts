import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { afterEach, expect, test, vi } from 'vitest'
import type { Driver } from '../../../src/driver/driver.ts'
import { Sweeper } from '../../../src/store/sweeper.ts'
import { stillClock } from '../../still-clock.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()

afterEach(() => vi.useRealTimers())

function storedRows(file: string): number {
  const raw = new Database(file, { readonly: true })
  const count = raw.prepare('SELECT count(*) FROM kv').pluck().get() as number
  raw.close()
  return count
}

test('rows are removed from the file when they expire', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  const file = path()
  await using db = await Valkeyrie.open(file)
  await db.set(['soon'], 1, { expireIn: 5_000 })
  await db.set(['later'], 1, { expireIn: 10_000 })
  await db.set(['much later'], 1, { expireIn: 1_000_000 })
  await db.set(['never'], 1)
  await vi.advanceTimersByTimeAsync(4_000)
  expect(storedRows(file)).toBe(4)
  await vi.advanceTimersByTimeAsync(1_200)
  expect(storedRows(file)).toBe(3)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(storedRows(file)).toBe(2)
  await vi.advanceTimersByTimeAsync(1_000_000)
  expect(storedRows(file)).toBe(1)
})

test('rows that expired while the file was closed are removed when it is opened', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  const file = path()
  const first = await Valkeyrie.open(file)
  await first.set(['a'], 1, { expireIn: 1_000 })
  await first.close()
  await vi.advanceTimersByTimeAsync(2_000)
  await using _ = await Valkeyrie.open(file)
  expect(storedRows(file)).toBe(1)
  await vi.advanceTimersByTimeAsync(200)
  expect(storedRows(file)).toBe(0)
})

test('a revoked expiry does not remove the row', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  await using db = await Valkeyrie.open()
  await db.set(['a'], 1, { expireIn: 1_000 })
  await db.set(['a'], 2)
  await vi.advanceTimersByTimeAsync(100_000)
  expect((await db.get(['a'])).value).toBe(2)
})

test('rows that other handles give an expiry are removed too', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  const file = path()
  await using _ = await Valkeyrie.open(file)
  const other = await Valkeyrie.open(file)
  await other.set(['a'], 1, { expireIn: 1_000 })
  await other.close()
  await vi.advanceTimersByTimeAsync(130_000)
  expect(storedRows(file)).toBe(0)
})

test('a database that is open for reading only removes nothing, and warns of nothing', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  const file = path()
  {
    await using db = await Valkeyrie.open(file)
    await db.set(['a'], 1, { expireIn: 5 })
  }
  const warnings: unknown[] = []
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(warning))
  await using db = await Valkeyrie.open(file, { readOnly: true })
  await vi.advanceTimersByTimeAsync(200_000)
  expect(storedRows(file)).toBe(1)
  expect((await db.get(['a'])).versionstamp).toBeNull()
  warn.mockRestore()
  expect(warnings).toStrictEqual([])
})

test('removing many rows lets other work go on', async () => {
  const clock = stillClock()
  await using db = await Valkeyrie.open()
  const operation = db.atomic()
  for (let i = 0; i < 5_000; i++) operation.set(['n', i], i, { expireIn: 60_000 })
  await operation.commit()
  clock.advance(60_000)
  expect((await db.get(['n', 0])).versionstamp).toBeNull()
  let turns = 0
  let done = false
  const count = () => {
    turns += 1
    if (!done) setImmediate(count)
  }
  setImmediate(count)
  await db.cleanup()
  done = true
  expect(turns).toBeGreaterThan(1)
})

/** A sweeper, and a driver whose answers wait for the test. */
function sweeperOfServer() {
  const answers: ((next: number | null) => void)[] = []
  const answer = () => new Promise<number | null>((resolve) => void answers.push(resolve))
  let sweeps = 0
  const driver = {
    now: () => Date.now(),
    nextExpiry: answer,
    sweep: async () => {
      sweeps += 1
      return { removed: 0, next: await answer() }
    },
  } as Partial<Driver> as Driver
  return { sweeper: new Sweeper(driver, () => {}), answers, sweeps: () => sweeps }
}

test.each(['start', 'sweepAll'] as const)(
  'a row that gets an expiry while the next one is looked for is removed in time (%s)',
  async (call) => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
    const { sweeper, answers, sweeps } = sweeperOfServer()
    const looking = sweeper[call]()
    sweeper.notice(Date.now() + 1_000)
    // The server looked before the row was written.
    answers.shift()!(null)
    await looking
    const before = sweeps()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(sweeps()).toBe(before + 1)
    sweeper.close()
  },
)
