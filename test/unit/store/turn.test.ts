import { DatabaseBusyError, DatabaseClosedError, StorageError } from 'valkeyrie'
import { expect, it } from 'vitest'
import type { Driver } from '../../../src/driver/driver.ts'
import { KeyedMutex } from '../../../src/store/keyed-mutex.ts'
import { Turn } from '../../../src/store/turn.ts'

async function turnThatEndsWith(error: unknown) {
  const turns = new KeyedMutex()
  const driver = {
    takeTurn: () => Promise.resolve(true),
    endTurn: () => Promise.reject(error),
  } as unknown as Driver
  const turn = new Turn({ driver, turns }, 0)
  await turn.come(undefined)
  return { turn, next: turns.enter('') }
}

it.each([new DatabaseClosedError(), new DatabaseBusyError(5), new StorageError('SQLITE_FULL', 'full')])(
  'a turn that the database cannot end is left to expire, and the next in line may ask for one: %s',
  async (error) => {
    const { turn, next } = await turnThatEndsWith(error)
    await turn.end(false, undefined)
    await next
  },
)

it('an error of another kind is not swallowed when a turn ends', async () => {
  const error = new TypeError('no such thing')
  const { turn, next } = await turnThatEndsWith(error)
  await expect(turn.end(false, undefined)).rejects.toBe(error)
  await next
})

it('a call that is aborted while its turn is asked for does not wait for the answer, and ends the turn after it', async () => {
  const done: string[] = []
  const { promise: answer, resolve } = Promise.withResolvers<boolean>()
  const driver = {
    takeTurn: () => answer,
    endTurn: async () => void done.push('ended'),
  } as unknown as Driver
  const turns = new KeyedMutex()
  const turn = new Turn({ driver, turns }, 0)
  const controller = new AbortController()
  const coming = turn.come(controller.signal)
  const reason = new Error('enough')
  setImmediate(() => controller.abort(reason))
  await expect(coming).rejects.toBe(reason)
  await turn.end(false, controller.signal)
  expect(done).toEqual([])
  resolve(true)
  await turns.enter('')
  expect(done).toEqual(['ended'])
})
