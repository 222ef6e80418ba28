import { request } from 'node:http'
import type { Studio } from '../../src/studio/server.ts'

/** An answer of a studio. */
export interface Answered {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly text: string
}

interface Asked {
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Default: the right one. */
  readonly token?: string | null
}

/** Asks a studio over HTTP, with whatever headers. */
export function askRaw({ url }: Pick<Studio, 'url'>, path: string, asked: Asked = {}): Promise<Answered> {
  const { port, hash } = new URL(url)
  const { method = 'POST', body = {}, headers = {}, token = hash.replace('#token=', '') } = asked
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers: {
          'content-type': 'application/json',
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...headers,
        },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
      },
    )
    sent.on('error', reject)
    sent.end(method === 'POST' ? (typeof body === 'string' ? body : JSON.stringify(body)) : undefined)
  })
}

/** What a studio answers as JSON. */
export async function ask(studio: Pick<Studio, 'url'>, path: string, body: unknown = {}) {
  const { status, text } = await askRaw(studio, `/api/${path}`, { body })
  return { status, ...JSON.parse(text) }
}
