import { type Database, storeOf } from '../api/database.ts'
import { checkSignal } from '../arguments/call-options.ts'
import { checkOptionNames } from '../arguments/option-names.ts'
import { checkBoolean } from '../arguments/option-values.ts'
import { isSnapshot } from '../driver/migration.ts'
import { locateKept } from '../engines/engines.ts'
import { isDefinition } from '../schema/definition.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { Registry } from '../schema/registry.ts'
import type { MigrationModule } from './source.ts'

/** An open `Database`, with any schemas. */
export type OpenDatabase = Pick<Database, 'backup' | 'tables'>

/** Where the migrations are: in a folder, or in the program. Pass one of the two. */
export interface MigrationOptions {
  /** The folder that `valkeyrie generate` writes to, such as `'./schemas/migrations'`. */
  readonly folder?: string | undefined
  /** The `migrations` of `index.ts` in that folder, for a bundled program, which has no folder. */
  readonly modules?: readonly MigrationModule[] | undefined
  /**
   * On PostgreSQL, the schema of the server's database. Default: that of the open database, or of the address, else
   * `'valkeyrie'`.
   */
  readonly schema?: string | undefined
  /** The declared schemas. Default: those of the open database, else what the migrations say of them. */
  readonly schemas?: readonly AnyDefinition[] | undefined
}

/** How to migrate. */
export interface MigrateOptions extends MigrationOptions {
  /** Back up the database first, into a file beside it. Default `true`. */
  readonly backup?: boolean | undefined
  /** Leave rows that a step cannot convert as they are, and write them to this new file. Left out: they fail the migration. */
  readonly skipInvalid?: string | undefined
  /**
   * Take over a database that was created without migrations, as if it had had all up to this one. With `true`, it is the last one that leads
   * to the schemas that the database knows, or the first if it knows none of theirs.
   */
  readonly baseline?: true | string | undefined
  /** Gets how far it is: bytes of the backup, then rows of each step. */
  readonly onProgress?: ((progress: MigrateProgress) => void) | undefined
  /** Stops it at a point where nothing is half done. Migrations applied by then stay. */
  readonly signal?: AbortSignal | undefined
}

/** How far a migration is. */
export interface MigrateProgress {
  /** What it is doing: `'backup'`, or the file of a step, such as `'0001_ages.users.ts'`. */
  readonly task: string
  /** How many bytes, or rows, are done. */
  readonly done: number
  /** How many there are. */
  readonly total: number
}

const sourceNames = ['folder', 'modules', 'schema', 'schemas']

/** Throws a TypeError for options that `migrate` does not take. */
export function checkMigrateOptions(options: MigrateOptions): void {
  checkOptionNames(
    options,
    [...sourceNames, 'backup', 'skipInvalid', 'baseline', 'onProgress', 'signal'],
    'migrate',
  )
  checkSignal(options, 'migrate')
  const { backup, skipInvalid, baseline, onProgress } = options
  checkBoolean(backup, 'backup')
  if (skipInvalid !== undefined && (typeof skipInvalid !== 'string' || skipInvalid === ''))
    throw new TypeError("skipInvalid must be the name of a file to make, such as './skipped.ndjson'")
  if (baseline !== undefined && baseline !== true && typeof baseline !== 'string')
    throw new TypeError("baseline must be true, or the name of a migration, such as '0001_rename'")
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new TypeError('onProgress must be a function of { task, done, total }')
}

/** Throws a TypeError for options that `status` does not take. */
export function checkStatusOptions(options: MigrationOptions): void {
  checkOptionNames(options, sourceNames, 'status')
}

/** What a call works on. Throws a TypeError for a database that ends with its process, and for invalid migrations. */
export function targetOf(
  database: string | URL | OpenDatabase,
  { folder, modules, schema, schemas }: MigrationOptions,
  call: string,
) {
  const store = storeOf(database)
  store?.assertOpen()
  const { engine, address } = locateKept(store?.address ?? (database as string | URL), call)
  engine.assertRuntime(address)
  const migrations = folder ?? modules
  if (migrations === undefined || (folder !== undefined && modules !== undefined))
    throw new TypeError(
      `${call} takes migrations: { folder: './schemas/migrations' }, or { modules: migrations }`,
    )
  if (folder !== undefined && (typeof folder !== 'string' || folder === ''))
    throw new TypeError("folder must be the path of the migrations, such as './schemas/migrations'")
  if (modules !== undefined && !(Array.isArray(modules) && modules.every(isModule)))
    throw new TypeError('modules must be the migrations that index.ts in the folder of migrations exports')
  if (schemas !== undefined && !(Array.isArray(schemas) && schemas.every(isDefinition)))
    throw new TypeError('schemas must be an array of definitions: [users, posts]')
  const declared = new Registry(schemas ?? store?.registry.definitions).definitions
  return {
    path: engine.inSchema(address, schema),
    migrations,
    definitions: declared.length === 0 ? null : declared,
  }
}

function isModule(value: unknown): value is MigrationModule {
  const { tag, when, sql, values, steps } = (value ?? {}) as Partial<MigrationModule>
  const isOf = typeof tag === 'string' && typeof when === 'number' && typeof sql === 'string'
  return isOf && isSnapshot(values) && typeof steps === 'object' && steps !== null
}
