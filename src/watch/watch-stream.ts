import type { ReadableStreamReadResult } from 'node:stream/web'
import type { WatchHub } from '../broadcast/hub.ts'
import { type Endable, endWith } from '../broadcast/open-streams.ts'
import { DatabaseClosedError } from '../contract/errors.ts'
import { type DirectReads, makeStreamClass, type PendingRead, type StreamClass } from './stream-class.ts'

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

let streamClass: StreamClass | undefined

class StreamSession<T> implements Endable, Receiver<T>, DirectReads<T> {
  readonly stream: ReadableStream<T>
  readonly #source: WatchSource<T>
  #controller!: ReadableStreamDefaultController<T>
  #forget: () => void = () => {}
  #leaveSignal: (() => void) | undefined
  #over = false
  /** Whether the source must report an item, and whether a reader has started since. */
  #isWaiting = false
  #isAsked = false
  /** Whether the stream may hold an item: one for a loop or a pipe, or one that came after its reader was released. */
  #mayHold = false
  /** The first read that waits, apart from the others: a reader rarely waits for several. */
  #read: PendingRead<T> | null = null
  #laterReads: PendingRead<T>[] | null = null
  onEnd: () => void = () => {}

  constructor(hub: WatchHub, source: WatchSource<T>, signal: AbortSignal | undefined) {
    this.#source = source
    streamClass ??= makeStreamClass()
    this.stream = new streamClass<T>(this, {
      start: (controller) => {
        this.#controller = controller
      },
      pull: () => this.#pull(),
      cancel: () => {
        this.#free()
        this.#endReads()
      },
    })
    if (hub.closed) {
      this.#over = true
      this.#controller.error(new DatabaseClosedError())
    } else if (signal?.aborted) {
      this.end()
    } else {
      this.#forget = hub.streams.add(this)
      if (signal !== undefined) this.#leaveSignal = endWith(signal, this)
    }
  }

  end(): void {
    if (this.#over) return
    this.#free()
    this.#controller.close()
    this.#endReads()
  }

  read(): Promise<ReadableStreamReadResult<T>> | undefined {
    if (this.#over || (this.#mayHold && this.#controller.desiredSize! < 0)) return undefined
    this.#mayHold = false
    return new Promise(this.#wait)
  }

  /** Makes the promise of a read. One function for all of them, because there may be thousands of readers. */
  readonly #wait = (answer: PendingRead<T>): void => {
    if (this.#read === null) this.#read = answer
    else if (this.#laterReads === null) this.#laterReads = [answer]
    else this.#laterReads.push(answer)
    this.#pull()
  }

  takeReads(): readonly PendingRead<T>[] {
    if (this.#read === null) return []
    const reads = this.#laterReads === null ? [this.#read] : [this.#read, ...this.#laterReads]
    this.#read = null
    this.#laterReads = null
    return reads
  }

  #endReads(): void {
    for (const answer of this.takeReads()) answer({ done: true, value: undefined })
    this.onEnd()
  }

  /** A stream without a reader is not read: what comes then waits for the next reader. */
  get isWanted(): boolean {
    return !this.#over && (this.#read !== null || this.stream.locked)
  }

  /** The stream calls this for each read, and does not wait for the result: there may be thousands of streams. */
  #pull(): void {
    this.#isAsked = this.#isWaiting
    if (this.#isWaiting) return
    this.#isWaiting = true
    this.#source.next(this)
  }

  give(item: T): void {
    this.#isWaiting = false
    if (this.#over) return
    const answer = this.#read
    if (answer === null) {
      this.#mayHold = true
      this.#controller.enqueue(item)
      return
    }
    this.#read = this.#laterReads?.shift() ?? null
    answer({ done: false, value: item })
    if (this.#read !== null) this.#pull()
  }

  fail(error: unknown): void {
    this.#isWaiting = false
    if (this.#over) return
    this.#free()
    this.#controller.error(error)
    for (const answer of this.takeReads()) answer(Promise.reject(error))
    this.onEnd()
  }

  letGo(): void {
    this.#isWaiting = false
    if (this.#isAsked && !this.#over) this.#pull()
  }

  #free(): void {
    this.#over = true
    this.#forget()
    this.#leaveSignal?.()
    this.#source.wake()
  }
}
