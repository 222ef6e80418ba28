import { type InspectOptions, inspect } from 'node:util'

/** `console.log` looks for a method with this name. */
export const inspectName: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never

/**
 * How `console.log` shows an object: its name, and the facts that a reader wants to know.
 *
 * @example
 * inspected('Repository', { name: 'users' }, {})   // "Repository { name: 'users' }"
 */
export function inspected(name: string, facts: object, options: InspectOptions): string {
  return `${name} ${inspect(facts, { ...options, depth: 4 })}`
}
