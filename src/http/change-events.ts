import { formatVersionstamp, isVersionstamp, parseVersionstamp } from '../key/versionstamp.ts'
import { type FeedPosition, feedPosition, UnknownPositionError } from '../watch/feed-position.ts'
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
  readonly #isSent: (change: LiveChange) => boolean
  readonly #position: FeedPosition | undefined
  /** The versionstamp up to which everything has been sent, or was not to be. */
  #settled: string | undefined
  /** The versionstamp of the last change that was read. */
  #last: string | undefined
  #hasBegun = false

  constructor(
    changes: ReadableStream<LiveChange>,
    writer: RowWriter,
    since: string | undefined,
    isSent: (change: LiveChange) => boolean,
  ) {
    this.#position = feedPosition(changes)
    this.#reader = changes.getReader()
    this.#writer = writer
    this.#isSent = isSent
    this.#settled = since
  }

  async next(): Promise<string | null> {
    try {
      return this.#hasBegun ? await this.#next() : await this.#begin()
    } catch (error) {
      if (!(error instanceof UnknownPositionError)) throw error
      const detail =
        'The position to continue from belongs to another database, or to a later state of this one'
      throw new Refusal(410, { code: 'UNKNOWN_VERSION', detail })
    }
  }

  async #begin(): Promise<string> {
    this.#hasBegun = true
    const start = await this.#position?.start
    if (start !== undefined) this.#settled ??= formatVersionstamp(start)
    return this.idle()
  }

  async #next(): Promise<string | null> {
    while (true) {
      const { done, value } = await this.#reader.read()
      if (done) return null
      const { versionstamp } = value
      if (versionstamp !== this.#last) this.#settled = this.#last ?? this.#settled ?? before(versionstamp)
      this.#last = versionstamp
      if (this.#isSent(value)) return eventText('change', this.#writer.write(value).text, this.#settled)
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

/** Where a stream that does not know its position has begun, if this is the versionstamp of its first change. */
function before(versionstamp: string): string | undefined {
  const version = isVersionstamp(versionstamp) ? parseVersionstamp(versionstamp) : 0
  return version > 0 ? formatVersionstamp(version - 1) : undefined
}
