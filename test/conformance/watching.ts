import { expect } from 'vitest'
import { waitFor } from '../waiting.ts'

/** The next item of a stream that must not be over. */
export async function next<T>(reader: ReadableStreamDefaultReader<T>): Promise<T> {
  const { done, value } = await waitFor('the next item of a stream', reader.read())
  expect(done).toBe(false)
  return value as T
}

/** Whether the promise stays open while everything that is under way has its turns. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true
  const settled = () => {
    pending = false
  }
  promise.then(settled, settled)
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  return pending
}

/** The first item of a stream, which is cancelled then. */
export async function firstOf<T>(stream: ReadableStream<T>): Promise<T> {
  const reader = stream.getReader()
  const item = await next(reader)
  await reader.cancel()
  return item
}
