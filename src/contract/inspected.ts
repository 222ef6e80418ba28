import { type InspectOptions, inspect } from 'node:util'

/** By this name `console.log` finds what an object shows of itself. */
export const inspectName: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never

/**
 * What an object shows of itself: its name, and what a reader wants to know of it.
 *
 * @example
 * inspected('Repository', { name: 'users' }, {})   // "Repository { name: 'users' }"
 */
export function inspected(name: string, facts: object, options: InspectOptions): string {
  return `${name} ${inspect(facts, { ...options, depth: 4 })}`
}
