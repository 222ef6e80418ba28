import { calls, type TracedCall } from './channels.ts'
import { traced } from './traced.ts'

type Subject = Pick<TracedCall, 'database' | 'repository' | 'pattern'>

/** Whether what a method gives is rows, or what the user makes. */
type Gives = 'rows' | 'anything'

type Method = (a: unknown, b: unknown, c: unknown) => Promise<unknown>

/**
 * Has methods of a class report their calls while somebody listens. While nobody does, a call costs one look at that, and nothing is
 * made: so the arguments, of which no method takes more than three, are passed on one by one, and no function holds on to them.
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
      return calls.hasSubscribers
        ? traceCall({ ...subjectOf(this), call: name }, gives, this, method, a, b, c)
        : method.call(this, a, b, c)
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

/** How many rows a call has given, or has written where it tells. */
function rowsOf(result: unknown): number | undefined {
  if (Array.isArray(result)) return result.length
  if (result === null) return 0
  if (typeof result !== 'object') return undefined
  if ('ok' in result) return 'count' in result ? (result.count as number) : undefined
  if ('entries' in result && Array.isArray(result.entries)) return result.entries.length
  if ('versionstamp' in result) return result.versionstamp === null ? 0 : 1
  return undefined
}
