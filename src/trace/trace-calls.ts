import { beforeCall, pacedSince } from '../time/give-way.ts'
import { calls, type TracedCall } from './channels.ts'
import { traced } from './traced.ts'

type Subject = Pick<TracedCall, 'database' | 'repository' | 'pattern'>

/** Whether a method returns rows, or whatever the user's function returns. */
type Gives = 'rows' | 'anything'

type Method = (a: unknown, b: unknown, c: unknown) => Promise<unknown>

/**
 * Makes methods of a class give way, and report their calls if somebody subscribes. Without subscribers, a call only checks for them and
 * allocates nothing: so arguments are passed one by one (no method takes more than three), without a closure.
 */
export function traceCalls<Face extends object>(
  prototype: Face,
  names: readonly (keyof Face & string)[],
  subjectOf: (face: Face) => Subject,
  gives: Gives,
): void {
  for (const name of names) {
    const method = prototype[name] as Method
    const value = function (this: Face, a: unknown, b: unknown, c: unknown): Promise<unknown> {
      const before = beforeCall()
      const outcome = calls.hasSubscribers
        ? traceCall({ ...subjectOf(this), call: name }, gives, this, method, a, b, c)
        : method.call(this, a, b, c)
      return pacedSince(before, outcome)
    }
    Object.defineProperty(value, 'name', { value: name })
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
  }
}

function traceCall(
  message: TracedCall,
  gives: Gives,
  face: object,
  method: Method,
  ...args: [unknown, unknown, unknown]
): Promise<unknown> {
  const begin = () => method.apply(face, args)
  return traced(calls, message, begin, (settled, result) => {
    const rows = gives === 'rows' ? rowsOf(result) : undefined
    if (rows !== undefined) settled.rows = rows
  })
}

/** How many rows a call has returned, or written, if it says so. */
function rowsOf(result: unknown): number | undefined {
  if (Array.isArray(result)) return result.length
  if (result === null) return 0
  if (typeof result !== 'object') return undefined
  if ('ok' in result) return 'count' in result ? (result.count as number) : undefined
  if ('entries' in result && Array.isArray(result.entries)) return result.entries.length
  if ('versionstamp' in result) return result.versionstamp === null ? 0 : 1
  return undefined
}
