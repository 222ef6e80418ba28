import { afterAll, afterEach, beforeEach, vi } from 'vitest'
import { leaveWaits } from './waiting.ts'

const { VALKEYRIE_SEED } = process.env
if (VALKEYRIE_SEED !== undefined) {
  const { configureGlobal, readConfigureGlobal } = await import('fast-check')
  configureGlobal({ ...readConfigureGlobal(), seed: Number(VALKEYRIE_SEED) })
}

/** A test that the runner gives up says what it has been waiting for. */
beforeEach(({ signal, task: { name } }) => {
  signal.addEventListener('abort', () => {
    for (const what of leaveWaits()) console.error(`"${name}" was given up while it waited for ${what}`)
  })
})
afterEach(() => void leaveWaits())

// The next file has the same process, and its clock.
afterAll(() => void vi.useRealTimers())
