import { DatabaseClosedError } from '../errors.ts'
import { paced } from '../give-way.ts'
import type { WatchHub } from './hub.ts'
import type { Endable } from './open-streams.ts'

/** What a stream is read from. */
export interface WatchSource<T> {
  /** Waits for the next item. Gives null where nobody wants it any more. */
  next(isWanted: () => boolean): Promise<{ readonly item: T } | null>
  /** Lets a `next` that waits look at `isWanted` again. */
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

class StreamSession<T> implements Endable {
  readonly stream: ReadableStream<T>
  readonly #source: WatchSource<T>
  readonly #signal: AbortSignal | undefined
  #controller!: ReadableStreamDefaultController<T>
  #forget: () => void = () => {}
  #over = false

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
  readonly #isWanted = (): boolean => !this.#over && this.stream.locked

  #pull(): Promise<void> {
    return paced(this.#next).then(this.#give, this.#fail)
  }

  readonly #next = (): ReturnType<WatchSource<T>['next']> => this.#source.next(this.#isWanted)

  readonly #give = (next: { readonly item: T } | null): void => {
    if (next !== null && !this.#over) this.#controller.enqueue(next.item)
  }

  readonly #fail = (error: unknown): void => {
    if (this.#over) return
    this.#free()
    throw error
  }

  #free(): void {
    this.#over = true
    this.#forget()
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#source.wake()
  }
}
