import { existsSync, globSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { MigrationError } from '../contract/errors.ts'
import type { DeclaredTable } from '../driver/migration-database.ts'
import type { MigrationDialect } from '../driver/migration-dialect.ts'
import { dialects } from '../engines/dialects.ts'
import { locate } from '../engines/engines.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { Registry } from '../schema/registry.ts'
import { loadModule } from './load-module.ts'

/** A user's project: what its drizzle.config.ts and its schema modules say. */
export interface Project {
  /** The SQL dialect of its migrations. */
  readonly dialect: MigrationDialect
  readonly root: string
  /** The folder of the first schema module. */
  readonly schemas: string
  /** The module that `drizzle.config.ts` names in `seed`. */
  readonly seed?: string | undefined
  /** The folder of migrations. */
  readonly migrations: string
  /** The database that drizzle.config.ts names in `dbCredentials.url`. */
  readonly database: string | undefined
  /** All exports of the schema modules, including the tables for drizzle-kit. */
  readonly exports: Record<string, unknown>
  readonly definitions: readonly AnyDefinition[]
}

interface DrizzleConfig {
  readonly dialect?: string
  readonly schema?: string | readonly string[]
  readonly out?: string
  readonly seed?: string
  readonly dbCredentials?: { readonly url?: string }
}

const configFiles = ['ts', 'mts', 'js', 'mjs'].map((extension) => `drizzle.config.${extension}`)

/** Loads a project. Throws a MigrationError that says what is missing. */
export async function loadProject(cwd: string, config?: string): Promise<Project> {
  const file = configFile(cwd, config)
  const { default: settings } = (await loadModule(file)) as { default?: DrizzleConfig }
  const dialect = dialects.get(settings?.dialect ?? '')
  if (dialect === undefined || settings?.schema === undefined) {
    throw new MigrationError(
      `${file} needs a default export, such as { dialect: 'sqlite', schema: './schemas/index.ts', out: './schemas/migrations' }; the dialect is one of ${[...dialects.keys()].join(' and ')}`,
    )
  }
  const { root, modules } = schemaModules(file, settings.schema, cwd)
  const loaded = await Promise.all(modules.map(loadModule))
  const exports: Record<string, unknown> = Object.assign({}, ...loaded)
  const definitions = [
    ...new Set(
      loaded
        .flatMap((it) => Object.values(it))
        .flat()
        .flatMap(definitionsIn),
    ),
  ]
  new Registry(definitions)
  checkTables(dialect, exports, definitions)
  const url: unknown = settings.dbCredentials?.url
  return {
    dialect,
    root,
    schemas: dirname(modules[0]!),
    seed: settings.seed,
    migrations: resolve(root, settings.out ?? 'drizzle'),
    database: typeof url === 'string' ? url.replace(/^file:/, '') : undefined,
    exports,
    definitions,
  }
}

/** Whether a folder has a configuration of drizzle-kit. */
export function hasConfig(folder: string): boolean {
  return configFiles.some((name) => existsSync(join(folder, name)))
}

function configFile(cwd: string, given: string | undefined): string {
  const files = given === undefined ? configFiles : [given]
  const file = files.map((name) => resolve(cwd, name)).find((path) => existsSync(path))
  if (file !== undefined) return file
  throw new MigrationError(
    given === undefined
      ? `There is no ${files[0]} in ${cwd}: run "valkeyrie init" to make one`
      : `There is no ${resolve(cwd, given)}`,
  )
}

/**
 * The schema modules that the settings name as files, folders or patterns, and the folder to which paths in the settings are
 * relative: as in drizzle-kit the working directory, otherwise that of the settings, so that commands work anywhere.
 */
function schemaModules(
  file: string,
  schema: string | readonly string[],
  cwd: string,
): { readonly root: string; readonly modules: readonly string[] } {
  const names = [schema].flat()
  for (const root of [cwd, dirname(file)]) {
    const modules = names.map((name) => filesOf(resolve(root, name)))
    if (modules.every((it) => it.length > 0)) return { root, modules: [...new Set(modules.flat())] }
  }
  throw new MigrationError(`${file} names the schema ${names.join(', ')}, but there is no such file`)
}

function filesOf(path: string): string[] {
  const found = existsSync(path) && !statSync(path).isDirectory() ? [path] : globSync([path, join(path, '*')])
  return found.filter((it) => /(?<!\.d)\.[cm]?[jt]s$/.test(it)).sort()
}

/** The database that a command works on. `schema`: the schema on the server. */
export function databaseOf({ root, database }: Project, given: string | undefined, schema?: string): string {
  const named = given ?? database
  if (named === undefined) {
    throw new MigrationError(
      "Which database? Name its file, or its address, or give drizzle.config.ts dbCredentials: { url: './data.db' }",
    )
  }
  // Only parses the address: the engine's package is not loaded.
  const { engine, address } = locate(named)
  if (!engine.isKept(address)) throw new MigrationError(`${named} ends with its process: name a file`)
  return engine.inSchema(
    address === named ? address : resolve(given === undefined ? root : '.', named),
    schema,
  )
}

/** The user's own tables among the exports of the schema modules. */
export function otherTables({ dialect, exports }: Project): DeclaredTable[] {
  const own = [exports['kv'], exports['kvLog'], exports['kvCollections']]
  return Object.values(exports).filter((it) => dialect.isTable(it) && !own.includes(it)) as DeclaredTable[]
}

/** The definitions of an export: a definition is its own, and a queue has those of its rows. */
function definitionsIn(value: unknown): readonly AnyDefinition[] {
  if (isDefinition(value)) return [value]
  const { definitions } = (value ?? {}) as { readonly definitions?: unknown }
  return Array.isArray(definitions) && definitions.every(isDefinition) ? definitions : []
}

function isDefinition(value: unknown): value is AnyDefinition {
  const { pattern, schema, name, indexes } = (value ?? {}) as Partial<AnyDefinition>
  return Array.isArray(pattern) && typeof name === 'string' && Array.isArray(indexes) && schema !== undefined
}

function checkTables(
  dialect: MigrationDialect,
  exports: Record<string, unknown>,
  definitions: readonly AnyDefinition[],
): void {
  const { kv, kvLog, kvCollections } = exports
  if (!dialect.isTable(kv) || ![kvLog, kvCollections].every((table) => dialect.isTable(table))) {
    const [name, from] = dialect.declaredBy
    throw new MigrationError(
      `The schema module exports no tables of the dialect ${dialect.name}: import { ${name} } from '${from}', and export const { kv, kvLog, kvCollections } = ${name}([users, …])`,
    )
  }
  const declared = dialect.declaredIndexNames(definitions).sort()
  const exported = dialect.indexNames(kv).sort()
  const differing = [
    ...declared.filter((name) => !exported.includes(name)),
    ...exported.filter((name) => !declared.includes(name)),
  ]
  if (differing.length === 0) return
  throw new MigrationError(
    `${dialect.declaredBy[0]} gets other definitions than the schema module exports (${differing.join(', ')}): export each of them, and pass each`,
  )
}
