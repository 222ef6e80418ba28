import { DatabaseOpenError } from '../../../contract/errors.ts'
import { loadBetterSqlite3 } from './better-sqlite3.ts'
import {
  filesHeldHere,
  holdFile,
  holdWhileOpen,
  isWorker,
  moduleHeldHere,
  otherModule,
  realPath,
} from './held-files.ts'
import type { Connection, ConnectionMode, ModuleName, SqliteModule } from './sqlite-module.ts'

/** The modules that this thread has loaded, first one first. */
const loaded: SqliteModule[] = []

/**
 * Works on a file, with a module for it: one that another one has the file open by is not used. `asked`: which one. Left out: the
 * one that this process has the file open by, or that the parent thread has for it, or that this thread loaded first; at first
 * better-sqlite3, or node:sqlite if that cannot be loaded. Rejects with a DatabaseOpenError that names the path.
 */
export async function withModule<T>(
  path: string,
  work: () => T | Promise<T>,
  asked?: ModuleName,
): Promise<T> {
  const letGo = await holdWithModule(path, asked)
  try {
    return await work()
  } finally {
    letGo()
  }
}

/** Like `withModule`, until the returned function is called. */
export async function holdWithModule(path: string, asked?: ModuleName): Promise<() => void> {
  const name = await load(path, asked ?? moduleHeldHere(path) ?? inheritedFor(path))
  if (asked !== undefined) passOn()
  const letGo = await holdFile(path, name)
  if (letGo !== null) return letGo
  const other = otherModule(name)
  const letGoOfOther = asked === undefined ? await holdFile(path, await load(path, other)) : null
  if (letGoOfOther === null) throw openByOther(path, other)
  return letGoOfOther
}

async function load(path: string, asked: ModuleName | undefined): Promise<ModuleName> {
  const known = asked === undefined ? loaded[0] : loaded.find(({ name }) => name === asked)
  if (known !== undefined) return known.name
  const module = asked === undefined ? await loadAny(path) : await loadNamed(path, asked)
  if (!loaded.some(({ name }) => name === module.name)) loaded.push(module)
  return module.name
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
  const own = filesHeldHere().filter(([, name]) => name !== usual)
  const inheritance: Inheritance = { usual, others: { ...others, ...Object.fromEntries(own) } }
  process.getBuiltinModule('node:worker_threads').setEnvironmentData(threadsKey, inheritance)
}

/** What the parent thread has passed on. */
function inherited(): Inheritance | undefined {
  if (!isWorker()) return undefined
  return process.getBuiltinModule('node:worker_threads').getEnvironmentData(threadsKey) as
    | Inheritance
    | undefined
}

function inheritedFor(path: string): ModuleName | undefined {
  const inheritance = inherited()
  if (inheritance === undefined) return undefined
  const file = realPath(path)
  return Object.hasOwn(inheritance.others, file) ? inheritance.others[file] : inheritance.usual
}

/** The module that has a file open; otherwise the one that the parent thread has for it, or that was loaded first. */
export function moduleFor(path: string): SqliteModule {
  const name = moduleHeldHere(path) ?? inheritedFor(path)
  const module = loaded.find((it) => it.name === name) ?? loaded[0]
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
  const other = moduleHeldHere(path)
  if (other !== undefined && other !== module.name) throw openByOther(path, other)
  const connection = module.open(path, mode)
  holdWhileOpen(path, connection, module.name)
  if (loaded.length > 1) passOn()
  return connection
}

function openByOther(path: string, other: ModuleName): DatabaseOpenError {
  return new DatabaseOpenError(
    path,
    `this process has it open with ${other}: use that too, or close it first`,
  )
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
