import { Database } from './database.ts'
import { databasePath, memoryPath } from './database-path.ts'
import type { Verification, VerifyOptions } from './driver/verification.ts'
import { DatabaseOpenError } from './errors.ts'
import { checkOpenOptions, type OpenOptions } from './open-options.ts'
import { checkOptionNames, checkWholeNumber } from './option-names.ts'
import { collectionOf } from './schema/collection-of.ts'
import { formatOf, type Registry } from './schema/registry.ts'
import type { Definitions } from './schema/registry.types.ts'
import { Store } from './store/store.ts'

/** Opens a database with the schemas of a registry: where the engine, the store and its typed face are put together. */
export async function openDatabase<R extends Definitions>(
  registry: Registry,
  path: string | URL | undefined,
  options: OpenOptions = {},
): Promise<Database<R>> {
  // Now and not later, since the working directory may change meanwhile.
  const file = databasePath(path)
  const checked = checkOpenOptions(options)
  const format = formatOf(registry.definitions, checked.valueTypes, checked.errorStacks)
  assertRuntime(file)
  // Loaded now and not before: the engine's binary crashes a Node.js that is too old for it.
  const { openSqlite } = await import('./driver/sqlite/open.ts')
  const collections = registry.definitions.map(collectionOf)
  const { driver, catalog, plain } = await openSqlite(collections, { ...checked, path: file })
  const store = new Store(driver, catalog, registry, { ...checked, path: file, format })
  try {
    await store.start()
  } catch (error) {
    await store.close()
    throw error
  }
  return new Database<R>(store, plain, checked.destroyOnClose)
}

/** Reads all of a file and tells what is damaged in it. */
export async function verifyDatabase(path: string | URL, options: VerifyOptions = {}): Promise<Verification> {
  const file = databasePath(path)
  if (file === memoryPath) throw new TypeError("verify takes the path of a file, as './data.db'")
  checkOptionNames(options, ['signal', 'busyTimeout'], 'verify')
  checkWholeNumber(options.busyTimeout, 'busyTimeout', 0)
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw new TypeError('signal is an AbortSignal')
  }
  options.signal?.throwIfAborted()
  assertRuntime(file)
  const { verifySqlite } = await import('./driver/sqlite/verify.ts')
  return verifySqlite(file, options)
}

function assertRuntime(path: string): void {
  const { node } = process.versions
  const [major = 0, minor = 0] = node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return
  throw new DatabaseOpenError(
    path,
    `valkeyrie needs Node.js 22.18 or newer, and this is ${node}: upgrade Node.js`,
  )
}
