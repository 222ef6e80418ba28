import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'

/** What a file holds, and what the engine finds wrong in it. */
export interface Examination {
  readonly problems: readonly string[]
  readonly pages: number
  readonly bytes: number
  readonly rows: number
  /** The newest one; 0 where there is none. */
  readonly version: number
}

/**
 * Has the engine check a file that nobody else has open, and makes it one that needs nothing beside it. That is one call for as long as
 * it takes to read the file: so it runs on a thread of its own.
 */
export async function examine(path: string, signal?: AbortSignal): Promise<Examination> {
  signal?.throwIfAborted()
  try {
    return await onThread(path, signal)
  } catch {
    signal?.throwIfAborted()
    // No thread can be had, as in a bundle that has swallowed the engine; or what it has found, this call finds too.
    return examination(Database, path)
  }
}

async function onThread(path: string, signal: AbortSignal | undefined): Promise<Examination> {
  const engine = createRequire(import.meta.url).resolve('better-sqlite3')
  const program = `const { parentPort, workerData } = require('node:worker_threads')
    parentPort.postMessage((${examination})(require(workerData.engine), workerData.path))`
  const worker = new Worker(program, { eval: true, workerData: { engine, path } })
  const { promise, resolve, reject } = Promise.withResolvers<Examination>()
  worker.once('message', resolve).once('error', reject)
  worker.once('exit', () => reject(new Error('The thread has ended')))
  const abort = () => reject(signal!.reason)
  signal?.addEventListener('abort', abort)
  try {
    return await promise
  } finally {
    signal?.removeEventListener('abort', abort)
    await worker.terminate()
  }
}

/** Its text runs on another thread: it knows nothing but its arguments. */
function examination(Engine: typeof Database, path: string): Examination {
  const connection = new Engine(path, { fileMustExist: true })
  const number = (sql: string) => Number(connection.prepare(sql).pluck().get() ?? 0)
  const has = (table: string) =>
    number(`SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '${table}'`) > 0
  try {
    connection.pragma('journal_mode = DELETE')
    const found = connection.pragma('integrity_check(10)') as { readonly integrity_check: string }[]
    const pages = connection.pragma('page_count', { simple: true }) as number
    return {
      problems: found.map((it) => it.integrity_check).filter((message) => message !== 'ok'),
      pages,
      bytes: pages * (connection.pragma('page_size', { simple: true }) as number),
      rows: has('kv') ? number('SELECT count(*) FROM kv') : 0,
      version: has('kv_log') ? number('SELECT max(version) FROM kv_log') : 0,
    }
  } finally {
    connection.close()
  }
}
