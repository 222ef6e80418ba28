import { Buffer } from 'node:buffer'
import { closeSync, openSync, readSync } from 'node:fs'
import { otherThanFile } from '../driver/file-kind.ts'
import type { ForeignFile } from '../driver/sqlite/file/foreign-file.ts'
import type { Registry } from '../schema/registry.ts'
import type { SourceFile } from './file-text.ts'
import { withPackage } from './optional-package.ts'
import { repositoryNamed } from './repository-named.ts'
import type { Source } from './source-row.ts'

/** The kinds of files to import. */
export const sourceKinds = ['ndjson', 'csv', 'deno-kv', 'valkeyrie-0.8', 'keyv', 'sqlite'] as const
export type SourceKind = (typeof sourceKinds)[number]

export interface SourceOptions {
  /** What messages call the file; left out: its path. */
  readonly name?: string | undefined
  /** The kind of the file; left out: found from its content. */
  readonly from?: SourceKind | undefined
  /** For `sqlite`: the table. */
  readonly table?: string | undefined
  /** For `sqlite` and `csv`: the columns with the id. */
  readonly id?: readonly string[] | undefined
  /** For `sqlite` and `csv`: the repository that takes the rows. */
  readonly repository?: string | undefined
}

export interface OpenedSource extends Disposable {
  readonly kind: SourceKind
  readonly rows: Source
}

/** Opens a file to import. Throws a TypeError for options that do not fit it. */
export async function openSource(
  path: string,
  options: SourceOptions,
  registry: Registry,
): Promise<OpenedSource> {
  const isSqlite = headOf(path).startsWith('SQLite format 3\0')
  const { from, name = path } = options
  const file = { path, name }
  const isText = from === 'ndjson' || from === 'csv'
  if (from !== undefined && isText === isSqlite)
    throw new TypeError(
      `${name} is ${isSqlite ? 'an SQLite file' : 'not an SQLite file'}, which does not fit --from ${from}`,
    )
  return isSqlite ? openTables(file, options, registry) : openText(file, options, registry)
}

function headOf(path: string): string {
  // The file is read more than once, and opening a FIFO would wait for its writer forever.
  const kind = otherThanFile(path)
  if (kind !== undefined) throw new TypeError(`${path} is ${kind}: name a file`)
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(64)
    return bytes.toString('latin1', 0, readSync(file, bytes))
  } finally {
    closeSync(file)
  }
}

async function openText(file: SourceFile, options: SourceOptions, registry: Registry): Promise<OpenedSource> {
  const { from = kindOfText(file), id, repository, table } = options
  refuse('--table', table, 'sqlite')
  if (from === 'ndjson') {
    refuse('--id', id, 'csv and sqlite')
    refuse('--repository', repository, 'csv and sqlite')
    const { ndjsonSource } = await import('./ndjson-source.ts')
    return { kind: from, rows: ndjsonSource(file), [Symbol.dispose]() {} }
  }
  if (repository === undefined)
    throw new TypeError('A CSV file has the rows of one repository: name it with --repository')
  const definition = repositoryNamed(registry, repository)
  const { csvSource } = await withPackage('csv-parse', () => import('./csv-source.ts'))
  return { kind: 'csv', rows: csvSource(file, { definition, id }), [Symbol.dispose]() {} }
}

function kindOfText({ path, name }: SourceFile): 'ndjson' | 'csv' {
  if (/\.csv$/i.test(path)) return 'csv'
  const head = headOf(path)
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()
  if (head === '' || head.startsWith('{')) return 'ndjson'
  throw new TypeError(`${name} does not show what it is: say so with --from ${sourceKinds.join('|')}`)
}

async function openTables(
  source: SourceFile,
  options: SourceOptions,
  registry: Registry,
): Promise<OpenedSource> {
  const { ForeignFile } = await import('../driver/sqlite/file/foreign-file.ts')
  const file = await ForeignFile.open(source.path)
  try {
    const kind = options.from ?? (await kindOfTables(source.name, file, options))
    const rows = await tablesSource(kind, file, options, registry)
    return { kind, rows, [Symbol.dispose]: () => file.close() }
  } catch (error) {
    file.close()
    throw error
  }
}

async function kindOfTables(name: string, file: ForeignFile, { table }: SourceOptions): Promise<SourceKind> {
  if (file.isOwn)
    throw new TypeError(`${name} is a database of this package: export it first, and import the result`)
  if (table !== undefined) return 'sqlite'
  const [{ isDenoKv }, { isValkeyrie08 }, { isKeyv }] = await Promise.all([
    import('./deno-kv-source.ts'),
    import('./valkeyrie-0.8-source.ts'),
    import('./keyv-source.ts'),
  ])
  if (isDenoKv(file)) return 'deno-kv'
  if (isValkeyrie08(file)) return 'valkeyrie-0.8'
  if (isKeyv(file)) return 'keyv'
  throw new TypeError(
    `${name} is an SQLite file: name the table to import with --table, and the columns of its id with --id. It has ${[...file.tables.keys()].join(', ') || 'no table'}`,
  )
}

async function tablesSource(
  kind: SourceKind,
  file: ForeignFile,
  { table, id, repository }: SourceOptions,
  registry: Registry,
): Promise<Source> {
  if (kind === 'sqlite') {
    if (table === undefined || id === undefined)
      throw new TypeError('--from sqlite needs --table and --id, such as --table users --id id')
    const definition = repository === undefined ? null : repositoryNamed(registry, repository)
    const { tableSource } = await import('./table-source.ts')
    return tableSource(file, { table, id, definition })
  }
  refuse('--id', id, 'csv and sqlite')
  refuse('--repository', repository, 'csv and sqlite')
  if (kind === 'keyv') {
    const { isKeyv, keyvSource } = await import('./keyv-source.ts')
    assertHas(kind, table !== undefined || isKeyv(file))
    return keyvSource(file, table)
  }
  refuse('--table', table, 'keyv and sqlite')
  if (kind === 'deno-kv') {
    const { denoKvSource, isDenoKv } = await import('./deno-kv-source.ts')
    assertHas(kind, isDenoKv(file))
    return denoKvSource(file)
  }
  const { isValkeyrie08, valkeyrie08Source } = await import('./valkeyrie-0.8-source.ts')
  assertHas(kind, isValkeyrie08(file))
  return valkeyrie08Source(file)
}

function assertHas(kind: SourceKind, has: boolean): void {
  if (!has) throw new TypeError(`The file has no table as ${kind} writes it`)
}

function refuse(option: string, value: unknown, kinds: string): void {
  if (value !== undefined) throw new TypeError(`${option} goes with --from ${kinds}`)
}
