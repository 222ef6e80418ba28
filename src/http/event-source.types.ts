/** What the events of a stream are made of. */
export interface EventSource {
  /** Text of the next events; null at the end. It is called when the last of them are on their way, and not before. */
  next(): Promise<string | null>
  /** Text that tells a reader who waits that the stream is there. */
  idle(): string
  /** Lets go of what it reads. */
  end(): void
}
