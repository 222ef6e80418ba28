import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Refusal } from './refusal.ts'

/** Headers of every response: it is not cached, loads nothing from elsewhere, runs no text as code or style, and cannot be framed. */
export const safeHeaders: OutgoingHttpHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/**
 * Throws a Refusal for a request that no page of this server makes: to another host name, even if it leads to this machine, or from
 * another page.
 */
export function checkPlace({ headers }: IncomingMessage, port: number): void {
  const host = headers.host ?? ''
  // Browsers leave out the port of HTTP.
  const place = host.includes(':') ? host : `${host}:80`
  if (place !== `127.0.0.1:${port}` && place !== `localhost:${port}`)
    throw new Refusal(403, 'HOST', 'This server answers only at the address that it has printed')
  const { origin, 'sec-fetch-site': site } = headers
  if (origin !== undefined && origin !== `http://${host}`)
    throw new Refusal(403, 'ORIGIN', 'This server answers only its own page')
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new Refusal(403, 'ORIGIN', 'This server answers only its own page')
}

/** Throws a Refusal for a request without the token. Takes the same time for every wrong token. */
export function checkToken({ headers }: IncomingMessage, token: string): void {
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? ''
  if (!timingSafeEqual(digest(given), digest(token)))
    throw new Refusal(
      401,
      'TOKEN',
      'The token is missing or wrong: open the address that the studio has printed',
    )
}

/** Digests have the same length, which `timingSafeEqual` requires. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
