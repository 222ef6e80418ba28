import { formatVersionstamp } from '../key/versionstamp.ts'
import { type FeedPosition, feedPosition } from '../watch/feed-position.ts'
import { eventText } from '../wire/event.ts'
import type { LiveChange } from '../wire/live.types.ts'
import type { EventSource } from './event-body.ts'
import { Refusal } from './refusal.ts'
import type { RowWriter } from './row-writer.ts'

/**
 * The changes of a stream. The changes of a commit are several events, so the id of each is the commit before: who goes on from there is
 * told again of what it has of that commit, and leaves it out by its key.
 */
export class ChangeEvents implements EventSource {
  readonly #reader: ReadableStreamDefaultReader<LiveChange>
  readonly #writer: RowWriter
  readonly #position: FeedPosition | undefined
  /** The versionstamp up to which everything has been told. */
  #settled: string | undefined
  /** That of the change that was told last. */
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

  /** Tells what to go on from, so that it stays one that the log has while nothing is told for long. */
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
