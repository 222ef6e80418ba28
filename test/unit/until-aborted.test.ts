import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { untilAborted } from '../../src/time/until-aborted.ts'
import { waitUntil } from '../waiting.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length

it('a signal has one listener for all calls that wait for it, and none afterwards', async () => {
  const { signal } = new AbortController()
  const [first, second] = [Promise.withResolvers<number>(), Promise.withResolvers<number>()]
  const [one, two] = [untilAborted(first.promise, signal), untilAborted(second.promise, signal)]
  expect(listeners(signal)).toBe(1)
  first.resolve(1)
  expect(await one).toBe(1)
  expect(listeners(signal)).toBe(1)
  second.reject(new Error('failed'))
  await expect(two).rejects.toThrow('failed')
  expect(listeners(signal)).toBe(0)
  expect(await untilAborted(Promise.resolve(3), signal)).toBe(3)
  expect(listeners(signal)).toBe(0)
})

it('an abort rejects every call that waits, and later ones', async () => {
  const controller = new AbortController()
  const { signal } = controller
  const reason = new Error('enough')
  const never = new Promise<never>(() => {})
  const waiting = [untilAborted(never, signal), untilAborted(never, signal)]
  await untilAborted(Promise.resolve(), signal)
  controller.abort(reason)
  for (const call of waiting) await expect(call).rejects.toBe(reason)
  await expect(untilAborted(never, signal)).rejects.toBe(reason)
  expect(listeners(signal)).toBe(0)
})

it('a signal that was composed for one call is collected after it', async () => {
  const program = new AbortController()
  const composed: WeakRef<AbortSignal>[] = []
  const callMany = async () => {
    for (let i = 0; i < 100; i++) {
      const signal = AbortSignal.any([program.signal, new AbortController().signal])
      composed.push(new WeakRef(signal))
      await untilAborted(Promise.resolve(i), signal)
    }
  }
  await callMany()
  await waitUntil('the signals to be collected', () => {
    collectGarbage()
    return composed.every((signal) => signal.deref() === undefined)
  })
})
