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

async function answer(
  fetch: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController()
  const leave = () => gone.abort()
  outgoing.once('close', leave)
  // Writing to a destroyed response emits `error`, which would end the process, before it emits `close`.
  outgoing.on('error', leave)
  try {
    const { status, headers, body } = await fetch(requestOf(incoming, gone.signal))
    outgoing.writeHead(status, Object.fromEntries(headers))
    outgoing.flushHeaders()
    if (body !== null) await pour(body, outgoing, gone.signal)
    outgoing.end()
  } catch {
    // The client is gone, or has sent a malformed request.
    if (!outgoing.headersSent) outgoing.writeHead(400)
    outgoing.end()
  } finally {
    outgoing.off('close', leave)
  }
}

/** Reads no faster than the client does. */
async function pour(
  body: ReadableStream<Uint8Array>,
  outgoing: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const reader = body.getReader()
  const leave = () => void reader.cancel().catch(() => {})
  gone.addEventListener('abort', leave)
  if (gone.aborted) leave()
  try {
    while (true) {
      const { done, value } = await reader.read()
      if (done || gone.aborted) return
      if (!outgoing.write(value)) await once(outgoing, 'drain', { signal: gone })
    }
  } finally {
    gone.removeEventListener('abort', leave)
    leave()
  }
}

/** A request for a live query has no body. Its host is what the client says; nothing here relies on it. */
function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = 'GET', headersDistinct } = incoming
  // Express removes the path of a mounted router from `url`.
  const { originalUrl = incoming.url } = incoming as { readonly originalUrl?: string }
  const headers = new Headers()
  for (const [name, values] of Object.entries(headersDistinct)) {
    if (!name.startsWith(':')) for (const value of values ?? []) headers.append(name, value)
  }
  const host = incoming.headers.host ?? 'localhost'
  const isEncrypted = 'encrypted' in incoming.socket
  return new Request(`http${isEncrypted ? 's' : ''}://${host}${originalUrl ?? '/'}`, {
    method,
    headers,
    signal,
  })
}
