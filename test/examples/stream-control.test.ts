import { Valkeyrie } from 'valkeyrie'
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { waitFor } from '../../examples/stream-control/wait-for.ts'
import { enginesOf, runExample } from './run-example.ts'

const open = () => Valkeyrie.withSchema(['numbers', '*'], z.int()).open()

let db: Awaited<ReturnType<typeof open>>
beforeEach(async () => {
  db = await open()
})
afterEach(() => db.close())

it.each(enginesOf('stream-control'))(
  'follows an order until it is delivered, and gives up on a lost one, on %s',
  async (engine) => {
    const output = await runExample('stream-control', engine)
    expect(output).toMatch(
      /tea: delivered\nThe tea has come\.\nlost: sent\nWaited for 500 ms, and gave up\.\n$/,
    )
  },
)

it('stops at the first item that it waits for, and frees the stream and the timer', async () => {
  const { numbers } = db.repositories
  let stream!: ReadableStream<{ value: number | null }>
  const begun = vi.spyOn(globalThis, 'setTimeout')
  const ended = vi.spyOn(globalThis, 'clearTimeout')
  onTestFinished(() => void vi.restoreAllMocks())
  const found = waitFor(
    (signal) => (stream = numbers.watch('n', { signal })),
    ({ value }) => value === 3,
    60_000,
  )
  for (const n of [1, 2, 3]) await numbers.set('n', n)
  expect(await found).toMatchObject({ id: 'n', value: 3 })
  expect(await stream.getReader().read()).toEqual({ done: true, value: undefined })
  const timer = begun.mock.calls.findIndex(([, delay]) => delay === 60_000)
  expect(ended).toHaveBeenCalledWith(begun.mock.results[timer]!.value)
})

it('gives undefined when the time is up, and when the database is closed', async () => {
  const { numbers } = db.repositories
  const never = () => false
  expect(await waitFor((signal) => numbers.watch('n', { signal }), never, 10)).toBeUndefined()
  const waiting = waitFor((signal) => numbers.watch('n', { signal }), never, 60_000)
  await db.close()
  expect(await waiting).toBeUndefined()
})

it('frees the stream if the condition throws', async () => {
  let stream!: ReadableStream<unknown>
  const waiting = waitFor(
    (signal) => (stream = db.repositories.numbers.watch('n', { signal })),
    () => {
      throw new Error('no')
    },
    60_000,
  )
  await expect(waiting).rejects.toThrow('no')
  expect(await stream.getReader().read()).toEqual({ done: true, value: undefined })
})
