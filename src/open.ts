import { Database } from './database.ts'
import { databasePath, memoryPath } from './database-path.ts'
import type { PlainDrizzle } from './driver/sqlite/open.ts'
import type { Verification, VerifyOptions } from './driver/verification.ts'
import { DatabaseOpenError, StorageError } from './errors.ts'
import { checkInspectOptions, type InspectOptions } from './inspect-options.ts'
import { type CheckedOpenOptions, checkOpenOptions, type OpenOptions } from './open-options.ts'
import { checkOptionNames, checkWholeNumber } from './option-names.ts'
import { collectionOf } from './schema/collection-of.ts'
import type { KnownDefinition } from './schema/known-definitions.ts'
import { formatOf, Registry } from './schema/registry.ts'
import type { Definitions } from './schema/registry.types.ts'
import type { SchemaCode } from './store/schema-code.ts'
import { Store } from './store/store.ts'
import type { ValueFormat } from './value/value-format.ts'

/** A database that was opened by what it knows itself: a repository for each schema of its catalogue, of values of any type. */
export type InspectedDatabase = Database<readonly KnownDefinition[]>

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
  const { store, plain } = await openStore(registry, file, { ...checked, format })
  return new Database<R>(store, plain, checked.destroyOnClose)
}

/** Opens a file with the schemas that it knows by itself, and changes nothing of what it knows. */
export async function inspectDatabase(
  path: string | URL,
  options: InspectOptions = {},
): Promise<InspectedDatabase> {
  const { store, plain } = await inspectStore(path, options)
  return new Database<readonly KnownDefinition[]>(store, plain, false)
}

/** The store of a file, below its typed face, as `inspectDatabase` opens it. */
export async function inspectStore(path: string | URL, options: InspectOptions): Promise<OpenedStore> {
  const file = databasePath(path)
  if (file === memoryPath) throw new TypeError("inspect takes the path of a file, as './data.db'")
  const checked = checkInspectOptions(options)
  assertRuntime(file)
  // The validator of JSON Schema is only needed here.
  const [{ knownDefinitions }, { readFileCatalog }] = await Promise.all([
    import('./schema/known-definitions.ts'),
    import('./driver/sqlite/file-catalog.ts'),
  ])
  const { collections } = await readFileCatalog(file, !checked.readOnly, checked.busyTimeout)
  const registry = new Registry(knownDefinitions(collections))
  const format = formatOf([], checked.valueTypes, checked.errorStacks)
  return openStore(registry, file, { ...checked, format, asItIs: true })
}

export interface OpenedStore {
  readonly store: Store
  readonly plain: PlainDrizzle
}

async function openStore(
  registry: Registry,
  path: string,
  options: CheckedOpenOptions & {
    readonly format: ValueFormat
    readonly asItIs?: boolean
  },
): Promise<OpenedStore> {
  // Loaded now and not before: the engine's binary crashes a Node.js that is too old for it.
  const [{ openSqlite }, schemaCode] = await Promise.all([
    import('./driver/sqlite/open.ts'),
    registry.definitions.length === 0 ? null : loadSchemaCode(),
  ])
  const collections = registry.definitions.map(collectionOf)
  const { driver, catalog, plain } = await openSqlite(collections, { ...options, path })
  const store = new Store(driver, catalog, registry, { ...options, path, schemaCode })
  try {
    await store.start()
    return { store, plain }
  } catch (error) {
    await store.close()
    throw error instanceof StorageError ? new DatabaseOpenError(path, error.message, { cause: error }) : error
  }
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

async function loadSchemaCode(): Promise<SchemaCode> {
  return (await import('./schema-code.ts')).schemaCode
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
