import { isDeepStrictEqual } from 'node:util'
import type { Task } from './race.ts'

/** A number for some whole numbers and their order: comparing it costs no memory while the clock runs. */
export function checksum(numbers: Iterable<number>): number {
  let sum = 0
  let place = 0
  for (const number of numbers) sum += number * ++place
  return sum
}

/** A task that asks one question after the other, and compares what the answers come to. */
export const reads =
  <Asked, Answer>(reading: {
    readonly prepare: (n: number) => readonly Asked[]
    readonly read: (asked: Asked) => Answer | Promise<Answer>
    /** The number that tells whether an answer is the right one. */
    readonly sum: (answer: Answer) => number
    readonly expected: (asked: Asked) => number
  }): Task =>
  (n) => {
    const { prepare, read, sum, expected } = reading
    const asked = prepare(n)
    let found = 0
    return {
      async run() {
        let total = 0
        let place = 0
        for (const one of asked) {
          const answer = read(one)
          total += sum(answer instanceof Promise ? await answer : answer) * ++place
        }
        found = total
      },
      verify: () => expectEqual(found, checksum(asked.map(expected)), 'checksum of the answers'),
    }
  }

/** A task that writes one after the other. */
export const writes =
  <Written>(writing: {
    readonly prepare: (n: number) => readonly Written[]
    readonly write: (written: Written) => unknown
    readonly verify: (written: readonly Written[]) => unknown
  }): Task =>
  (n) => {
    const { prepare, write, verify } = writing
    const written = prepare(n)
    return {
      async run() {
        for (const one of written) {
          const done = write(one)
          if (done instanceof Promise) await done
        }
      },
      verify: () => verify(written),
    }
  }

/** So many at a time. */
export function* batchesOf<T>(all: Iterable<T>, size: number): Generator<T[], void> {
  let batch: T[] = []
  for (const one of all) {
    if (batch.push(one) < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** Throws where an answer is not the one expected. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Error(`${what}: expected ${text(expected)}, got ${text(actual)}`)
  }
}

const text = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))
