import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * A handler for servers of Node.js: `createServer`, `app.use` of Express, and the raw request and response of Fastify.
 *
 * ```ts
 * const http = createServer(nodeHandler(live))
 * http.listening // => false
 * ```
 */
export function nodeHandler(server: {
  readonly fetch: (request: Request) => Promise<Response>
}): (request: IncomingMessage, response: ServerResponse) => void {
  if (typeof server?.fetch !== 'function') throw new TypeError('nodeHandler takes the result of serveLive')
  return (request, response) => void answer(server.fetch, request, response)
}

/** How many milliseconds a client has to take the end of a response. */
const grace = 30_000

async function answer(
  fetch: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController()
  let isOver = false
  const leave = () => {
    isOver = true
    gone.abort()
  }
  outgoing.once('close', leave)
  // Writing to a destroyed response emits `error`, which would end the process, before it emits `close`.
  outgoing.on('error', leave)
  try {
    const { status, headers, body } = await fetch(requestOf(incoming, gone.signal))
    outgoing.writeHead(status, headersOf(headers))
    outgoing.flushHeaders()
    if (body !== null) await pour(body, outgoing, gone)
    if (!isOver) finish(outgoing)
  } catch {
    // The client is gone or does not read, or has not sent a valid request.
    if (outgoing.headersSent) outgoing.destroy()
    else if (!isOver) finish(outgoing.writeHead(400))
  } finally {
    outgoing.off('close', leave)
  }
}

/** Of the headers, only cookies may come several times. */
function headersOf(headers: Headers): Record<string, string | string[]> {
  const cookies = headers.getSetCookie()
  return { ...Object.fromEntries(headers), ...(cookies.length > 0 && { 'set-cookie': cookies }) }
}

/** Ends the response. Closes the connection if the client does not take it. */
function finish(outgoing: ServerResponse): void {
  outgoing.end()
  const dropping = setTimeout(() => outgoing.destroy(), grace).unref()
  outgoing.once('close', () => clearTimeout(dropping))
}

/** Reads no faster than the client does. */
async function pour(
  body: ReadableStream<Uint8Array>,
  outgoing: ServerResponse,
  gone: AbortController,
): Promise<void> {
  const { signal } = gone
  const reader = body.getReader()
  const leave = () => void reader.cancel().catch(() => {})
  signal.addEventListener('abort', leave)
  if (signal.aborted) leave()
  // The stream has failed, while the client may not be reading.
  reader.closed.catch(() => gone.abort())
  try {
    while (true) {
      const { done, value } = await reader.read()
      if (done || signal.aborted) return
      if (!outgoing.write(value)) await once(outgoing, 'drain', { signal })
    }
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}

/** A request for a live query has no body. Its host is what the client says; nothing here relies on it. */
function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = 'GET' } = incoming
  // Express removes the path of a mounted router from `url`.
  const { originalUrl = incoming.url } = incoming as { readonly originalUrl?: string }
  const headers = new Headers()
  // A request of HTTP/2 has no `headersDistinct`, and pseudo-headers among its headers.
  for (const [name, values] of Object.entries(incoming.headersDistinct ?? incoming.headers)) {
    if (!name.startsWith(':')) for (const value of [values ?? []].flat()) headers.append(name, value)
  }
  const host = incoming.headers[':authority'] || incoming.headers.host || 'localhost'
  // The rest of such a host would be the path.
  if (/[/\\?#]/.test(String(host))) throw new TypeError('Not a host')
  const isEncrypted = 'encrypted' in incoming.socket
  return new Request(`http${isEncrypted ? 's' : ''}://${host}${originalUrl ?? '/'}`, {
    method,
    headers,
    signal,
  })
}
