import { realpathSync } from 'node:fs'
import { DatabaseOpenError } from '../../../contract/errors.ts'
import { loadBetterSqlite3 } from './better-sqlite3.ts'
import type { Connection, ConnectionMode, ModuleName, SqliteModule } from './sqlite-module.ts'

/** Those that this thread has loaded, the first one first. */
const loaded: SqliteModule[] = []

/** Connections to files that were open when the last one was opened. */
let opened: readonly {
  readonly connection: Connection
  readonly file: string
  readonly module: SqliteModule
}[] = []

/**
 * Loads what SQLite is reached through. To be awaited before the first connection is opened. `asked`: which one; left out, the one that
 * this thread has loaded first, and for the first time better-sqlite3, or node:sqlite where it cannot be had. Rejects with a
 * DatabaseOpenError that names the path.
 */
export async function loadModule(path: string, asked = inherited()): Promise<void> {
  if (asked === undefined ? loaded.length > 0 : loaded.some(({ name }) => name === asked)) return
  const module = asked === undefined ? await loadAny(path) : await loadNamed(path, asked)
  if (asked !== undefined)
    process.getBuiltinModule('node:worker_threads').setEnvironmentData(threadsKey, asked)
  if (!loaded.some(({ name }) => name === module.name)) loaded.push(module)
}

/** What the threads of a process tell those that they begin: which module was asked for, since their locks are those of one process. */
const threadsKey = 'valkeyrie.engine'

/** What the thread was asked for that has begun this one. */
function inherited(): ModuleName | undefined {
  // Only a worker lacks this call. What says so by a name of its own would take each start milliseconds to load.
  if (loaded.length > 0 || !('disabled' in process.chdir)) return undefined
  return process.getBuiltinModule('node:worker_threads').getEnvironmentData(threadsKey) as
    | ModuleName
    | undefined
}

/** The module that has a file open, or else the one that is loaded first. */
export function moduleFor(path: string): SqliteModule {
  const module = moduleThatHas(path) ?? loaded[0]
  if (module === undefined) throw new Error('No SQLite module is loaded')
  return module
}

/**
 * Opens a connection to a file, or to a database in memory. Throws a DatabaseOpenError if this thread has the file open by another
 * module: each would undo the locks of the other, since the system lets go of all locks that a process has on a file where it closes it.
 */
export function openConnection(
  path: string,
  { engine, ...mode }: ConnectionMode & { readonly engine?: ModuleName | undefined } = {},
): Connection {
  const module = engine === undefined ? moduleFor(path) : loaded.find(({ name }) => name === engine)!
  const other = moduleThatHas(path)
  if (other !== undefined && other !== module)
    throw new DatabaseOpenError(
      path,
      `this process has it open with ${other.name}: use that too, or close it first`,
    )
  const connection = module.open(path, mode)
  const file = realPath(path)
  if (file !== undefined)
    opened = [...opened.filter((it) => it.connection.open), { connection, file, module }]
  return connection
}

function moduleThatHas(path: string): SqliteModule | undefined {
  // Of one module there is nothing to be told apart.
  if (loaded.length < 2) return undefined
  const file = realPath(path)
  return opened.find((it) => it.file === file && it.connection.open)?.module
}

/** Undefined for what is not a file, as one in memory. */
function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

async function loadAny(path: string): Promise<SqliteModule> {
  try {
    const module = await loadBetterSqlite3()
    // It has its binary loaded by the first connection, which the platform may lack.
    module.open(':memory:', { create: true }).close()
    return module
  } catch (error) {
    const { loadNodeSqlite } = await import('./node-sqlite.ts')
    const module = loadNodeSqlite()
    if (module !== null) return module
    throw new DatabaseOpenError(path, 'better-sqlite3 cannot be loaded: run "npm install better-sqlite3"', {
      cause: error,
    })
  }
}

async function loadNamed(path: string, name: ModuleName): Promise<SqliteModule> {
  if (name === 'node:sqlite') {
    const { loadNodeSqlite } = await import('./node-sqlite.ts')
    const module = loadNodeSqlite()
    if (module !== null) return module
    throw new DatabaseOpenError(
      path,
      'this runtime has no node:sqlite, or one that cuts texts off at U+0000: leave out engine, and install better-sqlite3',
    )
  }
  try {
    return await loadBetterSqlite3()
  } catch (error) {
    const reason = `better-sqlite3 cannot be loaded: run "npm install better-sqlite3", or open it with engine: 'node:sqlite'`
    throw new DatabaseOpenError(path, reason, { cause: error })
  }
}
