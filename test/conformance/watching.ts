import { isDeepStrictEqual } from 'node:util'
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

interface Row {
  readonly id: unknown
  readonly versionstamp: string
}

/** Reads a live query all the time, and expects rows that have not changed to be the objects that they were. */
export class Follower {
  readonly query: number
  readonly #reader: ReadableStreamDefaultReader<readonly Row[]>
  readonly #controller = new AbortController()
  readonly #ended: Promise<void>
  #last: readonly Row[] = []
  #hasLeft = false
  #isOver = false
  #seen = () => {}

  constructor(open: (signal: AbortSignal) => ReadableStream<readonly Row[]>, query: number) {
    this.query = query
    this.#reader = open(this.#controller.signal).getReader()
    this.#ended = this.#follow()
    this.#ended.catch(() => {})
  }

  async leave(by: 'abort' | 'cancel'): Promise<void> {
    this.#hasLeft = true
    if (by === 'abort') this.#controller.abort()
    else await this.#reader.cancel()
    await waitFor('the end of a stream that was left', this.#ended)
  }

  /** Waits until it has read these rows, unless it has left. */
  async reaches(rows: readonly Row[]): Promise<void> {
    const arrival = async () => {
      while (!this.#hasLeft && !isDeepStrictEqual(this.#last, rows)) {
        expect(this.#isOver).toBe(false)
        await Promise.race([new Promise<void>((resolve) => (this.#seen = resolve)), this.#ended])
      }
    }
    await waitFor('the newest result of a live query', arrival())
  }

  async #follow(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read()
      if (done) {
        this.#isOver = true
        return
      }
      expect(this.#hasLeft).toBe(false)
      const before = new Map(this.#last.map((row) => [JSON.stringify(row), row]))
      for (const row of value) expect(before.get(JSON.stringify(row)) ?? row).toBe(row)
      this.#last = value
      this.#seen()
    }
  }
}
