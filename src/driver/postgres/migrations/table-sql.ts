import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core'
import { MigrationError } from '../../../contract/errors.ts'
import { loadDrizzleKit, withoutPrompts } from '../../drizzle-kit.ts'
import type { MigratedCollection, TableLoss } from '../../migration.ts'
import type { DrizzleSnapshot, TableSql } from '../../migration-dialect.ts'
import { createFixedIndexes, createTable } from '../tables/ddl.ts'
import { declaredIndexes } from '../tables/indexes.ts'
import { tablesOf } from '../tables/table.ts'
import { createIndex } from '../tables/typed-index.ts'

interface PostgresKit {
  generateDrizzleJson(exports: Readonly<Record<string, object>>, prevId?: string): Promise<DrizzleSnapshot>
  generateMigration(last: DrizzleSnapshot, next: DrizzleSnapshot): Promise<string[]>
}

/** As the dialect's `tableSql`. */
export async function tableSql(
  root: string,
  tables: Readonly<Record<string, object>>,
  collections: readonly MigratedCollection[],
  last: DrizzleSnapshot | null,
): Promise<TableSql> {
  const kit = await loadDrizzleKit<PostgresKit>(root)
  const before = last ?? (await kit.generateDrizzleJson({}))
  const snapshot = await kit.generateDrizzleJson(tables, before.id)
  const statements = await withoutPrompts(() => kit.generateMigration(before, snapshot))
  return { snapshot, ...mendSql(statements, collections) }
}

/** The names of the indexes of a table. */
export function createIndexes(table: PgTable): string[] {
  return getTableConfig(table).indexes.map(({ config }) => config.name!)
}

/** The statements that create all indexes of the table of the values, by their names: the same as `open` would run. */
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
  dropped: /^DROP INDEX (?:"[^"]+"\.)?"([^"]+)"/,
  table: new RegExp(`^(?:CREATE|ALTER|DROP) TABLE (?:IF (?:NOT )?EXISTS )?${name}`),
  column: /^ALTER TABLE \S+ DROP COLUMN "([^"]+)"/,
  added: /^ALTER TABLE \S+ ADD COLUMN "([^"]+)" /,
}

/**
 * Mends the statements of drizzle-kit. Those on the tables of this library become the ones that `open` would run, so that both leave the same
 * schema in the database.
 */
function mendSql(
  statements: readonly string[],
  collections: readonly MigratedCollection[],
): Omit<TableSql, 'snapshot'> {
  const own = new Map<string, PgTable>(
    Object.values(tablesOf(collections)).map((table: PgTable) => [getTableConfig(table).name, table]),
  )
  const texts = indexStatements(collections)
  const drop: string[] = []
  const losses: TableLoss[] = []
  const tables: string[] = []
  const others: string[] = []
  const indexes: string[] = []
  for (const statement of statements.map((text) => text.trim().replace(/;$/, ''))) {
    const [, index] = patterns.index.exec(statement) ?? []
    const [, dropped] = patterns.dropped.exec(statement) ?? []
    const [, place, table] = patterns.table.exec(statement) ?? []
    if (index !== undefined) {
      indexes.push(texts.get(index) ?? statement)
    } else if (dropped !== undefined) {
      drop.push(statement.replace(/^DROP INDEX (?!IF EXISTS)/, 'DROP INDEX IF EXISTS '))
    } else if (place === undefined && table !== undefined && own.has(table)) {
      // What they have since an older release, every program that opens the database adds by itself.
      if (addsOwnColumn(statement, own.get(table)!)) continue
      if (!statement.startsWith('CREATE')) {
        throw new MigrationError(
          `The tables of valkeyrie stay as they are: export what kvTables gives. ${statement}`,
        )
      }
      tables.push(createTable(table)!)
    } else {
      const [, column] = patterns.column.exec(statement) ?? []
      if (table !== undefined && (column !== undefined || statement.startsWith('DROP TABLE')))
        losses.push({ table: place === undefined ? table : `${place}.${table}`, column: column ?? null })
      tables.push(statement)
      others.push(statement)
    }
  }
  const buildsUnique = indexes.some((statement) => statement.startsWith('CREATE UNIQUE'))
  return { drop, tables, others, indexes, buildsUnique, losses }
}

function addsOwnColumn(statement: string, table: PgTable): boolean {
  const [, column] = patterns.added.exec(statement) ?? []
  return getTableConfig(table).columns.some(({ name, notNull }) => name === column && !notNull)
}
