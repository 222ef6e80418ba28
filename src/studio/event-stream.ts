import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { safeHeaders } from './guard.ts'

/** Server-sent events as a response. */
export class EventStream {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
    response.writeHead(200, { ...safeHeaders, 'content-type': 'text/event-stream; charset=utf-8' })
  }

  /** Sends one event; `id`: where a reader continues that has lost the connection. */
  send(event: string, id: string, data: object): Promise<void> {
    return this.sendText(event, id, JSON.stringify(data))
  }

  /** Like `send`, for JSON without line breaks. Resolves when a slow reader has room again, or is gone. */
  async sendText(event: string, id: string, data: string): Promise<void> {
    const response = this.#response
    if (response.destroyed || response.writableEnded) return
    if (response.write(`event: ${event}\nid: ${id}\ndata: ${data}\n\n`)) return
    const over = new AbortController()
    const { signal } = over
    // Whichever loses the race leaves no listener behind.
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })])
    over.abort()
  }
}
