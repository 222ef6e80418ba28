import { isVersionstamp } from '../key/versionstamp.ts'
import type { LiveDeclaration, LiveDeclarations } from '../wire/live.types.ts'
import { Refusal } from './refusal.ts'
import { requestParams } from './request-params.ts'

/** A request, with its parameters checked. */
interface Asked {
  readonly name: string
  readonly declaration: LiveDeclaration
  readonly isStream: boolean
  readonly since: string | undefined
  readonly params: unknown
}

/** What a request asks for, or why it is refused: only an authorized client may learn the reason. */
export async function askedOf(request: Request, declarations: LiveDeclarations): Promise<Asked | Refusal> {
  try {
    return await read(request, declarations)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

async function read(request: Request, declarations: LiveDeclarations): Promise<Asked> {
  const url = new URL(request.url)
  const name = nameIn(url)
  if (!Object.hasOwn(declarations, name)) throw new Refusal(404)
  const declaration = declarations[name]!
  const isStream = wantsStream(request)
  if (!isStream && declaration.kind === 'changes')
    throw new Refusal(406, { detail: 'Changes come only as text/event-stream' })
  const since = sinceOf(request, url)
  if (declaration.kind === 'changes' && since !== undefined && !isVersionstamp(since))
    throw new Refusal(400, { detail: 'The position to continue from is not a versionstamp' })
  return { name, declaration, isStream, since, params: await requestParams(url, declaration.params) }
}

function nameIn(url: URL): string {
  const last = url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
  try {
    return decodeURIComponent(last)
  } catch {
    throw new Refusal(404)
  }
}

/** A stream, unless the request accepts JSON and no stream. */
function wantsStream(request: Request): boolean {
  const accept = request.headers.get('accept') ?? ''
  return !accept.includes('application/json') || accept.includes('text/event-stream')
}

/** Where a reader continues: the id of the result that it has, or the versionstamp up to which it has the changes. */
function sinceOf(request: Request, url: URL): string | undefined {
  return request.headers.get('last-event-id') ?? url.searchParams.get('since') ?? undefined
}
