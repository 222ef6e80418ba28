/** How far a stream of changes is, for another stream that continues from there. */
export interface FeedPosition {
  /** The version that it began after. */
  readonly start: Promise<number>
  /** While its reader waits: the version up to which every change has been given. Null otherwise. */
  readonly settled: number | null
}

const positions = new WeakMap<object, FeedPosition>()

/** Remembers the position of a stream of changes. */
export function notePosition<S extends ReadableStream>(stream: S, position: FeedPosition): S {
  positions.set(stream, position)
  return stream
}

/**
 * A position to continue from belongs to another database, or to another state of this one: a reader has to begin again. Printed, it
 * is a RangeError.
 */
export class UnknownPositionError extends RangeError {
  static override readonly name = 'RangeError'
}

/** The position of a stream from `changes`; undefined for any other stream, even one made from it. */
export function feedPosition(stream: ReadableStream): FeedPosition | undefined {
  return positions.get(stream)
}
