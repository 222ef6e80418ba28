import { getTableConfig, type SQLiteTable } from 'drizzle-orm/sqlite-core'
import { MigrationError } from '../../../contract/errors.ts'
import { loadDrizzleKit, sortStatements, withoutPrompts } from '../../drizzle-kit.ts'
import type { MigratedCollection } from '../../migration.ts'
import type { CollectionsOfMigration, DrizzleSnapshot, TableSql } from '../../migration-dialect.ts'
import { createDeclaredIndexes, createIndexes, createTable } from '../tables/ddl.ts'
import { tablesOf } from '../tables/table.ts'

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

/** Implements the dialect's `tableSql`. */
export async function tableSql(
  root: string,
  tables: Readonly<Record<string, object>>,
  collections: CollectionsOfMigration,
  last: DrizzleSnapshot | null,
): Promise<TableSql> {
  const kit = await loadDrizzleKit<SqliteKit>(root)
  const before = (last as Snapshot | null) ?? (await kit.generateSQLiteDrizzleJson({}))
  const generated = await kit.generateSQLiteDrizzleJson(tables, last === null ? undefined : before.id)
  const statements = await withoutPrompts(() => kit.generateSQLiteMigration(before, generated))
  const torn = tornIndexes(generated, Object.values(tables) as SQLiteTable[])
  const mended = mendSql(statements, collections.next, torn)
  return { snapshot: generated, ...withRenewed(mended, collections) }
}

/** Corrects the statements of drizzle-kit. `torn`: the indexes whose expressions it has split, as they should be. */
export function mendSql(
  statements: readonly string[],
  collections: readonly MigratedCollection[],
  torn: ReadonlyMap<string, string> = new Map(),
): Omit<TableSql, 'snapshot'> {
  const own = tablesOf(collections)
  const ownTables = new Map<string, SQLiteTable>([
    ['kv', own.kv],
    ['kv_log', own.kvLog],
    ['kv_collections', own.kvCollections],
  ])
  const texts = new Map([...torn, ...createIndexes(own.kv)])
  return sortStatements(statements, (statement) => {
    const [, , index] = statement.match(/^CREATE (UNIQUE )?INDEX [`"]([^`"]+)[`"]/) ?? []
    if (index !== undefined) return { type: 'index', text: withoutCondition(texts.get(index) ?? statement) }
    const [, dropped] = statement.match(/^DROP INDEX (?:IF EXISTS )?[`"]([^`"]+)[`"]/) ?? []
    if (dropped !== undefined) return { type: 'dropIndex', text: dropIndex(dropped) }
    if (/__new_|^PRAGMA/i.test(statement)) {
      throw new MigrationError(
        `drizzle-kit would rebuild a table, and may lose rows: write this migration with "drizzle-kit generate", and review it. ${statement}`,
      )
    }
    const [, name] =
      statement.match(/^(?:CREATE|ALTER|DROP) TABLE (?:IF (?:NOT )?EXISTS )?[`"]([^`"]+)[`"]/) ?? []
    const table = ownTables.get(name!)
    if (table !== undefined) {
      const create = withoutCondition(createTable(table))
      return { type: 'ownTable', create, addsColumn: addsOwnColumn(statement, table) }
    }
    const [, column] = statement.match(/^ALTER TABLE \S+ DROP COLUMN [`"]([^`"]+)[`"]/) ?? []
    const isLost = column !== undefined || statement.startsWith('DROP TABLE')
    return { type: 'other', loss: isLost ? { table: name!, column: column ?? null } : null }
  })
}

/**
 * With those indexes built again that keep their name and are defined otherwise than by the last migration. drizzle-kit does not see
 * that: its snapshot has what was declared, even if an older release has written something else into the migration.
 */
function withRenewed(mended: Omit<TableSql, 'snapshot'>, { last, next }: CollectionsOfMigration) {
  const before = createDeclaredIndexes(last)
  const renewed = [...createDeclaredIndexes(next)]
    .map(([name, text]) => ({ name, text: withoutCondition(text), kept: before.get(name) }))
    .filter(({ text, kept }) => kept !== undefined && withoutCondition(kept) !== text)
    .filter(({ text }) => !mended.indexes.includes(text))
  return {
    ...mended,
    drop: [...mended.drop, ...renewed.map(({ name }) => dropIndex(name))],
    indexes: [...mended.indexes, ...renewed.map(({ text }) => text)],
    buildsUnique: mended.buildsUnique || renewed.some(({ text }) => text.startsWith('CREATE UNIQUE')),
    renewed: renewed.map(({ name }) => name),
  }
}

function dropIndex(name: string): string {
  return `DROP INDEX IF EXISTS "${name}"`
}

function withoutCondition(text: string): string {
  return text.replace(' IF NOT EXISTS', '')
}

function addsOwnColumn(statement: string, table: SQLiteTable): boolean {
  const [, column] = statement.match(/^ALTER TABLE \S+ ADD [`"]([^`"]+)[`"] /) ?? []
  return getTableConfig(table).columns.some(({ name, notNull }) => name === column && !notNull)
}

/** The indexes whose expressions drizzle-kit splits at their commas, as they should be. */
function tornIndexes({ tables }: Snapshot, declared: readonly SQLiteTable[]): ReadonlyMap<string, string> {
  const torn = Object.values(tables).flatMap(({ indexes }) =>
    Object.entries(indexes).filter(([, { columns }]) => columns.some((text) => text.includes(','))),
  )
  const texts = new Map(declared.flatMap((table) => [...createIndexes(table)]))
  return new Map(torn.map(([name]) => [name, texts.get(name)!]))
}
