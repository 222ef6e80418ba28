import { Worker } from 'node:worker_threads'
import type { BackupOptions } from '../../backup.ts'
import { moduleFor } from '../module/open-connection.ts'
import type { Connection, SqliteModule } from '../module/sqlite-module.ts'
import { passOverDamage } from '../rows/damaged-rows.ts'

/** The content of a copy, and what the engine finds wrong in it. */
export interface Copy {
  readonly problems: readonly string[]
  readonly bytes: number
  readonly rows: number
  /** The newest version; 0 if there is none. */
  readonly version: number
}

type Options = Pick<BackupOptions, 'onProgress' | 'signal'>
type Progress = readonly [done: number, total: number]

/**
 * Copies the state of a database at one moment, wherever it may be open, into a file that nobody else has open, and lets the engine
 * check it. `source`: its path, or a connection to one in memory, for which the moment is the end of the copy. Checking and syncing
 * cannot be split and may take long, so this runs on a thread of its own.
 */
export async function copyDatabase(
  source: string | Connection,
  target: string,
  options: Options,
): Promise<Copy> {
  const { signal, onProgress } = options
  signal?.throwIfAborted()
  if (typeof source === 'string') return onThread(source, target, options)
  await source.backup(target, {
    progress({ totalPages, remainingPages }) {
      signal?.throwIfAborted()
      const pageSize = source.pragma('page_size', { simple: true }) as number
      onProgress?.((totalPages - remainingPages) * pageSize, totalPages * pageSize)
      return pagesPerTurn
    },
  })
  return onThread(null, target, options)
}

/** How many pages to copy in memory at once: a few milliseconds. */
const pagesPerTurn = 512

/** Lets the engine check a database that nobody else has open, as after a copy. */
export function checkDatabase(path: string, signal: AbortSignal | undefined): Promise<Copy> {
  return onThread(null, path, { signal })
}

async function onThread(
  source: string | null,
  target: string,
  { onProgress, signal }: Options,
): Promise<Copy> {
  signal?.throwIfAborted()
  const module = moduleFor(source ?? target)
  let worker: Worker
  try {
    const { program: open, data } = module.onThread()
    const program = `const { parentPort, workerData } = require('node:worker_threads')
      const { data, source, target } = workerData
      ;(${copyAndCheck})((${open})(data), ${passOverDamage}, source, target, (done, total) => parentPort.postMessage([done, total]))
        .then((copy) => parentPort.postMessage(copy))`
    worker = new Worker(program, { eval: true, execArgv: [], workerData: { data, source, target } })
  } catch {
    // A thread cannot be started, for example in a bundle that includes the engine.
    return copyAndCheck(module.open, passOverDamage, source, target, (done, total) =>
      onProgress?.(done, total),
    )
  }
  const { promise, resolve, reject } = Promise.withResolvers<Copy>()
  worker.on('message', (message: Copy | Progress) => {
    if (!('length' in message)) return resolve(message)
    try {
      onProgress?.(...message)
    } catch (error) {
      reject(error)
    }
  })
  worker.once('error', reject).once('exit', () => reject(new Error('The thread of the copy has ended')))
  const abort = () => reject(signal!.reason)
  signal?.addEventListener('abort', abort)
  try {
    return await promise
  } finally {
    signal?.removeEventListener('abort', abort)
    await worker.terminate()
  }
}

/** Its text runs on another thread, so it can only use its arguments. */
async function copyAndCheck(
  open: SqliteModule['open'],
  passOver: typeof passOverDamage,
  source: string | null,
  target: string,
  tell: (done: number, total: number) => void,
): Promise<Copy> {
  const number = (connection: Connection, sql: string) => Number(connection.prepare(sql).pluck().get() ?? 0)
  const count = (connection: Connection, table: string, figure: string) => {
    const isThere = number(
      connection,
      `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '${table}'`,
    )
    return isThere === 0 ? 0 : number(connection, `SELECT ${figure} FROM ${table}`)
  }
  const stateOf = (connection: Connection) => ({
    version: count(connection, 'kv_log', 'max(version)'),
    bytes: number(connection, 'PRAGMA page_count') * number(connection, 'PRAGMA page_size'),
  })

  let state: ReturnType<typeof stateOf> | null = null
  if (source !== null) {
    const from = open(source, { readOnly: true })
    // One state from the first page to the last: otherwise each commit of others would restart the copy.
    from.exec('BEGIN')
    state = stateOf(from)
    const { bytes } = state
    await from.backup(target, {
      progress({ totalPages, remainingPages }) {
        tell(Math.round((bytes * (totalPages - remainingPages)) / totalPages), bytes)
        return 1_000
      },
    })
    from.close()
  }
  const copy = open(target, {})
  // Then it needs no other file, wherever it is opened.
  copy.pragma('journal_mode = DELETE')
  const check = (how: string) => copy.prepare<[], string>(`PRAGMA ${how}(10)`).pluck().all()
  const unlessFor = (code: string, how: string, otherwise: () => string[]) => {
    try {
      return check(how)
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== code) throw error
      return otherwise()
    }
  }
  const found = unlessFor('SQLITE_ERROR', 'integrity_check', () => {
    // The copy has a row whose fields cannot be read. A value that has changed under its index still counts as a problem.
    passOver(copy, open)
    // Then a text may be in the way: skip comparing the indexes.
    return unlessFor('SQLITE_MISMATCH', 'integrity_check', () => check('quick_check'))
  })
  const problems = found.filter((message) => message !== 'ok')
  const { version, bytes } = stateOf(copy)
  const rows = count(copy, 'kv', 'count(*)')
  copy.close()
  if (state !== null && (state.version !== version || state.bytes !== bytes))
    problems.push('it is incomplete')
  tell(bytes, bytes)
  return { problems, bytes, rows, version }
}
