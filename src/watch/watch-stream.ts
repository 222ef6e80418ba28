import type {
  ReadableStreamGetReaderOptions,
  ReadableStreamReadResult,
  UnderlyingSource,
} from 'node:stream/web'
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

/** A read that waits for the next item. */
interface PendingRead<T> {
  resolve(result: ReadableStreamReadResult<T> | Promise<ReadableStreamReadResult<T>>): void
  reject(error: unknown): void
}

/** What makes a stream of a session. */
type StreamClass = new <T>(session: StreamSession<T>, source: UnderlyingSource<T>) => ReadableStream<T>

let streamClass: StreamClass | undefined

/** Made for the first stream: Node.js takes milliseconds to load its own, which a program may not need. */
function makeStreamClass(): StreamClass {
  class WatchReader<T> extends ReadableStreamDefaultReader<T> {
    readonly #session: StreamSession<T>
    #isReleased = false

    constructor(stream: ReadableStream<T>, session: StreamSession<T>) {
      super(stream)
      this.#session = session
    }

    override read(): Promise<ReadableStreamReadResult<T>> {
      return (this.#isReleased ? undefined : this.#session.read()) ?? super.read()
    }

    override releaseLock(): void {
      super.releaseLock()
      if (this.#isReleased) return
      this.#isReleased = true
      // A reader without a stream rejects its reads.
      for (const { resolve } of this.#session.takeReads()) resolve(super.read())
    }
  }

  /**
   * A stream whose readers get their items directly. Going through the queue of the stream takes twice as long, which matters with
   * a thousand readers of the same. Loops, pipes and tees read it like any other stream.
   */
  return class WatchStream<T> extends ReadableStream<T> {
    readonly #session: StreamSession<T>

    constructor(session: StreamSession<T>, source: UnderlyingSource<T>) {
      super(source, { highWaterMark: 0 })
      this.#session = session
    }

    // What it gives is what each overload of the stream promises.
    override getReader(options?: ReadableStreamGetReaderOptions): never {
      const isDefault = options?.mode === undefined
      return (
        isDefault ? new WatchReader<T>(this, this.#session) : super.getReader({ mode: 'byob' })
      ) as never
    }
  }
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
  #reads: PendingRead<T>[] = []

  constructor(hub: WatchHub, source: WatchSource<T>, signal: AbortSignal | undefined) {
    this.#source = source
    this.#signal = signal
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
      signal?.addEventListener('abort', this.#abort)
    }
  }

  end(): void {
    if (this.#over) return
    this.#free()
    this.#controller.close()
    this.#endReads()
  }

  /** A read that gets the next item directly; undefined if the stream itself answers, because it has an item or is over. */
  read(): Promise<ReadableStreamReadResult<T>> | undefined {
    if (this.#over || this.#controller.desiredSize! < 0) return undefined
    return new Promise((resolve, reject) => {
      this.#reads.push({ resolve, reject })
      this.#pull()
    })
  }

  /** Removes the reads that wait, and returns them. */
  takeReads(): readonly PendingRead<T>[] {
    const reads = this.#reads
    this.#reads = []
    return reads
  }

  #endReads(): void {
    for (const { resolve } of this.takeReads()) resolve({ done: true, value: undefined })
  }

  readonly #abort = (): void => this.end()

  /** A stream without a reader is not read: what comes then waits for the next reader. */
  get isWanted(): boolean {
    return !this.#over && (this.#reads.length > 0 || this.stream.locked)
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
    if (this.#over) return
    const read = this.#reads.shift()
    if (read === undefined) this.#controller.enqueue(item)
    else read.resolve({ done: false, value: item })
    if (this.#reads.length > 0) this.#pull()
  }

  fail(error: unknown): void {
    this.#isWaiting = false
    if (this.#over) return
    this.#free()
    this.#controller.error(error)
    for (const { reject } of this.takeReads()) reject(error)
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
