import { expect, onTestFinished, test } from 'vitest'
import { StorageError } from '../../../src/contract/errors.ts'
import { lookForCommits } from '../../../src/driver/look-for-commits.ts'

/** What each look finds, in order; later looks find nothing. */
function following(...found: (number | 'restored' | null | Error)[]) {
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  let looks = 0
  const newest = () => {
    const next = found[looks++] ?? null
    if (next instanceof Error) throw next
    return next
  }
  return { commits: lookForCommits(newest, stop.signal), stop, looks: () => looks }
}

test('the newest version is reported once, however often it is found, and a later one when it comes', async () => {
  const { commits, looks } = following(5, 5, null, 5, 7)
  expect((await commits.next()).value).toBe(5)
  expect((await commits.next()).value).toBe(7)
  expect(looks()).toBe(5)
})

test('an older state is reported as unknown, and then what is committed to it', async () => {
  const { commits } = following(5, 'restored', 'restored', null, 3, 4)
  expect((await commits.next()).value).toBe(5)
  expect((await commits.next()).value).toBe(null)
  expect((await commits.next()).value).toBe(null)
  expect((await commits.next()).value).toBe(3)
  expect((await commits.next()).value).toBe(4)
})

test('a failure of the engine is reported, a momentary obstacle is not', async () => {
  const { commits, looks } = following(new Error('locked'), new StorageError('SQLITE_IOERR', 'disk'), 3)
  expect((await commits.next()).value).toBe(null)
  expect(looks()).toBe(2)
  expect((await commits.next()).value).toBe(3)
})

test('it ends when the signal is aborted, and stops looking', async () => {
  const { commits, stop, looks } = following(1)
  await commits.next()
  const last = commits.next()
  stop.abort()
  expect(await last).toEqual({ done: true, value: undefined })
  const before = looks()
  expect((await commits.next()).done).toBe(true)
  expect(looks()).toBe(before)
})

test('it does not begin if the signal is already aborted', async () => {
  const { commits, stop, looks } = following(1)
  stop.abort()
  expect((await commits.next()).done).toBe(true)
  expect(looks()).toBe(0)
})
