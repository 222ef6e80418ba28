import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface Served {
  readonly url: string
  close(): void
}

/** Serves a fetch handler on a port of this machine; by HTTP/2 without TLS, as Deno asks where the address begins with `http:`. */
export async function served(
  handler: (request: Request) => Promise<Response>,
  { http2 = false } = {},
): Promise<Served> {
  const listener = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const gone = new AbortController()
    outgoing.on('close', () => gone.abort())
    const headers = Object.entries(incoming.headers).filter(([name]) => !name.startsWith(':'))
    const request = new Request(`http://localhost${incoming.url}`, {
      method: incoming.method!,
      headers: Object.fromEntries(headers) as Record<string, string>,
      signal: gone.signal,
      ...(incoming.method === 'POST' && { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' }),
    })
    await answer(await handler(request), outgoing)
  }
  const server = http2 ? createHttp2Server(listener as never) : createServer(listener)
  server.listen(0)
  await once(server, 'listening')
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    close() {
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
    },
  }
}

async function answer({ status, headers, body }: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(status, Object.fromEntries(headers))
  if (body === null) return void outgoing.end()
  outgoing.flushHeaders()
  await pipeline(Readable.fromWeb(body as never), outgoing).catch(() => {})
}
