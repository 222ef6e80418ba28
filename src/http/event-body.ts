import { eventText } from '../wire/event.ts'
import { Refusal } from './refusal.ts'

/** The source of a stream's events. */
export interface EventSource {
  /** The text of the next events; null at the end. Called only once the previous ones are on their way. */
  next(): Promise<string | null>
  /** A text that shows a waiting reader that the stream is alive. */
  idle(): string
  /** Releases what it reads. */
  end(): void
}

/** Times are in milliseconds. */
export interface EventBodyOptions {
  readonly heartbeat: number
  readonly lifetime: number
  readonly signal: AbortSignal
  /** Called for a fault of the server, which the client does not see. Must not throw. */
  readonly onError: (error: unknown) => void
  /** Called once, when the stream is over. */
  readonly onEnd: () => void
}

const encoder = new TextEncoder()
/** A stream may end sooner than its lifetime, by up to this share of it, so that clients do not all come back at once. */
const spread = 0.2
/** How many milliseconds a reader has to read the rest of a stream that has ended. */
const grace = 5_000

/**
 * The body of a response with events. It asks the source for the next events only when the body is read, so a slow reader costs no
 * memory.
 */
export class EventBody {
  readonly stream: ReadableStream<Uint8Array>
  readonly #source: EventSource
  readonly #options: EventBodyOptions
  readonly #beating: NodeJS.Timeout | undefined
  readonly #ending: NodeJS.Timeout | undefined
  #controller!: ReadableStreamDefaultController<Uint8Array>
  #isOver = false

  constructor(source: EventSource, options: EventBodyOptions) {
    this.#source = source
    this.#options = options
    const { heartbeat, lifetime, signal } = options
    this.stream = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller
          this.#give(eventText('open', JSON.stringify({ heartbeat })))
        },
        pull: () => this.#pull(),
        cancel: () => this.#free(),
      },
      { highWaterMark: 0 },
    )
    if (heartbeat > 0) this.#beating = setInterval(() => this.#beat(), heartbeat).unref()
    if (lifetime > 0)
      this.#ending = setTimeout(() => this.renew(), lifetime * (1 - spread * Math.random())).unref()
    signal.addEventListener('abort', this.#abort)
  }

  /** Ends the stream, and makes its reader ask again. */
  renew(): void {
    if (this.#isOver) return
    this.#give(eventText('renew', '{}'))
    this.#close()
  }

  readonly #abort = (): void => {
    if (!this.#isOver) this.#close()
  }

  async #pull(): Promise<void> {
    try {
      const text = await this.#source.next()
      if (this.#isOver) return
      if (text === null) this.#close()
      else this.#give(text)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    const refusal = Refusal.ofQuery(error)
    if (!this.#isOver) {
      this.#give(eventText('problem', JSON.stringify(refusal.problem)))
      this.#close()
    }
    if ('cause' in refusal) this.#options.onError(refusal.cause)
  }

  /** No heartbeat while unread data waits: it shows that the stream is alive. */
  #beat(): void {
    if ((this.#controller.desiredSize ?? -1) >= 0) this.#give(this.#source.idle())
  }

  #give(text: string): void {
    this.#controller.enqueue(encoder.encode(text))
  }

  #close(): void {
    this.#free()
    const controller = this.#controller
    controller.close()
    // A reader that does not read would keep its connection forever.
    if ((controller.desiredSize ?? 0) < 0)
      setTimeout(() => controller.error(new Error('The client does not read its events')), grace).unref()
  }

  #free(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearInterval(this.#beating)
    clearTimeout(this.#ending)
    this.#options.signal.removeEventListener('abort', this.#abort)
    this.#source.end()
    this.#options.onEnd()
  }
}
