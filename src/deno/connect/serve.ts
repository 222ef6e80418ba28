import { Buffer } from 'node:buffer'
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import { type Database, storeOf } from '../../api/database.ts'
import { checkOptionNames } from '../../arguments/option-names.ts'
import { DatabaseBusyError, DatabaseClosedError, ValidationError } from '../../contract/errors.ts'
import { emitErrorWarning } from '../../delivery/error-text.ts'
import type { Store } from '../../store/store.ts'
import { Backend } from '../backend.ts'
import { databaseOf, type Kv } from '../kv.ts'
import { atomicWrite, snapshotRead, watch } from './data-path.ts'
import { framed } from './framed.ts'

/** Options of `serve`. */
export interface ServeOptions {
  /** The access token: whoever has it can read and write everything. At least 16 characters that nobody can guess. */
  readonly token: string
}

/** A fetch handler, for any server that takes one. */
export type ServeHandler = (request: Request) => Promise<Response>

const shortestToken = 16
const newestVersion = 3
const oldestVersion = 2
/** How many milliseconds a client uses an endpoint before it asks again. */
const metadataLifetime = 60 * 60_000
/** Larger than any message of the protocol, which may write 800 KiB. */
const longestBody = 4 * 1024 * 1024

/** The response to a wrong request, with a text for the client. */
class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * Serves a database by KV Connect, the protocol of Deno KV: `Deno.openKv('https://…')` and `openKv` of `@deno/kv` connect to it with the
 * token. It returns a fetch handler, which takes requests to any path. It needs their whole URL, so a router must not cut off a prefix.
 *
 * ```ts
 * const handler = serve(await openKv('./data.db'), { token: process.env.DENO_KV_ACCESS_TOKEN! })
 * ```
 *
 * A client can read, write, watch and enqueue; it cannot listen to the queue. Throws a TypeError if this is not a
 * database, and a RangeError if the token is too short.
 */
export function serve(of: Kv | Database, options: ServeOptions): ServeHandler {
  const store = storeOf(databaseOf(of) ?? of)
  if (store === null)
    throw new TypeError("serve takes the result of openKv, or an open database: await openKv('./data.db')")
  checkOptionNames(options, ['token'], 'serve')
  const { token } = options
  if (typeof token !== 'string') throw new TypeError('The token of serve must be text')
  if (token.length < shortestToken)
    throw new RangeError(`The token of serve needs at least ${shortestToken} characters: make a random one`)
  const server = new Server(store, token)
  return (request) => server.answer(request)
}

class Server {
  readonly #backend: Backend
  readonly #token: string
  readonly #authorization: Buffer
  readonly #databaseId: string

  constructor(store: Store, token: string) {
    this.#backend = new Backend(store)
    this.#token = token
    this.#authorization = digest(`Bearer ${token}`)
    this.#databaseId = store.path === ':memory:' ? randomUUID() : uuidOf(store.path)
  }

  async answer(request: Request): Promise<Response> {
    try {
      return await this.#answer(request)
    } catch (error) {
      const { status, text } = failure(error)
      return new Response(text, { status, headers: { 'content-type': 'text/plain; charset=utf-8' } })
    }
  }

  async #answer(request: Request): Promise<Response> {
    if (request.method !== 'POST') throw new Refusal(405, 'KV Connect takes POST requests')
    const authorization = request.headers.get('authorization') ?? ''
    if (!timingSafeEqual(digest(authorization), this.#authorization))
      throw new Refusal(401, 'The access token is not valid')
    const { pathname } = new URL(request.url)
    const [, action] = /\/(snapshot_read|atomic_write|watch)$/.exec(pathname) ?? []
    if (action === undefined) return this.#metadata(pathname, await bodyOf(request))
    const id = request.headers.get('x-denokv-database-id')
    if (id !== this.#databaseId) throw new Refusal(400, 'This is another database: fetch its metadata again')
    const body = await bodyOf(request)
    if (action === 'watch') {
      const signal = request.signal
      const type = { 'content-type': 'application/octet-stream' }
      return new Response(framed(watch(this.#backend, body, signal)), { headers: type })
    }
    const answer = await (action === 'snapshot_read' ? snapshotRead : atomicWrite)(this.#backend, body)
    return new Response(answer as Uint8Array<ArrayBuffer>, {
      headers: { 'content-type': 'application/x-protobuf' },
    })
  }

  /** The endpoint for further requests, and the version of the protocol. */
  #metadata(pathname: string, body: Uint8Array): Response {
    const versions = supportedVersions(body)
    const version = Math.max(...versions.filter((one) => one >= oldestVersion && one <= newestVersion))
    if (!Number.isFinite(version))
      throw new Refusal(400, `The server speaks versions ${oldestVersion} to ${newestVersion} of KV Connect`)
    const metadata = {
      version,
      databaseId: this.#databaseId,
      endpoints: [{ url: `${pathname.replace(/\/+$/, '')}/v${version}`, consistency: 'strong' }],
      token: this.#token,
      expiresAt: new Date(Date.now() + metadataLifetime).toISOString(),
    }
    // @deno/kv only accepts exactly this type, and Response.json of Bun adds a charset.
    return new Response(JSON.stringify(metadata), { headers: { 'content-type': 'application/json' } })
  }
}

/** Without a body, a client has version 1 only. */
function supportedVersions(body: Uint8Array): number[] {
  if (body.length === 0) return [1]
  let asked: unknown
  try {
    asked = JSON.parse(Buffer.from(body).toString())
  } catch {
    throw new Refusal(400, 'The body is not JSON')
  }
  const versions = (asked as { supportedVersions?: unknown } | null)?.supportedVersions
  if (!Array.isArray(versions) || !versions.every(Number.isInteger))
    throw new Refusal(400, 'supportedVersions must be an array of numbers')
  return versions
}

async function bodyOf(request: Request): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of request.body ?? []) {
    length += part.length
    if (length > longestBody) throw new Refusal(413, `A body has at most ${longestBody} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** The client learns what it did wrong; after any other failure it may try again. */
function failure(error: unknown): { readonly status: number; readonly text: string } {
  if (error instanceof Refusal) return { status: error.status, text: error.message }
  if (error instanceof DatabaseBusyError || error instanceof DatabaseClosedError)
    return { status: 503, text: error.message }
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ValidationError)
    return { status: 400, text: error.message }
  emitErrorWarning(error, { type: 'ServeWarning', code: 'SERVE_REQUEST' })
  return { status: 500, text: 'The database has failed' }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** The same UUID for the same text, so that clients recognize a database after a restart. */
function uuidOf(text: string): string {
  const bytes = digest(text).subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
