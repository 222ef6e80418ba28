import { signal } from '@preact/signals'
import { parseJson } from '../../../value/parse-json.ts'
import { jsonText } from '../value/wire.ts'

const storageName = 'valkeyrie-studio-token'

/** The server has answered with an error. */
export class ApiError extends Error {
  readonly code: string
  readonly facts: { readonly [name: string]: unknown }

  constructor(code: string, message: string, facts: ApiError['facts'] = {}) {
    super(message)
    this.code = code
    this.facts = facts
  }
}

/** Why the page cannot work at all: no token, no server, no file. Null if it can. */
export const trouble = signal<ApiError | null>(null)

/** The token from the URL, which is then removed from it: this tab keeps the token. */
const token = takeToken()

function takeToken(): string {
  const found = /^#token=([\w-]+)$/.exec(location.hash)?.[1]
  if (found === undefined) return sessionStorage.getItem(storageName) ?? ''
  sessionStorage.setItem(storageName, found)
  history.replaceState(null, '', '/#/')
  return found
}

/** Asks the server. Rejects with an ApiError. */
export async function ask<T>(path: string, body: object = {}, signal?: AbortSignal): Promise<T> {
  const response = await send(path, body, {}, signal)
  const answer = parseJson(await response.text()) as T
  if (trouble.value !== null && trouble.value.code !== 'TOKEN') trouble.value = null
  return answer
}

/** Like `ask`, for an answer that is read as it arrives. */
export async function send(
  path: string,
  body: object,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<Response> {
  let response: Response
  try {
    response = await fetch(`/api/${path}`, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: jsonText(body),
      cache: 'no-store',
      redirect: 'error',
      signal: signal ?? null,
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw told(
      new ApiError('NO_SERVER', 'The studio does not answer: it has ended, or the connection is lost'),
    )
  }
  if (response.ok) return response
  const { error } = await response
    .json()
    .catch(() => ({ error: { code: 'FAILURE', message: response.statusText } }))
  const { code, message, ...facts } = error
  throw told(new ApiError(code, message, facts))
}

function told(error: ApiError): ApiError {
  if (['NO_SERVER', 'TOKEN', 'FILE_GONE', 'DATABASE_OPEN'].includes(error.code)) trouble.value = error
  return error
}

/** The text of an error for the user. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
