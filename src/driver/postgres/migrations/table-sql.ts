import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core'
import { loadDrizzleKit, sortStatements, withoutPrompts } from '../../drizzle-kit.ts'
import type { MigratedCollection } from '../../migration.ts'
import type { CollectionsOfMigration, DrizzleSnapshot, TableSql } from '../../migration-dialect.ts'
import { createFixedIndexes, createTable } from '../tables/ddl.ts'
import { declaredIndexes } from '../tables/indexes.ts'
import { tablesOf } from '../tables/table.ts'
import { createIndex } from '../tables/typed-index.ts'

interface PostgresKit {
  generateDrizzleJson(exports: Readonly<Record<string, object>>, prevId?: string): Promise<DrizzleSnapshot>
  generateMigration(last: DrizzleSnapshot, next: DrizzleSnapshot): Promise<string[]>
}

/** Implements the dialect's `tableSql`. */
export async function tableSql(
  root: string,
  tables: Readonly<Record<string, object>>,
  { next }: CollectionsOfMigration,
  last: DrizzleSnapshot | null,
): Promise<TableSql> {
  const kit = await loadDrizzleKit<PostgresKit>(root)
  const before = last ?? (await kit.generateDrizzleJson({}))
  const snapshot = await kit.generateDrizzleJson(tables, before.id)
  const statements = await withoutPrompts(() => kit.generateMigration(before, snapshot))
  return { snapshot, ...mendSql(statements, next) }
}

/** The names of the indexes of a table. */
export function createIndexes(table: PgTable): string[] {
  return getTableConfig(table).indexes.map(({ config }) => config.name!)
}

/** The statements that create all indexes of the table of values, by name: the same that `open` would run. */
export function indexStatements(collections: readonly MigratedCollection[]): Map<string, string> {
  const declared = Array.from(
    declaredIndexes(collections),
    ([name, index]) => [name, createIndex(name, index, '"kv"')] as const,
  )
  return new Map([...createFixedIndexes(), ...declared])
}

const name = '(?:"([^"]+)"\\.)?"([^"]+)"'
const patterns = {
  index: /^CREATE (?:UNIQUE )?INDEX "([^"]+)"/,
  dropped: /^DROP INDEX (?:"[^"]+"\.)?"[^"]+"/,
  table: new RegExp(`^(?:CREATE|ALTER|DROP) TABLE (?:IF (?:NOT )?EXISTS )?${name}`),
  column: /^ALTER TABLE \S+ DROP COLUMN "([^"]+)"/,
  added: /^ALTER TABLE \S+ ADD COLUMN "([^"]+)" /,
}

function mendSql(
  statements: readonly string[],
  collections: readonly MigratedCollection[],
): Omit<TableSql, 'snapshot'> {
  const own = new Map<string, PgTable>(
    Object.values(tablesOf(collections)).map((table: PgTable) => [getTableConfig(table).name, table]),
  )
  const texts = indexStatements(collections)
  return sortStatements(statements, (statement) => {
    const [, index] = patterns.index.exec(statement) ?? []
    if (index !== undefined) return { type: 'index', text: texts.get(index) ?? statement }
    if (patterns.dropped.test(statement)) {
      const text = statement.replace(/^DROP INDEX (?!IF EXISTS)/, 'DROP INDEX IF EXISTS ')
      return { type: 'dropIndex', text }
    }
    const [, place, table] = patterns.table.exec(statement) ?? []
    if (place === undefined && table !== undefined && own.has(table)) {
      const addsColumn = addsOwnColumn(statement, own.get(table)!)
      return { type: 'ownTable', create: createTable(table)!, addsColumn }
    }
    const [, column] = patterns.column.exec(statement) ?? []
    if (table === undefined || (column === undefined && !statement.startsWith('DROP TABLE')))
      return { type: 'other', loss: null }
    const name = place === undefined ? table : `${place}.${table}`
    return { type: 'other', loss: { table: name, column: column ?? null } }
  })
}

function addsOwnColumn(statement: string, table: PgTable): boolean {
  const [, column] = patterns.added.exec(statement) ?? []
  return getTableConfig(table).columns.some(({ name, notNull }) => name === column && !notNull)
}
