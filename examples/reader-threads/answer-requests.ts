import { on } from 'node:events'
import { parentPort } from 'node:worker_threads'
import { type Answer, end, type Request } from './message.ts'

/** What can be asked for, by name: functions of a database and of what else the request gives. */
export type Reports<Db> = Readonly<Record<string, (db: Db, ...args: never[]) => Promise<unknown>>>

/** The work of a reader thread: answers one request after the other, until it is asked to end. */
export async function answerRequests<Db>(db: Db, reports: Reports<Db>): Promise<void> {
  const port = parentPort
  if (port === null) throw new Error('This program is the work of a thread: start it by a ReaderPool')
  for await (const [request] of on(port, 'message')) {
    // With the loop its listener ends, and without one the port does not keep the thread alive.
    if (request === end) return
    const answer = await answerTo(db, reports, request as Request)
    try {
      port.postMessage(answer)
    } catch (error) {
      port.postMessage(failure(error))
    }
  }
}

async function answerTo<Db>(db: Db, reports: Reports<Db>, { name, args }: Request): Promise<Answer> {
  try {
    const report = Object.hasOwn(reports, name) ? reports[name] : undefined
    if (report === undefined) throw new TypeError(`There is no report '${name}'`)
    return { ok: true, value: await report(db, ...(args as never[])) }
  } catch (error) {
    return failure(error)
  }
}

function failure(error: unknown): Answer {
  const { code } = error as { readonly code?: unknown }
  return { ok: false, error: { message: String(error), code: typeof code === 'string' ? code : undefined } }
}
