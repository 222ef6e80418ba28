import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { is } from 'drizzle-orm'
import { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { createIndexes, createTable } from '../driver/sqlite/ddl.ts'
import type { MigratedCollection } from '../driver/sqlite/migrations/folder.ts'
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
  checkExpressions(generated)
  return {
    snapshot: generated,
    ...mendSql(await kit.generateSQLiteMigration(before, generated), collections),
  }
}

/**
 * Mends the statements of drizzle-kit. Those on the tables of this library become the ones that `open` would run, so that both leave the same
 * schema in the file. An index goes before a column that it is on.
 */
export function mendSql(
  statements: readonly string[],
  collections: readonly MigratedCollection[],
): Omit<TableSql, 'snapshot'> {
  const own = kvTables(collections)
  const ownTables = new Map<string, SQLiteTable>([
    ['kv', own.kv],
    ['kv_log', own.kvLog],
    ['kv_collections', own.kvCollections],
  ])
  const ownIndexes = createIndexes(own.kv)
  const drop: string[] = []
  const tables: string[] = []
  const indexes: string[] = []
  for (const statement of statements.map((text) => text.trim().replace(/;$/, ''))) {
    const [, , index] = statement.match(/^CREATE (UNIQUE )?INDEX [`"]([^`"]+)[`"]/) ?? []
    const [, dropped] = statement.match(/^DROP INDEX (?:IF EXISTS )?[`"]([^`"]+)[`"]/) ?? []
    const [, table] =
      statement.match(/^(?:CREATE|ALTER|DROP) TABLE (?:IF (?:NOT )?EXISTS )?[`"]([^`"]+)[`"]/) ?? []
    if (index !== undefined) {
      indexes.push(ownIndexes.get(index)?.replace(' IF NOT EXISTS', '') ?? statement)
    } else if (dropped !== undefined) {
      drop.push(`DROP INDEX IF EXISTS "${dropped}"`)
    } else if (/__new_|^PRAGMA/i.test(statement)) {
      throw new MigrationError(
        `drizzle-kit would build a table anew, which it cannot undo: write that migration by hand with "drizzle-kit generate --custom". ${statement}`,
      )
    } else if (table !== undefined && ownTables.has(table)) {
      if (!statement.startsWith('CREATE')) {
        throw new MigrationError(
          `The tables of valkeyrie stay as they are: export what kvTables gives. ${statement}`,
        )
      }
      tables.push(createTable(ownTables.get(table)!).replace(' IF NOT EXISTS', ''))
    } else {
      tables.push(statement)
    }
  }
  return { drop, tables, indexes }
}

/** drizzle-kit takes an index expression apart at its commas. */
function checkExpressions({ tables }: DrizzleSnapshot): void {
  for (const table of Object.values(tables)) {
    for (const [name, { columns }] of Object.entries(table.indexes)) {
      const torn = columns.find((text) => text.split('(').length !== text.split(')').length)
      if (torn === undefined) continue
      throw new MigrationError(
        `drizzle-kit takes the expression of the index ${name} apart at a comma (${torn}): write it without one`,
      )
    }
  }
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
