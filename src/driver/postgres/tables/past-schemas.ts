import type { PastSchema } from '../../../catalog/catalog.ts'
import { storedPastSchema } from '../../../catalog/stored-collection.ts'
import type { RunStatement } from '../server/statement.types.ts'
import { texts } from '../values/binary-array.ts'

/** The first migration creates the table. Releases that do not know it ignore it. */
export const pastSchemasTable = 'kv_past_schemas'
const columns = 'name, pattern, schema, replaced_by'

/** The rows of the table in the schema `s` (already quoted); none if no migration has created it. */
export async function readPastSchemas(
  run: RunStatement,
  s: string,
): Promise<readonly (readonly unknown[])[]> {
  if (!(await isThere(run, s))) return []
  return run({ text: `select ${columns} from ${s}.${pastSchemasTable} order by place` }, [])
}

/** Replaces all past schemas of the database, inside the open transaction. */
export async function keepPastSchemas(
  run: RunStatement,
  s: string,
  past: readonly PastSchema[],
): Promise<void> {
  if (await isThere(run, s)) await run({ text: `delete from ${s}.${pastSchemasTable}` }, [])
  else await makeTable(run, s)
  const rows = past.map(storedPastSchema)
  const column = (at: 0 | 1 | 2 | 3) => texts(rows.map((row) => row[at]))
  const text = `insert into ${s}.${pastSchemasTable} (${columns}, place)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality`
  await run({ text }, [column(0), column(1), column(2), column(3)])
}

async function isThere(run: RunStatement, s: string): Promise<boolean> {
  const [row] = await run({ text: 'select to_regclass($1) is not null' }, [`${s}.${pastSchemasTable}`])
  return row![0] as boolean
}

/** Creates the table, and lets everyone read it who may read the catalogue, because opening the database reads it. */
async function makeTable(run: RunStatement, s: string): Promise<void> {
  const definitions =
    'place bigint primary key, name text not null, pattern text not null, schema text, replaced_by text'
  await run({ text: `create table ${s}.${pastSchemasTable} (${definitions})` }, [])
  const readers = `select distinct case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
    from pg_class c, aclexplode(c.relacl) a where c.oid = to_regclass($1) and a.privilege_type = 'SELECT'`
  for (const [reader] of await run({ text: readers }, [`${s}.kv_collections`]))
    await run({ text: `grant select on ${s}.${pastSchemasTable} to ${reader}` }, [])
}
