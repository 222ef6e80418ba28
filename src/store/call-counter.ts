/** Keeps track of calls by their promises. */
export interface CallCounter {
  /** Counts a call with this promise. Return the result instead of the promise. */
  count<T>(name: string, promise: Promise<T>): Promise<T>
}

type Method = (...args: unknown[]) => Promise<unknown>

/** Makes methods of a class count their calls; `count` counts one of them. The methods may be those of its base class. */
export function countCalls<Face extends object>(
  prototype: Face,
  names: readonly (keyof Face & string)[],
  count: (face: Face, name: string, promise: Promise<unknown>) => Promise<unknown>,
): void {
  for (const name of names) {
    const method = prototype[name] as Method
    const value = function (this: Face, ...args: unknown[]): Promise<unknown> {
      return count(this, name, method.apply(this, args))
    }
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
  }
}
