import { globSync, readFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { stillClock } from './still-clock.ts'
import { leaveWaits, waitFor, waitUntil } from './waiting.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What gives up after a time of its own, or counts on speed. */
const limits =
  /vi\.waitFor|vi\.waitUntil|expect\.poll|(?:, |^\s*)\{ timeout: |^\}, [\d_]+\)$|now\(\) - .*LessThan/

it('no test has a limit of time of its own: what has to come is awaited by test/waiting.ts', () => {
  const own = ['test/waiting.ts', 'test/waiting.test.ts']
  const found = globSync('test/**/*.ts', { cwd: root })
    .filter((file) => !own.includes(file))
    .flatMap((file) => {
      const lines = readFileSync(root + file, 'utf8').split('\n')
      return lines.flatMap((line, n) => (limits.test(line) ? `${file}:${n + 1}: ${line.trim()}` : []))
    })
  expect(found).toEqual([])
})

describe('what is awaited', () => {
  it('is given, or rejects with its own error', async () => {
    expect(await waitFor('a number', Promise.resolve(1))).toBe(1)
    await expect(waitFor('a number', Promise.reject(new Error('none')))).rejects.toThrow('none')
    let looks = 0
    await waitUntil('the third look', () => ++looks === 3)
    expect(looks).toBe(3)
    expect(leaveWaits()).toEqual([])
  })

  it('is named if it does not come', async () => {
    vi.resetModules()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { waitFor } = await import('./waiting.ts')
      const failure = waitFor('a word of Godot', new Promise(() => {})).catch((error: Error) => error.message)
      await vi.runAllTimersAsync()
      expect(await failure).toMatch(/^Waited in vain for a word of Godot, \d+ s at slowness/)
    } finally {
      vi.useRealTimers()
    }
  })

  it('is reported if the test ends before it comes', async () => {
    void waitFor('Godot', new Promise(() => {}))
    expect(leaveWaits()).toEqual(['Godot'])
    expect(leaveWaits()).toEqual([])
  })
})

it('a still clock moves when it is moved, while timers go on', async () => {
  const clock = stillClock()
  const begin = Date.now()
  await new Promise((resolve) => setTimeout(resolve, 5))
  await nextTurn()
  expect(Date.now()).toBe(begin)
  clock.advance(1_000)
  expect([Date.now(), clock.now]).toEqual([begin + 1_000, begin + 1_000])
  clock.advance(-2_000)
  expect(Date.now()).toBe(begin - 1_000)
})
