import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MigrationError } from '../contract/errors.ts'
import type { TableLoss } from './migration.ts'
import type { TableSql } from './migration-dialect.ts'

/** Loads the parts of the project's drizzle-kit that a dialect needs. */
export async function loadDrizzleKit<Kit extends object>(root: string): Promise<Kit> {
  let file: string
  try {
    file = createRequire(join(root, 'package.json')).resolve('drizzle-kit/api')
  } catch (error) {
    throw new MigrationError('"valkeyrie generate" needs drizzle-kit: npm install --save-dev drizzle-kit', {
      cause: error,
    })
  }
  const kit = (await import(pathToFileURL(file).href)) as Kit & { readonly default?: Kit }
  return 'generateMigration' in kit ? kit : kit.default!
}

/** Without this, drizzle-kit asks for the former names of columns and tables. */
export async function withoutPrompts<T>(generate: () => Promise<T>): Promise<T> {
  try {
    return await generate()
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('Interactive prompts require a TTY')))
      throw error
    throw new MigrationError(
      'drizzle-kit has to ask whether you renamed a table or a column: run this on a terminal',
      { cause: error },
    )
  }
}

/** How an engine classifies a statement of drizzle-kit. */
export type ReadStatement =
  | { readonly type: 'index' | 'dropIndex'; readonly text: string }
  /** A statement on a table of this library: `create` is the statement that `open` would run instead. */
  | { readonly type: 'ownTable'; readonly create: string; readonly addsColumn: boolean }
  | { readonly type: 'other'; readonly loss: TableLoss | null }

/**
 * Sorts the statements of drizzle-kit into the order in which to run them. Those on tables of this library are replaced by the
 * statements of `open`, so that both ways lead to the same schema in the database.
 */
export function sortStatements(
  statements: readonly string[],
  read: (statement: string) => ReadStatement,
): Omit<TableSql, 'snapshot'> {
  const drop: string[] = []
  const losses: TableLoss[] = []
  const tables: string[] = []
  const others: string[] = []
  const indexes: string[] = []
  for (const statement of statements.map((text) => text.trim().replace(/;$/, ''))) {
    const found = read(statement)
    switch (found.type) {
      case 'index':
        indexes.push(found.text)
        break
      case 'dropIndex':
        drop.push(found.text)
        break
      case 'ownTable':
        // Columns that came after an older release are added by every program that opens the database.
        if (found.addsColumn) break
        if (!statement.startsWith('CREATE'))
          throw new MigrationError(
            `The tables of valkeyrie must stay as they are: export them exactly as kvTables or postgresKvTables returns them. ${statement}`,
          )
        tables.push(found.create)
        break
      case 'other':
        if (found.loss !== null) losses.push(found.loss)
        tables.push(statement)
        others.push(statement)
    }
  }
  const buildsUnique = indexes.some((statement) => statement.startsWith('CREATE UNIQUE'))
  return { drop, tables, others, indexes, buildsUnique, renewed: [], losses }
}
