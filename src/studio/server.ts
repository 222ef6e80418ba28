import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { locateKept } from '../engines/engines.ts'
import { catalogAnswer, countsAnswer } from './catalog-answer.ts'
import { feedAnswer } from './feed-answer.ts'
import { checkPlace, checkToken, safeHeaders } from './guard.ts'
import { doctorAnswer, migrationsAnswer } from './health-answers.ts'
import { keysAnswer } from './key-answer.ts'
import { OpenedDatabase } from './opened-database.ts'
import { pageFile } from './page-files.ts'
import { ProcessFigures } from './process-figures.ts'
import { Refusal, refusalOf } from './refusal.ts'
import { requestBody } from './request-body.ts'
import { countAnswer, explainAnswer, getAnswer, rowsAnswer } from './row-answers.ts'
import { writeAnswer } from './write-answer.ts'

export interface StudioOptions {
  /** Default 0: a free port. */
  readonly port?: number
  /** Whether to refuse every write. */
  readonly readOnly?: boolean
}

/** A running studio. */
export interface Studio extends AsyncDisposable {
  /** Its URL, with the token: whoever knows it can read and write the database. */
  readonly url: string
}

type Answer = (
  opened: OpenedDatabase,
  body: { readonly [name: string]: unknown },
  signal: AbortSignal,
) => Promise<string | object>

const answers: { readonly [path: string]: Answer } = {
  '/api/catalog': catalogAnswer,
  '/api/counts': countsAnswer,
  '/api/rows': rowsAnswer,
  '/api/count': countAnswer,
  '/api/explain': explainAnswer,
  '/api/get': getAnswer,
  '/api/keys': keysAnswer,
  '/api/write': writeAnswer,
  '/api/stats': async (opened, _, signal) => (await opened.database()).stats({ signal }),
  '/api/doctor': doctorAnswer,
  '/api/migrations': migrationsAnswer,
}

/**
 * Serves the studio of a database to this machine: that of a file, or of an address of a server. Rejects with DatabaseOpenError if
 * there is no database.
 */
export async function openStudio(
  address: string,
  { port = 0, readOnly = false }: StudioOptions = {},
): Promise<Studio> {
  const opened = new OpenedDatabase(locateKept(address, 'studio'), readOnly)
  await opened.database()
  const figures = new ProcessFigures()
  const token = randomBytes(24).toString('base64url')
  const stop = new AbortController()
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => refuse(response, refusalOf(error)))
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    checkPlace(request, (server.address() as AddressInfo).port)
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
    if (!pathname.startsWith('/api/')) return servePage(request, response, pathname)
    checkToken(request, token)
    if (request.method !== 'POST') throw new Refusal(405, 'METHOD', 'Use POST')
    const body = await requestBody(request)
    const left = new AbortController()
    response.on('close', () => left.abort(new Refusal(499, 'LEFT', 'The page has gone')))
    const signal = AbortSignal.any([left.signal, stop.signal])
    if (pathname === '/api/feed') return feedAnswer(opened, figures, body, request, response, signal)
    const make = Object.hasOwn(answers, pathname) ? answers[pathname] : undefined
    if (make === undefined) throw new Refusal(404, 'NO_PATH', `There is no ${pathname}`)
    const made = await make(opened, body, signal)
    send(response, 200, 'application/json', typeof made === 'string' ? made : JSON.stringify(made))
  }

  const close = async () => {
    stop.abort(new Refusal(503, 'CLOSED', 'The studio has ended'))
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
    figures.end()
    await opened.close()
  }
  try {
    await new Promise<void>((done, fail) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE')
          error.message = `Port ${port} is in use: choose another one, or none for a free one`
        fail(error)
      })
      server.listen(port, '127.0.0.1', done)
    })
  } catch (error) {
    await close()
    throw error
  }
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/#token=${token}`
  return { url, [Symbol.asyncDispose]: close }
}

function servePage({ method }: IncomingMessage, response: ServerResponse, pathname: string): void {
  if (method !== 'GET' && method !== 'HEAD') throw new Refusal(405, 'METHOD', 'Use GET for pages')
  const found = pageFile(pathname)
  if (found === undefined) throw new Refusal(404, 'NO_PATH', 'There is no such page')
  send(response, 200, found.type, method === 'HEAD' ? '' : found.content)
}

function send(response: ServerResponse, status: number, type: string, content: string | Buffer): void {
  response.writeHead(status, {
    ...safeHeaders,
    'content-type': type,
    'content-length': Buffer.byteLength(content),
  })
  response.end(content)
}

function refuse(response: ServerResponse, { status, code, message, facts }: Refusal): void {
  if (response.headersSent) return void response.destroy()
  // The rest of an unread body.
  response.setHeader('connection', 'close')
  send(response, status, 'application/json', JSON.stringify({ error: { code, message, ...facts } }))
}
