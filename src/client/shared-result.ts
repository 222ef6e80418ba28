import type { StreamEvent } from '../wire/event.ts'
import type { Follower } from './follow.ts'
import type { LiveError } from './live-error.ts'
import type { ResultReader } from './result-reader.ts'

/** The state of a live query in a client. */
export type LiveState<T> =
  /** Nothing has come yet: there is no result, or the initial one of a component. */
  | { readonly status: 'pending'; readonly result: T | undefined; readonly error: undefined }
  /** This is the result now. */
  | { readonly status: 'live'; readonly result: T; readonly error: undefined }
  /** The connection is lost, and tried again: the result is the last one, or the initial one of a component, if there is one. */
  | { readonly status: 'stale'; readonly result: T | undefined; readonly error: LiveError }
  /** The server refuses, or the client is closed: nothing more comes. The result is as in `stale`. */
  | { readonly status: 'failed'; readonly result: T | undefined; readonly error: LiveError }

/** The state without followers. */
export const pending: LiveState<never> = Object.freeze({
  status: 'pending',
  result: undefined,
  error: undefined,
})

/** What all followers of one live query share: one stream, which opens for the first follower and ends shortly after the last. */
export class SharedResult implements Follower {
  readonly #reader: ResultReader
  /** Follows the stream until the signal is aborted. */
  readonly #follow: (follower: Follower, signal: AbortSignal) => Promise<void>
  readonly #forget: () => void
  readonly #stop = new AbortController()
  readonly #listeners = new Set<() => void>()
  #hasBegun = false
  #holders = 0
  #release: ReturnType<typeof setTimeout> | undefined
  #state: LiveState<unknown> = pending

  constructor(
    reader: ResultReader,
    follow: (follower: Follower, signal: AbortSignal) => Promise<void>,
    forget: () => void,
  ) {
    this.#reader = reader
    this.#follow = follow
    this.#forget = forget
  }

  get state(): LiveState<unknown> {
    return this.#state
  }

  /** Follows it until the returned function is called, and for `lingering` milliseconds after that. */
  hold(lingering: number): () => void {
    this.#holders++
    clearTimeout(this.#release)
    if (!this.#hasBegun) this.#begin()
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      if (--this.#holders === 0) this.#release = setTimeout(() => this.#end(), lingering)
    }
  }

  listen(listener: () => void): () => void {
    // A new function each time, because the same listener may subscribe twice.
    const own = () => listener()
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  take(event: StreamEvent): void {
    const result = this.#reader.read(event)
    if (this.#state.status !== 'live' || this.#state.result !== result)
      this.#show({ status: 'live', result, error: undefined })
  }

  lost(error: LiveError): void {
    this.#show({ status: 'stale', result: this.#state.result, error })
  }

  /** Ends it for good. */
  close(error: LiveError): void {
    this.#hasBegun = true
    clearTimeout(this.#release)
    this.#stop.abort()
    this.#fail(error)
  }

  /** Tries again if it has failed. */
  retry(): void {
    if (this.#state.status !== 'failed' || this.#stop.signal.aborted) return
    this.#show(pending)
    this.#begin()
  }

  #begin(): void {
    this.#hasBegun = true
    this.#follow(this, this.#stop.signal).catch((error: unknown) => this.#fail(error as LiveError))
  }

  #fail(error: LiveError): void {
    this.#show({ status: 'failed', result: this.#state.result, error })
  }

  #end(): void {
    this.#stop.abort()
    this.#forget()
  }

  #show(state: LiveState<unknown>): void {
    this.#state = Object.freeze(state)
    for (const listener of [...this.#listeners]) tell(listener)
  }
}

/** As with an EventTarget, a listener that throws affects neither the other listeners nor the stream. */
function tell(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
