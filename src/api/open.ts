import { checkSignal } from '../arguments/call-options.ts'
import { checkOptionNames } from '../arguments/option-names.ts'
import { checkWholeNumber } from '../arguments/option-values.ts'
import { collectionOf } from '../catalog/collection-of.ts'
import type { KnownDefinition } from '../catalog/known-definitions.ts'
import { DatabaseOpenError, StorageError } from '../contract/errors.ts'
import type { PlainDrizzle } from '../driver/engine.ts'
import type { Verification, VerifyOptions } from '../driver/verification.ts'
import {
  type EngineName,
  type EngineOptions,
  type Engines,
  type Located,
  locate,
  locateKept,
} from '../engines/engines.ts'
import { formatOf, Registry } from '../schema/registry.ts'
import type { Definitions } from '../schema/registry.types.ts'
import type { SchemaCode } from '../store/row-store.ts'
import { Store } from '../store/store.ts'
import { pacedOutcome } from '../time/give-way.ts'
import type { ValueFormat } from '../value/value-format.ts'
import { Database } from './database.ts'
import { checkInspectOptions, type InspectOptions } from './inspect-options.ts'
import { type CheckedOpenOptions, checkOpenOptions, type OpenOptions } from './open-options.ts'

/** A database opened by its catalogue: it has a repository for each schema in it, with values of any type. */
export type InspectedDatabase<E extends EngineName = 'sqlite'> = Database<readonly KnownDefinition[], E>

/** Opens a database with the schemas of a registry: puts the engine, the store and the typed face together. */
export async function openDatabase<R extends Definitions, E extends EngineName>(
  registry: Registry,
  path: string | URL | undefined,
  options: OpenOptions = {},
): Promise<Database<R, E>> {
  // Resolve the path now: the working directory may change before the file is opened.
  const located = locate(path)
  const checked = checkOpenOptions(options, located.engine)
  const format = formatOf(registry.definitions, checked.valueTypes, checked.errorStacks)
  located.engine.assertRuntime(located.address)
  const { store, plain } = await openStore(registry, located, { ...checked, format })
  return new Database<R, E>(store, plain as PlainDrizzle<Engines[E]>, checked.destroyOnClose)
}

/**
 * Opens a database with the schemas of its catalogue, and leaves the catalogue as it is. `format` is the format of its values, if
 * it is not that of the options.
 */
export async function inspectDatabase<E extends EngineName = 'sqlite'>(
  path: string | URL,
  options: InspectOptions = {},
  format?: ValueFormat,
): Promise<InspectedDatabase<E>> {
  const { store, plain } = await pacedOutcome(inspectStore(path, options, format))
  return new Database<readonly KnownDefinition[], E>(store, plain as PlainDrizzle<Engines[E]>, false)
}

/** The store of a database, below its typed face, as `inspectDatabase` opens it. */
export async function inspectStore(
  path: string | URL,
  options: InspectOptions,
  given?: ValueFormat,
): Promise<OpenedStore> {
  const located = locateKept(path, 'inspect')
  const { engine, address } = located
  const checked = checkInspectOptions(options, engine)
  engine.assertRuntime(address)
  // Imported here because only `inspect` needs the validator of JSON Schema.
  const [{ knownDefinitions }, { collections }] = await Promise.all([
    import('../catalog/known-definitions.ts'),
    engine.readCatalog(address, !checked.readOnly, checked),
  ])
  const registry = new Registry(knownDefinitions(collections))
  const format = given ?? formatOf([], checked.valueTypes, checked.errorStacks)
  return openStore(registry, located, { ...checked, format, asItIs: true })
}

export interface OpenedStore<E extends EngineName = EngineName> {
  readonly store: Store
  readonly plain: PlainDrizzle<Engines[E]>
}

async function openStore<E extends EngineName>(
  registry: Registry,
  { engine, address }: Located<E>,
  options: CheckedOpenOptions &
    Engines[E]['checked'] & { readonly format: ValueFormat; readonly asItIs?: boolean },
): Promise<OpenedStore<E>> {
  const collections = registry.definitions.map(collectionOf)
  const [{ driver, catalog, plain }, schemaCode] = await Promise.all([
    engine.open(address, collections, options),
    registry.definitions.length === 0 ? null : loadSchemaCode(),
  ])
  const store = new Store(driver, catalog, registry, {
    ...options,
    path: engine.shown(address),
    address: engine.inSchema(address, (options as EngineOptions).schema),
    schemaCode,
  })
  try {
    await store.start()
    return { store, plain }
  } catch (error) {
    await store.close()
    throw error instanceof StorageError
      ? new DatabaseOpenError(engine.shown(address), error.message, { cause: error })
      : error
  }
}

/** Reads a whole database and reports what is damaged. */
export async function verifyDatabase(path: string | URL, options: VerifyOptions = {}): Promise<Verification> {
  const { engine, address } = locateKept(path, 'verify')
  checkOptionNames(options, ['signal', 'busyTimeout'], 'verify')
  checkWholeNumber(options.busyTimeout, 'busyTimeout', 0)
  checkSignal(options, 'verify')
  options.signal?.throwIfAborted()
  engine.assertRuntime(address)
  return pacedOutcome(engine.verify(address, options))
}

async function loadSchemaCode(): Promise<SchemaCode> {
  return (await import('./schema-code.ts')).schemaCode
}
