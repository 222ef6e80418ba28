import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { is } from 'drizzle-orm'
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { createIndexes, createTable } from '../driver/sqlite/ddl.ts'
import type { MigratedCollection, TableLoss } from '../driver/sqlite/migrations/folder.ts'
import { kvTables } from '../driver/sqlite/table.ts'
import { MigrationError } from '../errors.ts'

/** drizzle-kit's snapshot of the tables. */
export interface DrizzleSnapshot {
  readonly id: string
  readonly prevId: string
  readonly tables: {
    readonly [name: string]: {
      readonly indexes: { readonly [name: string]: { readonly columns: readonly string[] } }
    }
  }
}

interface DrizzleKit {
  generateSQLiteDrizzleJson(exports: Record<string, unknown>, prevId?: string): Promise<DrizzleSnapshot>
  generateSQLiteMigration(last: DrizzleSnapshot, next: DrizzleSnapshot): Promise<string[]>
}

/** The statements that change the tables, in the order: what goes, then what comes, the indexes last. */
export interface TableSql {
  readonly snapshot: DrizzleSnapshot
  readonly drop: readonly string[]
  readonly tables: readonly string[]
  readonly indexes: readonly string[]
  /** Those of `tables` that change a table of the user's own. */
  readonly others: readonly string[]
  /** What goes for good. */
  readonly losses: readonly TableLoss[]
}

/** What drizzle-kit changes in the tables since its last snapshot, mended. Throws a MigrationError for what it gets wrong. */
export async function tableSql(
  root: string,
  exports: Record<string, unknown>,
  collections: readonly MigratedCollection[],
  last: DrizzleSnapshot | null,
): Promise<TableSql> {
  const kit = await loadDrizzleKit(root)
  const before = last ?? (await kit.generateSQLiteDrizzleJson({}))
  // By name: the order in which a module gives its exports depends on what loads it.
  const tables = Object.fromEntries(
    Object.entries(exports)
      .filter(([, it]) => is(it, SQLiteTable))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
  const generated = await kit.generateSQLiteDrizzleJson(tables, last === null ? undefined : before.id)
  const statements = await withoutPrompts(() => kit.generateSQLiteMigration(before, generated))
  const torn = tornIndexes(generated, Object.values(tables) as SQLiteTable[])
  return { snapshot: generated, ...mendSql(statements, collections, torn) }
}

/** drizzle-kit asks what a column or a table was before. */
async function withoutPrompts<T>(generate: () => Promise<T>): Promise<T> {
  try {
    return await generate()
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('Interactive prompts require a TTY')))
      throw error
    throw new MigrationError(
      'drizzle-kit has to ask whether a table of yours, or a column of one, was renamed: run this on a terminal',
      { cause: error },
    )
  }
}

/**
 * Mends the statements of drizzle-kit. Those on the tables of this library become the ones that `open` would run, so that both leave the same
 * schema in the file. An index goes before a column that it is on.
 */
export function mendSql(
  statements: readonly string[],
  collections: readonly MigratedCollection[],
  torn: ReadonlyMap<string, string> = new Map(),
): Omit<TableSql, 'snapshot'> {
  const own = kvTables(collections)
  const ownTables = new Map<string, SQLiteTable>([
    ['kv', own.kv],
    ['kv_log', own.kvLog],
    ['kv_collections', own.kvCollections],
  ])
  const texts = new Map([...torn, ...createIndexes(own.kv)])
  const drop: string[] = []
  const losses: TableLoss[] = []
  const tables: string[] = []
  const others: string[] = []
  const indexes: string[] = []
  for (const statement of statements.map((text) => text.trim().replace(/;$/, ''))) {
    const [, , index] = statement.match(/^CREATE (UNIQUE )?INDEX [`"]([^`"]+)[`"]/) ?? []
    const [, dropped] = statement.match(/^DROP INDEX (?:IF EXISTS )?[`"]([^`"]+)[`"]/) ?? []
    const [, table] =
      statement.match(/^(?:CREATE|ALTER|DROP) TABLE (?:IF (?:NOT )?EXISTS )?[`"]([^`"]+)[`"]/) ?? []
    if (index !== undefined) {
      indexes.push(texts.get(index)?.replace(' IF NOT EXISTS', '') ?? statement)
    } else if (dropped !== undefined) {
      drop.push(`DROP INDEX IF EXISTS "${dropped}"`)
    } else if (/__new_|^PRAGMA/i.test(statement)) {
      throw new MigrationError(
        `drizzle-kit would build a table anew, and may lose rows of it: write this migration with "drizzle-kit generate", and review it. ${statement}`,
      )
    } else if (table !== undefined && ownTables.has(table)) {
      // What they have since an older release, every program that opens the database adds by itself.
      if (addsOwnColumn(statement, ownTables.get(table)!)) continue
      if (!statement.startsWith('CREATE')) {
        throw new MigrationError(
          `The tables of valkeyrie stay as they are: export what kvTables gives. ${statement}`,
        )
      }
      tables.push(createTable(ownTables.get(table)!).replace(' IF NOT EXISTS', ''))
    } else {
      const [, column] = statement.match(/^ALTER TABLE \S+ DROP COLUMN [`"]([^`"]+)[`"]/) ?? []
      if (column !== undefined || statement.startsWith('DROP TABLE'))
        losses.push({ table: table!, column: column ?? null })
      tables.push(statement)
      others.push(statement)
    }
  }
  return { drop, tables, others, indexes, losses }
}

function addsOwnColumn(statement: string, table: SQLiteTable): boolean {
  const [, column] = statement.match(/^ALTER TABLE \S+ ADD [`"]([^`"]+)[`"] /) ?? []
  return getTableConfig(table).columns.some(({ name, notNull }) => name === column && !notNull)
}

/** The indexes whose expressions drizzle-kit takes apart at their commas, as they should be. */
function tornIndexes(
  { tables }: DrizzleSnapshot,
  declared: readonly SQLiteTable[],
): ReadonlyMap<string, string> {
  const torn = Object.values(tables).flatMap(({ indexes }) =>
    Object.entries(indexes).filter(([, { columns }]) => columns.some((text) => text.includes(','))),
  )
  const texts = new Map(declared.flatMap((table) => [...createIndexes(table)]))
  return new Map(torn.map(([name]) => [name, texts.get(name)!]))
}

async function loadDrizzleKit(root: string): Promise<DrizzleKit> {
  let file: string
  try {
    file = createRequire(join(root, 'package.json')).resolve('drizzle-kit/api')
  } catch (error) {
    throw new MigrationError('"valkeyrie generate" needs drizzle-kit: npm install --save-dev drizzle-kit', {
      cause: error,
    })
  }
  const kit = (await import(pathToFileURL(file).href)) as DrizzleKit & { readonly default?: DrizzleKit }
  return kit.generateSQLiteMigration === undefined ? kit.default! : kit
}
