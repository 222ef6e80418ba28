import { expect, onTestFinished, test, vi } from 'vitest'
import { retryBusy } from '../../../src/driver/sqlite/file/retry-busy.ts'

/** For how many milliseconds others may write. */
const patience = 150

/** How often one with this timeout, in milliseconds, asks whether its attempt is due, with the longest delays. */
async function checksUntilDue(timeout: number): Promise<number> {
  vi.spyOn(Math, 'random').mockReturnValue(0.999)
  onTestFinished(() => {
    vi.restoreAllMocks()
  })
  let checks = 0
  await retryBusy(
    () => {},
    timeout,
    (waited) => {
      checks += 1
      return waited >= patience
    },
  )
  return checks
}

test('who lets others write leaves them the processor', async () => {
  // On a slower machine it checks less often.
  expect(await checksUntilDue(5_000)).toBeLessThan(patience / 8)
})
