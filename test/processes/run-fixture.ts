import { expect } from 'vitest'
import { start } from './child.ts'

/** Runs a program of `fixtures/` to its end; what it printed, as JSON. */
export async function runFixture<Result>(
  fixture: string,
  ...args: readonly (string | number)[]
): Promise<Result> {
  const child = start(fixture, ...args.map(String))
  expect(await child.ended).toBe(0)
  return JSON.parse(child.lines.join('')) as Result
}
