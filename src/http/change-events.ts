import { formatVersionstamp } from '../key/versionstamp.ts'
import { type FeedPosition, feedPosition } from '../watch/feed-position.ts'
import { eventText } from '../wire/event.ts'
import type { LiveChange } from '../wire/live.types.ts'
import type { EventSource } from './event-body.ts'
import { Refusal } from './refusal.ts'
import type { RowWriter } from './row-writer.ts'

/**
 * The changes of a stream. Each change of a commit is an event of its own, whose id is the commit before. A client that continues
 * from it gets the start of that commit again, and skips the keys that it has.
 */
export class ChangeEvents implements EventSource {
  readonly #reader: ReadableStreamDefaultReader<LiveChange>
  readonly #writer: RowWriter
  readonly #position: FeedPosition | undefined
  /** The versionstamp up to which everything has been sent. */
  #settled: string | undefined
  /** The versionstamp of the last change that was sent. */
  #last: string | undefined
  #hasBegun = false

  constructor(changes: ReadableStream<LiveChange>, writer: RowWriter, since: string | undefined) {
    this.#position = feedPosition(changes)
    this.#reader = changes.getReader()
    this.#writer = writer
    this.#settled = since
  }

  async next(): Promise<string | null> {
    if (!this.#hasBegun) {
      this.#hasBegun = true
      const start = await this.#start()
      if (start !== undefined) this.#settled ??= formatVersionstamp(start)
      return this.idle()
    }
    const { done, value } = await this.#reader.read()
    if (done) return null
    const { versionstamp } = value
    if (versionstamp !== this.#last) this.#settled = this.#last ?? this.#settled
    this.#last = versionstamp
    return eventText('change', this.#writer.write(value).text, this.#settled)
  }

  async #start(): Promise<number | undefined> {
    try {
      return await this.#position?.start
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      const detail =
        'The position to continue from belongs to another database, or to a later state of this one'
      throw new Refusal(410, { code: 'UNKNOWN_VERSION', detail })
    }
  }

  /** Sends the position to continue from, so that the log still has it after a long time without changes. */
  idle(): string {
    const settled = this.#position?.settled ?? null
    if (settled !== null) {
      this.#settled = formatVersionstamp(settled)
      this.#last = undefined
    }
    return this.#settled === undefined ? ':\n\n' : `id: ${this.#settled}\n\n`
  }

  end(): void {
    this.#reader.cancel().catch(() => {})
  }
}
