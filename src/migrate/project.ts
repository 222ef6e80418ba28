import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { createIndexes } from '../driver/sqlite/ddl.ts'
import type { MigratedCollection } from '../driver/sqlite/migrations/folder.ts'
import { patternText } from '../driver/sqlite/pattern-text.ts'
import { kvTables } from '../driver/sqlite/table.ts'
import { MigrationError } from '../errors.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { jsonSchemaOf } from '../schema/json-schema.ts'
import { Registry } from '../schema/registry.ts'

/** A user's project: what its drizzle.config.ts and its schema modules say. */
export interface Project {
  readonly root: string
  /** The folder of migrations. */
  readonly migrations: string
  /** The database that drizzle.config.ts names in `dbCredentials.url`. */
  readonly database: string | undefined
  /** All that the schema modules export, the tables for drizzle-kit among it. */
  readonly exports: Record<string, unknown>
  readonly definitions: readonly AnyDefinition[]
}

interface DrizzleConfig {
  readonly dialect?: string
  readonly schema?: string | readonly string[]
  readonly out?: string
  readonly dbCredentials?: { readonly url?: string }
}

const configFiles = ['ts', 'mts', 'js', 'mjs'].map((extension) => `drizzle.config.${extension}`)

/** Loads a project. Throws a MigrationError that says what it lacks. */
export async function loadProject(root: string, config?: string): Promise<Project> {
  const files = config === undefined ? configFiles : [config]
  const file = files.map((name) => resolve(root, name)).find((path) => existsSync(path))
  if (file === undefined) {
    throw new MigrationError(`There is no ${files[0]} in ${root}: run "valkeyrie init" to make one`)
  }
  const { default: settings } = (await load(file)) as { default?: DrizzleConfig }
  if (settings?.dialect !== 'sqlite' || settings.schema === undefined) {
    throw new MigrationError(
      `${file} exports no defineConfig({ dialect: 'sqlite', schema: './schemas/index.ts', out: … })`,
    )
  }
  const modules = [settings.schema].flat().map((path) => resolve(root, path))
  const exports: Record<string, unknown> = {}
  for (const module of modules) {
    if (!existsSync(module))
      throw new MigrationError(`${file} names ${module}, which is no file: name each module`)
    Object.assign(exports, await load(module))
  }
  const definitions = [...new Set(Object.values(exports).flat().filter(isDefinition))]
  new Registry(definitions)
  checkTables(exports, definitions)
  return {
    root,
    migrations: resolve(root, settings.out ?? 'drizzle'),
    database: settings.dbCredentials?.url?.replace(/^file:/, ''),
    exports,
    definitions,
  }
}

/** The collections of a project's definitions, as a snapshot holds them. */
export function collectionsOf(definitions: readonly AnyDefinition[]): MigratedCollection[] {
  return definitions
    .map(({ name, pattern, schema, indexes }) => ({
      name,
      pattern: patternText(pattern),
      schema: jsonSchemaOf(schema),
      indexes: indexes.map(({ fields, unique }) => ({ fields, unique })),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The database that a command works on. */
export function databaseOf({ root, database }: Project, given: string | undefined): string {
  if (given !== undefined) return resolve(given)
  if (database !== undefined) return resolve(root, database)
  throw new MigrationError(
    "Which database? Name its file, or give drizzle.config.ts dbCredentials: { url: './data.db' }",
  )
}

/** The path of a file of the migrations. */
export function migrationFile({ migrations }: Project, name: string): string {
  return join(migrations, name)
}

async function load(file: string): Promise<Record<string, unknown>> {
  try {
    return await import(pathToFileURL(file).href)
  } catch (error) {
    throw new MigrationError(`${file} cannot be loaded: ${(error as Error).message}`, { cause: error })
  }
}

function isDefinition(value: unknown): value is AnyDefinition {
  const { pattern, schema, name, indexes } = (value ?? {}) as Partial<AnyDefinition>
  return Array.isArray(pattern) && typeof name === 'string' && Array.isArray(indexes) && schema !== undefined
}

function checkTables(exports: Record<string, unknown>, definitions: readonly AnyDefinition[]): void {
  const { kv, kvLog, kvCollections } = exports
  if (kv === undefined || kvLog === undefined || kvCollections === undefined) {
    throw new MigrationError(
      'The schema module exports no tables: export const { kv, kvLog, kvCollections } = kvTables([users, …])',
    )
  }
  const declared = [...createIndexes(kvTables(definitions).kv).keys()].sort()
  const exported = [...createIndexes(kv as SQLiteTable).keys()].sort()
  const differing = [
    ...declared.filter((name) => !exported.includes(name)),
    ...exported.filter((name) => !declared.includes(name)),
  ]
  if (differing.length === 0) return
  throw new MigrationError(
    `kvTables is given other definitions than the schema module exports (${differing.join(', ')}): export each, and give it each`,
  )
}
