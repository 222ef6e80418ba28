import type { StreamEvent } from '../wire/event.ts'

/** The events of a stream of Server-Sent Events, including those that have only an id and no data. */
export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = new TextDecoder()
  /** The part of a line that has arrived. */
  #line: string[] = []
  #name = ''
  #data: string[] = []
  #id: string | undefined
  #events: StreamEvent[] = []
  #next = 0

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader()
  }

  /** The next event; null at the end. Calls `onChunk` before each wait for more data. */
  async next(onChunk: () => void): Promise<StreamEvent | null> {
    while (this.#next === this.#events.length) {
      this.#events = []
      this.#next = 0
      onChunk()
      const { done, value } = await this.#reader.read()
      if (done) return null
      this.#take(this.#decoder.decode(value, { stream: true }))
    }
    return this.#events[this.#next++]!
  }

  cancel(): void {
    this.#reader.cancel().catch(() => {})
  }

  #take(text: string): void {
    const [end, ...lines] = text.split('\n')
    this.#line.push(end!)
    for (const line of lines) {
      const whole = this.#line.join('')
      this.#takeLine(whole.endsWith('\r') ? whole.slice(0, -1) : whole)
      this.#line = [line]
    }
  }

  #takeLine(line: string): void {
    if (line === '') {
      this.#end()
      return
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') this.#name = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id') this.#id = value
  }

  #end(): void {
    if (this.#data.length > 0 || this.#id !== undefined)
      this.#events.push({
        name: this.#name as StreamEvent['name'],
        data: this.#data.join('\n'),
        id: this.#id,
      })
    this.#name = ''
    this.#data = []
    this.#id = undefined
  }
}
