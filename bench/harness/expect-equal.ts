import { isDeepStrictEqual } from 'node:util'

/** Throws where an answer is not the one expected. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Error(`${what}: expected ${text(expected)}, got ${text(actual)}`)
  }
}

const text = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))
