import { inSlices } from '../time/give-way.ts'
import { deltaOf } from '../wire/delta.ts'
import { eventText } from '../wire/event.ts'
import type { EventSource } from './event-body.ts'
import { type RowWriter, tagOf, type WrittenRow } from './row-writer.ts'

/** A state, as it is sent. */
export interface WrittenResult {
  /** Two results have the same id only if they are equal. */
  readonly id: string
  readonly rows: readonly WrittenRow[]
  /** Whether it is a list of rows, or a single one. */
  readonly isList: boolean
}

export async function writeResult(writer: RowWriter, result: unknown): Promise<WrittenResult> {
  const isList = Array.isArray(result)
  const rows = await inSlices(isList ? result : [result], (row) => writer.write(row))
  const id = tagOf(`${isList ? 'rows' : 'row'} ${rows.map(({ tag }) => tag).join(' ')}`)
  return { id, rows, isList }
}

/** A whole result, as JSON. */
export function resultText({ rows, isList }: WrittenResult): string {
  return isList ? `{"rows":[${rows.map(({ text }) => text).join()}]}` : `{"row":${rows[0]!.text}}`
}

/** The states of a stream: the first one whole, unless the reader has it; then what differs from the one before. */
export class ResultEvents implements EventSource {
  readonly #reader: ReadableStreamDefaultReader<unknown>
  readonly #writer: RowWriter
  /** The id of the result that the reader has. */
  readonly #known: string | null
  #last: WrittenResult | null = null

  constructor(states: ReadableStream<unknown>, writer: RowWriter, known: string | null) {
    this.#reader = states.getReader()
    this.#writer = writer
    this.#known = known
  }

  async next(): Promise<string | null> {
    while (true) {
      const { done, value } = await this.#reader.read()
      if (done) return null
      const before = this.#last
      this.#last = await writeResult(this.#writer, value)
      if (before?.id !== this.#last.id) return this.#textOf(before, this.#last)
    }
  }

  #textOf(before: WrittenResult | null, result: WrittenResult): string {
    const { id } = result
    if (before === null && id === this.#known) return eventText('same', '{}', id)
    if (before?.isList !== true || !result.isList) return eventText('result', resultText(result), id)
    const tags = ({ rows }: WrittenResult) => rows.map(({ tag }) => tag)
    const steps = deltaOf(tags(before), tags(result)).map((step) =>
      typeof step === 'number' ? result.rows[step]!.text : `[${step}]`,
    )
    return eventText('delta', `[${steps.join()}]`, id)
  }

  idle(): string {
    return ':\n\n'
  }

  end(): void {
    this.#reader.cancel().catch(() => {})
  }
}
