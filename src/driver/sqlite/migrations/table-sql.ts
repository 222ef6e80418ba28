import { getTableConfig, type SQLiteTable } from 'drizzle-orm/sqlite-core'
import { MigrationError } from '../../../contract/errors.ts'
import { loadDrizzleKit, withoutPrompts } from '../../drizzle-kit.ts'
import type { MigratedCollection, TableLoss } from '../../migration.ts'
import type { DrizzleSnapshot, TableSql } from '../../migration-dialect.ts'
import { createIndexes, createTable } from '../tables/ddl.ts'
import { kvTables } from '../tables/table.ts'

/** drizzle-kit's snapshot of the tables. */
interface Snapshot extends DrizzleSnapshot {
  readonly prevId: string
  readonly tables: {
    readonly [name: string]: {
      readonly indexes: { readonly [name: string]: { readonly columns: readonly string[] } }
    }
  }
}

interface SqliteKit {
  generateSQLiteDrizzleJson(exports: Readonly<Record<string, unknown>>, prevId?: string): Promise<Snapshot>
  generateSQLiteMigration(last: Snapshot, next: Snapshot): Promise<string[]>
}

/** As the dialect's `tableSql`. */
export async function tableSql(
  root: string,
  tables: Readonly<Record<string, object>>,
  collections: readonly MigratedCollection[],
  last: DrizzleSnapshot | null,
): Promise<TableSql> {
  const kit = await loadDrizzleKit<SqliteKit>(root)
  const before = (last as Snapshot | null) ?? (await kit.generateSQLiteDrizzleJson({}))
  const generated = await kit.generateSQLiteDrizzleJson(tables, last === null ? undefined : before.id)
  const statements = await withoutPrompts(() => kit.generateSQLiteMigration(before, generated))
  const torn = tornIndexes(generated, Object.values(tables) as SQLiteTable[])
  return { snapshot: generated, ...mendSql(statements, collections, torn) }
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
        `drizzle-kit would build a table again, and may lose rows of it: write this migration with "drizzle-kit generate", and review it. ${statement}`,
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
  const buildsUnique = indexes.some((statement) => statement.startsWith('CREATE UNIQUE'))
  return { drop, tables, others, indexes, buildsUnique, losses }
}

function addsOwnColumn(statement: string, table: SQLiteTable): boolean {
  const [, column] = statement.match(/^ALTER TABLE \S+ ADD [`"]([^`"]+)[`"] /) ?? []
  return getTableConfig(table).columns.some(({ name, notNull }) => name === column && !notNull)
}

/** The indexes whose expressions drizzle-kit takes apart at their commas, as they should be. */
function tornIndexes({ tables }: Snapshot, declared: readonly SQLiteTable[]): ReadonlyMap<string, string> {
  const torn = Object.values(tables).flatMap(({ indexes }) =>
    Object.entries(indexes).filter(([, { columns }]) => columns.some((text) => text.includes(','))),
  )
  const texts = new Map(declared.flatMap((table) => [...createIndexes(table)]))
  return new Map(torn.map(([name]) => [name, texts.get(name)!]))
}
