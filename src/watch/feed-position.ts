/** How far a stream of changes is, for who has to go on from there in another one. */
export interface FeedPosition {
  /** The version that it began after. */
  readonly start: Promise<number>
  /** While its reader waits: the version up to which every change has been given. Null otherwise. */
  readonly settled: number | null
}

const positions = new WeakMap<object, FeedPosition>()

/** Notes the position of a stream of changes. */
export function notePosition<S extends ReadableStream>(stream: S, position: FeedPosition): S {
  positions.set(stream, position)
  return stream
}

/** The position of a stream that `changes` has given; undefined of any other, as of one that was made of it. */
export function feedPosition(stream: ReadableStream): FeedPosition | undefined {
  return positions.get(stream)
}
