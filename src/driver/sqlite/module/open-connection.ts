import { realpathSync } from 'node:fs'
import { DatabaseOpenError } from '../../../contract/errors.ts'
import { loadBetterSqlite3 } from './better-sqlite3.ts'
import type { Connection, ConnectionMode, ModuleName, SqliteModule } from './sqlite-module.ts'

/** The modules that this thread has loaded, first one first. */
const loaded: SqliteModule[] = []

/** The connections to files that were open when the last one was opened. */
let opened: readonly {
  readonly connection: Connection
  readonly file: string
  readonly module: SqliteModule
}[] = []

/**
 * Loads a module for SQLite; await it before opening the first connection. `asked`: which one. Left out: the one that the parent
 * thread has for this file, or that this thread loaded first; at first better-sqlite3, or node:sqlite if that cannot be loaded.
 * Rejects with a DatabaseOpenError that names the path.
 */
export async function loadModule(path: string, asked = inheritedFor(path)): Promise<void> {
  if (asked === undefined ? loaded.length > 0 : loaded.some(({ name }) => name === asked)) return
  const module = asked === undefined ? await loadAny(path) : await loadNamed(path, asked)
  if (!loaded.some(({ name }) => name === module.name)) loaded.push(module)
  if (asked !== undefined) passOn()
}

/** What a thread tells the threads that it starts, because all threads of a process share its locks. */
interface Inheritance {
  /** The module of files that are not named. */
  readonly usual: ModuleName
  /** The module of each file that was opened by another one. */
  readonly others: Readonly<Record<string, ModuleName>>
}

const threadsKey = 'valkeyrie.engine'

function passOn(): void {
  const { usual, others } = inherited() ?? { usual: loaded[0]!.name, others: {} }
  const own = opened
    .filter(({ module }) => module.name !== usual)
    .map(({ file, module }) => [file, module.name] as const)
  const inheritance: Inheritance = { usual, others: { ...others, ...Object.fromEntries(own) } }
  process.getBuiltinModule('node:worker_threads').setEnvironmentData(threadsKey, inheritance)
}

/** What the parent thread has passed on. */
function inherited(): Inheritance | undefined {
  // Only a worker lacks this call. Modules that say so by name would add milliseconds to each start.
  if (!('disabled' in process.chdir)) return undefined
  return process.getBuiltinModule('node:worker_threads').getEnvironmentData(threadsKey) as
    | Inheritance
    | undefined
}

function inheritedFor(path: string): ModuleName | undefined {
  const inheritance = inherited()
  if (inheritance === undefined) return undefined
  const file = realPath(path) ?? ''
  return Object.hasOwn(inheritance.others, file) ? inheritance.others[file] : inheritance.usual
}

/** The module that has a file open; otherwise the one that the parent thread has for it, or that was loaded first. */
export function moduleFor(path: string): SqliteModule {
  const name = inheritedFor(path)
  const module = moduleThatHas(path) ?? loaded.find((it) => it.name === name) ?? loaded[0]
  if (module === undefined) throw new Error('No SQLite module is loaded')
  return module
}

/**
 * Opens a connection to a file, or to a database in memory. Throws a DatabaseOpenError if this thread has the file open with
 * another module: each would release the locks of the other, because closing a file releases all locks that a process has on it.
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
  if (loaded.length > 1) passOn()
  return connection
}

function moduleThatHas(path: string): SqliteModule | undefined {
  // With one module, nothing can conflict.
  if (loaded.length < 2) return undefined
  const file = realPath(path)
  return opened.find((it) => it.file === file && it.connection.open)?.module
}

/** Undefined for anything but a file, such as a database in memory. */
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
    // The first connection loads its binary, which the platform may not have.
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
