import type { WatchHub } from '../broadcast/hub.ts'
import type { Endable } from '../broadcast/open-streams.ts'
import { DatabaseClosedError } from '../contract/errors.ts'
import { pauseDue } from '../time/give-way.ts'

/** Who waits for the next item of a source. It is told one thing, at once or later. */
export interface Receiver<T> {
  /** Whether it still waits. */
  readonly isWanted: boolean
  give(item: T): void
  fail(error: unknown): void
  /** There is nothing to give: it does not want it any more. */
  letGo(): void
}

/** What a stream is read from. */
export interface WatchSource<T> {
  /** Reports the next item. The one before has been reported. */
  next(receiver: Receiver<T>): void
  /** Has it look at `isWanted` again. */
  wake(): void
}

/**
 * A stream whose items are made when they are read and not before, so that a reader that is slow, or away, costs no
 * memory. It ends when it is cancelled, when `signal` is aborted and when the database is closed; on a database that is closed
 * already it is errored with DatabaseClosedError.
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
  /** Whether the source is to report an item, and whether somebody has begun to read since. */
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

  /** A stream whose reader has let go of its lock is not read: what comes then is left for the next reader to fetch. */
  get isWanted(): boolean {
    return !this.#over && this.stream.locked
  }

  /** The stream calls it for each read, and does not wait for what comes of it: there may be thousands of streams. */
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
