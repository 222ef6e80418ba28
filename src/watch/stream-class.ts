import type {
  ReadableStreamAsyncIterator,
  ReadableStreamGetReaderOptions,
  ReadableStreamReadResult,
  UnderlyingSource,
} from 'node:stream/web'
import { pacedOutcome } from '../time/give-way.ts'

/** Answers a read that waits for the next item: with a rejected promise, if it fails. */
export type PendingRead<T> = (result: ReadableStreamReadResult<T> | Promise<never>) => void

/** The reads of a stream that get their items directly. */
export interface DirectReads<T> {
  /** A read that gets the next item directly; undefined if the stream itself answers, because it has an item or is over. */
  read(): Promise<ReadableStreamReadResult<T>> | undefined
  /** Removes the reads that wait, and returns them. */
  takeReads(): readonly PendingRead<T>[]
  /** Called when the stream has ended or failed, after the reads that waited were answered. */
  onEnd: () => void
}

/** What makes a stream with such reads. */
export type StreamClass = new <T>(reads: DirectReads<T>, source: UnderlyingSource<T>) => ReadableStream<T>

/** Makes the class for the first stream: Node.js takes milliseconds to load its own, which a program may not need. */
export function makeStreamClass(): StreamClass {
  class WatchReader<T> extends ReadableStreamDefaultReader<T> {
    readonly #direct: DirectReads<T>
    #isReleased = false

    constructor(stream: ReadableStream<T>, direct: DirectReads<T>) {
      super(stream)
      this.#direct = direct
    }

    override read(): Promise<ReadableStreamReadResult<T>> {
      return (this.#isReleased ? undefined : this.#direct.read()) ?? pacedOutcome(super.read())
    }

    override cancel(reason?: unknown): Promise<void> {
      return pacedOutcome(super.cancel(reason))
    }

    override releaseLock(): void {
      super.releaseLock()
      if (this.#isReleased) return
      this.#isReleased = true
      // A reader without a stream rejects its reads.
      for (const answer of this.#direct.takeReads()) answer(super.read() as Promise<never>)
    }
  }

  /** What a loop reads from. It does what the platform's does, which makes several promises for each item. */
  class WatchIterator<T> implements ReadableStreamAsyncIterator<T> {
    readonly #reader: WatchReader<T>
    readonly #direct: DirectReads<T>
    readonly #preventCancel: boolean
    #isOver = false
    #last: Promise<unknown> | undefined

    constructor(stream: ReadableStream<T>, direct: DirectReads<T>, preventCancel: boolean) {
      this.#reader = new WatchReader(stream, direct)
      this.#direct = direct
      this.#preventCancel = preventCancel
    }

    next(): Promise<IteratorResult<T, undefined>> {
      if (this.#isOver) return Promise.resolve({ done: true, value: undefined })
      const read = this.#direct.read()
      if (read === undefined) return this.#ofStream()
      // A stream that has ended before is unlocked by the read that finds its end.
      this.#direct.onEnd = this.#finish
      this.#last = read
      return read as Promise<IteratorResult<T, undefined>>
    }

    async return(value?: unknown): Promise<IteratorResult<T, undefined>> {
      // Leaves the outcome of a read that waits to whoever began it.
      await this.#last?.catch(() => {})
      if (!this.#isOver) {
        const cancelled = this.#preventCancel ? undefined : this.#reader.cancel(value)
        this.#finish()
        await cancelled
      }
      return { done: true, value: value as undefined }
    }

    [Symbol.asyncIterator](): this {
      return this
    }

    async [Symbol.asyncDispose](): Promise<void> {
      await this.return()
    }

    async #ofStream(): Promise<IteratorResult<T, undefined>> {
      try {
        const read = await this.#reader.read()
        if (read.done) this.#finish()
        return read as IteratorResult<T, undefined>
      } catch (error) {
        this.#finish()
        throw error
      }
    }

    readonly #finish = (): void => {
      this.#isOver = true
      this.#direct.onEnd = () => {}
      this.#reader.releaseLock()
    }
  }

  /**
   * A stream whose readers and loops get their items directly. Going through the queue of the stream takes twice as long, which
   * matters with a thousand readers of the same. Pipes and tees read it like any other stream.
   */
  return class WatchStream<T> extends ReadableStream<T> {
    readonly #direct: DirectReads<T>

    constructor(direct: DirectReads<T>, source: UnderlyingSource<T>) {
      super(source, { highWaterMark: 0 })
      this.#direct = direct
    }

    override cancel(reason?: unknown): Promise<void> {
      return pacedOutcome(super.cancel(reason))
    }

    // What it gives is what each overload of the stream promises.
    override getReader(options?: ReadableStreamGetReaderOptions): never {
      const isDefault = options?.mode === undefined
      return (isDefault ? new WatchReader<T>(this, this.#direct) : super.getReader({ mode: 'byob' })) as never
    }

    override values(options?: { readonly preventCancel?: boolean }): ReadableStreamAsyncIterator<T> {
      return new WatchIterator<T>(this, this.#direct, Boolean(options?.preventCancel))
    }

    override [Symbol.asyncIterator](): ReadableStreamAsyncIterator<T> {
      return this.values()
    }
  }
}
