import type { Migration } from '../../migration.ts'
import type { AppliedMigration, MigrationHistory } from '../../migration-history.ts'
import type { RunStatement } from '../server/statement.types.ts'
import { journalTable } from '../tables/ddl.ts'

/** Whether the schema `s`, quoted, has a table. */
export async function hasTable(run: RunStatement, s: string, name: string): Promise<boolean> {
  const [row] = await run({ text: 'select to_regclass($1) is not null' }, [`${s}."${name}"`])
  return row![0] as boolean
}

export async function readHistory(run: RunStatement, s: string): Promise<MigrationHistory> {
  const hasTables = await hasTable(run, s, 'kv')
  if (!(await hasTable(run, s, journalTable))) return { applied: null, hasTables }
  const rows = await run({ text: `select created_at, hash from ${s}.${journalTable} order by id` }, [])
  return { applied: rows.map(([when, hash]) => ({ when: Number(when), hash })), hasTables }
}

/** Records a migration as applied. */
export function markApplied(run: RunStatement, s: string, { drizzle }: Migration): Promise<void> {
  return recordApplied(run, s, [{ when: drizzle.folderMillis, hash: drizzle.hash }])
}

/** Records migrations as applied, in this order. */
export async function recordApplied(
  run: RunStatement,
  s: string,
  applied: readonly AppliedMigration[],
): Promise<void> {
  const columns = 'id serial primary key, hash text not null, created_at bigint'
  await run({ text: `create table if not exists ${s}.${journalTable} (${columns})` }, [])
  for (const { when, hash } of applied)
    await run({ text: `insert into ${s}.${journalTable} (hash, created_at) values ($1, $2)` }, [hash, when])
}

/** Whether a database exists: with its tables, or with applied migrations. */
export async function isThere(run: RunStatement, s: string): Promise<boolean> {
  const { applied, hasTables } = await readHistory(run, s)
  return hasTables || (applied !== null && applied.length > 0)
}
