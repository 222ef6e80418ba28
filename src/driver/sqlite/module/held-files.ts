import { subscribe } from 'node:diagnostics_channel'
import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { longestTimer } from '../../../time/longest-timer.ts'
import type { Connection, ModuleName } from './sqlite-module.ts'

/** A file that this thread has open, or is about to open. */
interface HeldFile {
  readonly module: ModuleName
  /** Whether no other thread holds it for another module. */
  readonly isFree: Promise<boolean>
  readonly released: Promise<void>
  readonly release: () => void
  users: number
}

/** A database that is not a file. */
const memory = ':memory:'

/** By real paths. */
const held = new Map<string, HeldFile>()

/** Whether no other thread can have a file open; found out at the first file. */
let isAlone: boolean | undefined

export function filesHeldHere(): readonly (readonly [file: string, module: ModuleName])[] {
  return [...held].map(([file, { module }]) => [file, module])
}

/** The module by which this thread has the file open, or is about to. */
export function moduleHeldHere(path: string): ModuleName | undefined {
  return held.size === 0 ? undefined : held.get(realPath(path))?.module
}

/**
 * Holds a file for a module. Returns how to let it go; `null` if a thread of this process holds it for the other module. Node.js
 * before 24.5, Bun and Deno have no locks between threads: there, it only asks this one.
 */
export async function holdFile(path: string, module: ModuleName): Promise<(() => void) | null> {
  if (path === memory) return () => {}
  const file = realPath(path)
  const here = held.get(file) ?? hold(file, module)
  if (here.module !== module) return null
  const letGo = use(file, here)
  if (await here.isFree) return letGo
  letGo()
  return null
}

/** Holds the file of a connection until it is closed. */
export function holdWhileOpen(path: string, connection: Connection, module: ModuleName): void {
  if (path === memory) return
  const file = realPath(path)
  const letGo = use(file, held.get(file) ?? hold(file, module))
  const close = connection.close
  connection.close = () => {
    close.call(connection)
    letGo()
  }
}

export function otherModule(module: ModuleName): ModuleName {
  return module === 'node:sqlite' ? 'better-sqlite3' : 'node:sqlite'
}

/** The path of a file after symbolic links; of a new file, after those of its folder. */
export function realPath(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    const folder = dirname(path)
    return folder === path ? path : join(realPath(folder), basename(path))
  }
}

/** Whether this is a worker thread. Asking `node:worker_threads` would add milliseconds to each start. */
export function isWorker(): boolean {
  // Only a worker lacks this call.
  return 'disabled' in process.chdir
}

function hold(file: string, module: ModuleName): HeldFile {
  isAlone ??= awaitThreads()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  if (!isAlone) show(file, module, released)
  const isFree = isAlone ? Promise.resolve(true) : isFreeOf(otherModule(module), file)
  const here = { module, isFree, released, release, users: 0 }
  held.set(file, here)
  return here
}

/** Returns how to end the use; the last one releases the file. */
function use(file: string, here: HeldFile): () => void {
  let isUsed = true
  here.users += 1
  return () => {
    if (!isUsed) return
    isUsed = false
    here.users -= 1
    if (here.users > 0) return
    held.delete(file)
    here.release()
  }
}

/** Other threads see it from now on, even while this one is busy. */
function show(file: string, module: ModuleName, released: Promise<void>): void {
  locks()?.request(lockName(file, module), { mode: 'shared' }, () => released)
}

async function isFreeOf(module: ModuleName, file: string): Promise<boolean> {
  // One thread at a time, because one that asks would look like one that holds.
  const isFree = locks()?.request(lockName(file, 'asks'), async () =>
    locks()!.request(lockName(file, module), { ifAvailable: true }, (lock) => lock !== null),
  )
  if (isFree === undefined) return true
  // A thread that only waits for a lock would end.
  const alive = setInterval(() => {}, longestTimer)
  try {
    return await isFree
  } finally {
    clearInterval(alive)
  }
}

/** Returns whether this is the only thread. If so, shows what it holds to the first one that it starts. */
function awaitThreads(): boolean {
  const { moduleLoadList } = process as { moduleLoadList?: readonly string[] }
  if (isWorker() || moduleLoadList?.includes('NativeModule worker_threads') !== false) return false
  subscribe('worker_threads', () => {
    if (isAlone) for (const [file, { module, released }] of held) show(file, module, released)
    isAlone = false
  })
  return true
}

type LockManager = typeof import('node:worker_threads')['locks']

function locks(): LockManager | undefined {
  return (process.getBuiltinModule('node:worker_threads') as { locks?: LockManager }).locks
}

/** The name of the lock that the threads of a process take for a file: `by` is a module, or `asks`. */
export function lockName(file: string, by: string): string {
  return `valkeyrie ${by} ${file}`
}
