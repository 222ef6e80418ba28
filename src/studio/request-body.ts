import type { IncomingMessage } from 'node:http'
import { parseJson } from '../value/parse-json.ts'
import { Refusal } from './refusal.ts'

/** By default, the largest value that a database accepts has 16 MiB, and JSON may write a byte as six. */
const mostBytes = 100 * 1024 * 1024

/** The JSON object in the body of a request. Throws a Refusal for anything else, and for a body that is too large. */
export async function requestBody(request: IncomingMessage): Promise<{ readonly [name: string]: unknown }> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    throw new Refusal(415, 'BODY', 'Send application/json')
  const tooLarge = () => new Refusal(413, 'BODY', `The body has more than ${mostBytes} bytes`)
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > mostBytes) throw tooLarge()
    chunks.push(chunk)
  }
  const body = parsed(Buffer.concat(chunks).toString('utf8'))
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Refusal(400, 'BODY', 'The body must be a JSON object')
  return body as { readonly [name: string]: unknown }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    throw new Refusal(400, 'BODY', 'The body is not JSON')
  }
}
