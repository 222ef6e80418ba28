import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core'
import { type Drift, driftOf } from '../../migration-database.ts'
import { quoteName } from '../server/sql-text.ts'
import type { RunStatement } from '../server/statement.types.ts'

/**
 * How the tables of a database differ from the declared ones: tables, columns, and indexes by name. `s`: the schema of tables that
 * name none.
 */
export async function tableDrift(run: RunStatement, s: string, tables: readonly PgTable[]): Promise<Drift[]> {
  const drift: Drift[] = []
  for (const table of tables) {
    const { name, schema, columns, indexes } = getTableConfig(table)
    const place = `${schema === undefined ? s : quoteName(schema)}.${quoteName(name)}`
    const [there] = await run({ text: 'select to_regclass($1)::oid' }, [place])
    if (there![0] === null) {
      drift.push(driftOf('table', name, 'is missing'))
      continue
    }
    const actual = await namesOf(
      run,
      'select attname from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped',
      place,
    )
    const actualIndexes = await namesOf(
      run,
      'select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = to_regclass($1)',
      place,
    )
    const declared = columns.map((column) => column.name)
    const declaredIndexes = indexes.map(({ config }) => config.name!)
    drift.push(
      ...missing(declared, actual).map((column) => driftOf('column', `${name}.${column}`, 'is missing')),
      ...missing(actual, declared).map((column) => driftOf('column', `${name}.${column}`, 'is not declared')),
      ...missing(declaredIndexes, actualIndexes).map((index) => driftOf('index', index, 'is missing')),
    )
  }
  return drift
}

async function namesOf(run: RunStatement, text: string, table: string): Promise<string[]> {
  return (await run({ text }, [table])).map(([name]) => name as string)
}

function missing(wanted: readonly string[], there: readonly string[]): string[] {
  return wanted.filter((name) => !there.includes(name))
}
