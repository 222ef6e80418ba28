import type { LiveState } from './shared-result.ts'

/** What it follows: a LiveResult. */
export interface Followed<T> {
  readonly state: LiveState<T>
  subscribe(listener: () => void): () => void
}

/** The results of a live query, each the newest at the time of asking. */
export class Results<T> implements AsyncIterableIterator<T, undefined> {
  readonly #live: Followed<T>
  #stop: (() => void) | undefined
  #isOver = false
  #given: { readonly result: T } | undefined
  /** Makes the waiting call look again. */
  #wake: () => void = () => {}
  #turn: Promise<unknown> = Promise.resolve()

  constructor(live: Followed<T>) {
    this.#live = live
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const result = this.#turn.then(() => this.#next())
    this.#turn = result.catch(() => {})
    return result
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#end()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    while (!this.#isOver) {
      this.#stop ??= this.#live.subscribe(() => this.#wake())
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      const { status, result, error } = this.#live.state
      const isThere = status === 'live' || result !== undefined
      if (isThere && (this.#given === undefined || this.#given.result !== result)) {
        this.#given = { result: result as T }
        return { done: false, value: result as T }
      }
      if (status === 'failed') {
        this.#end()
        throw error
      }
      await promise
    }
    return { done: true, value: undefined }
  }

  #end(): void {
    this.#isOver = true
    this.#stop?.()
    this.#wake()
  }
}
