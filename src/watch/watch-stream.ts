import type { WatchHub } from '../broadcast/hub.ts'
import type { Endable } from '../broadcast/open-streams.ts'
import { DatabaseClosedError } from '../contract/errors.ts'
import { pauseDue } from '../time/give-way.ts'

/** Waits for the next item of a source: exactly one of `give`, `fail`, … is called, at once or later. */
export interface Receiver<T> {
  /** Whether it still waits. */
  readonly isWanted: boolean
  give(item: T): void
  fail(error: unknown): void
  /** There is no item, because the receiver no longer wants one. */
  letGo(): void
}

/** The source of a stream. */
export interface WatchSource<T> {
  /** Reports the next item. Called once the previous one has been reported. */
  next(receiver: Receiver<T>): void
  /** Makes it check `isWanted` again. */
  wake(): void
}

/**
 * A stream that makes its items when they are read, so a slow or absent reader costs no memory. It ends when it is cancelled, when
 * `signal` is aborted, or when the database is closed. On a database that is already closed, it fails with DatabaseClosedError.
 */
export function watchStream<T>(
  hub: WatchHub,
  source: WatchSource<T>,
  signal?: AbortSignal,
): ReadableStream<T> {
  return new StreamSession(hub, source, signal).stream
}

class StreamSession<T> implements Endable, Receiver<T> {
  readonly stream: ReadableStream<T>
  readonly #source: WatchSource<T>
  readonly #signal: AbortSignal | undefined
  #controller!: ReadableStreamDefaultController<T>
  #forget: () => void = () => {}
  #over = false
  /** Whether the source must report an item, and whether a reader has started since. */
  #isWaiting = false
  #isAsked = false

  constructor(hub: WatchHub, source: WatchSource<T>, signal: AbortSignal | undefined) {
    this.#source = source
    this.#signal = signal
    this.stream = new ReadableStream<T>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#pull(),
        cancel: () => this.#free(),
      },
      { highWaterMark: 0 },
    )
    if (hub.closed) {
      this.#over = true
      this.#controller.error(new DatabaseClosedError())
    } else if (signal?.aborted) {
      this.end()
    } else {
      this.#forget = hub.streams.add(this)
      signal?.addEventListener('abort', this.#abort)
    }
  }

  end(): void {
    if (this.#over) return
    this.#free()
    this.#controller.close()
  }

  readonly #abort = (): void => this.end()

  /** A stream without a reader is not read: what comes then waits for the next reader. */
  get isWanted(): boolean {
    return !this.#over && this.stream.locked
  }

  /** The stream calls this for each read, and does not wait for the result: there may be thousands of streams. */
  #pull(): void {
    this.#isAsked = this.#isWaiting
    if (this.#isWaiting) return
    this.#isWaiting = true
    const pause = pauseDue()
    if (pause === undefined) this.#source.next(this)
    else void pause.then(() => this.#source.next(this))
  }

  give(item: T): void {
    this.#isWaiting = false
    if (!this.#over) this.#controller.enqueue(item)
  }

  fail(error: unknown): void {
    this.#isWaiting = false
    if (this.#over) return
    this.#free()
    this.#controller.error(error)
  }

  letGo(): void {
    this.#isWaiting = false
    if (this.#isAsked && !this.#over) this.#pull()
  }

  #free(): void {
    this.#over = true
    this.#forget()
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#source.wake()
  }
}
