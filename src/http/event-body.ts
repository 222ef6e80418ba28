import { eventText } from '../wire/event.ts'
import { Refusal } from './refusal.ts'

/** What the events of a stream are made of. */
export interface EventSource {
  /** Text of the next events; null at the end. It is called when the last of them are on their way, and not before. */
  next(): Promise<string | null>
  /** Text that tells a reader who waits that the stream is there. */
  idle(): string
  /** Lets go of what it reads. */
  end(): void
}

/** What a stream of events is made with. Times in milliseconds. */
export interface EventBodyOptions {
  readonly heartbeat: number
  readonly lifetime: number
  readonly signal: AbortSignal
  /** Called for a fault of the server's, which its client is not told. */
  readonly onError: (error: unknown) => void
  /** Called once, when it is over. */
  readonly onEnd: () => void
}

const encoder = new TextEncoder()
/** Of its length, how much sooner than the others' a stream may end: so that they do not all come back at once. */
const spread = 0.2

/** The body of a response with events. What the source has next is asked for when the body is read, so that a slow reader costs no memory. */
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

  /** Ends it, and has its reader ask again. */
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
    const known = Refusal.of(error)
    if (known === null) this.#options.onError(error)
    if (this.#isOver) return
    this.#give(eventText('problem', JSON.stringify((known ?? new Refusal(500)).problem)))
    this.#close()
  }

  /** Who has not read what there is knows that it is there. */
  #beat(): void {
    if ((this.#controller.desiredSize ?? -1) >= 0) this.#give(this.#source.idle())
  }

  #give(text: string): void {
    this.#controller.enqueue(encoder.encode(text))
  }

  #close(): void {
    this.#free()
    this.#controller.close()
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
