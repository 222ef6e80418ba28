import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { Valkeyrie } from 'valkeyrie'

/** A schema whose tables have grown larger is not used again. */
const mostBytes = 400_000
/** How often to look whether those who have closed their connections are gone. */
const mostLooks = 100

/**
 * `emptied` drops what a schema has beyond one that is fresh, gives each of its tables the rows of the fresh one, and returns whether the two are the
 * same then, to the least option, except for their names. Of several it returns those of which that holds, and null while somebody is connected.
 */
const functions = `
create schema test_schemas;
create function test_schemas.description(s text) returns text language sql as $$
  select string_agg(replace(line, s, '*'), chr(10) order by replace(line, s, '*') collate "C") from (
    select row('schema', n.nspowner, n.nspacl)::text from pg_namespace n where n.nspname = s
    union all
    select row('relation', c.relname, c.relkind, c.relpersistence, c.relowner, c.relacl, c.reloptions, c.reltuples, c.relrowsecurity,
        c.relreplident, c.relhasrules, c.relhassubclass, obj_description(c.oid, 'pg_class'), pg_get_indexdef(i.indexrelid), i.indisvalid,
        i.indisready, i.indisclustered)::text
      from pg_class c left join pg_index i on i.indexrelid = c.oid where c.relnamespace = s::regnamespace
    union all
    select row('column', c.relname, a.attnum, a.attname, a.atttypid::regtype, a.atttypmod, a.attnotnull, a.attstorage, a.attcollation,
        a.attoptions, a.attacl, a.attisdropped, pg_get_expr(d.adbin, d.adrelid))::text
      from pg_class c join pg_attribute a on a.attrelid = c.oid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relnamespace = s::regnamespace and c.relkind = 'r' and a.attnum > 0
    union all
    select row('constraint', o.conname, pg_get_constraintdef(o.oid))::text from pg_constraint o where o.connamespace = s::regnamespace
    union all
    select row('function', p.oid::regprocedure, p.proowner, p.proacl, p.provolatile, p.proparallel, p.proisstrict, p.prosecdef, p.procost, p.proconfig,
        p.prosrc)::text
      from pg_proc p where p.pronamespace = s::regnamespace
    union all
    select row('trigger', pg_get_triggerdef(t.oid))::text from pg_trigger t join pg_class c on c.oid = t.tgrelid where c.relnamespace = s::regnamespace
    union all
    select row('type', t.typname)::text from pg_type t where t.typnamespace = s::regnamespace
  ) it(line)
$$;
create table test_schemas.fresh (name text, description text);
create function test_schemas.emptied(s text) returns boolean language plpgsql as $$
declare
  fresh record;
  statement text;
begin
  if to_regnamespace(s) is null then return true; end if;
  if (select sum(pg_relation_size(c.oid)) from pg_class c where c.relnamespace = s::regnamespace and c.relkind = 'r') > ${mostBytes} then return false; end if;
  select * into fresh from test_schemas.fresh;
  for statement in
    select format('drop trigger %I on %s', t.tgname, t.tgrelid::regclass) from pg_trigger t join pg_class c on c.oid = t.tgrelid
      where c.relnamespace = s::regnamespace and not t.tgisinternal
    union all
    select format(case c.relkind when 'i' then 'drop index if exists %I.%I' else 'drop table if exists %I.%I' end, s, c.relname) from pg_class c
      where c.relnamespace = s::regnamespace and c.relkind in ('r', 'i')
        and not exists (select from pg_class f where f.relnamespace = fresh.name::regnamespace and f.relname = c.relname)
    union all
    select format('drop function %s', p.oid::regprocedure) from pg_proc p where p.pronamespace = s::regnamespace
      and not exists (select from pg_proc f where f.pronamespace = fresh.name::regnamespace and f.proname = p.proname)
  loop
    execute statement;
  end loop;
  for statement in
    select format('delete from %I.%I; insert into %1$I.%2$I select * from %3$I.%2$I', s, c.relname, fresh.name)
      from pg_class c where c.relnamespace = fresh.name::regnamespace and c.relkind = 'r'
  loop
    execute statement;
  end loop;
  return test_schemas.description(s) = fresh.description;
exception when others then
  return false;
end
$$;
create function test_schemas.emptied(schemas text[]) returns text[] language plpgsql as $$
declare
  s text;
  result text[] := '{}';
begin
  if exists (select from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid())
  then return null; end if;
  foreach s in array schemas loop
    if test_schemas.emptied(s) then result := result || s; end if;
  end loop;
  return result;
end
$$`

/**
 * Schemas that tests use one after the other: creating the tables of a database takes the server much longer than emptying them. One in which
 * anything else has changed is not used again.
 */
export class EmptiedSchemas {
  readonly #address: string
  readonly #client: pg.Client
  readonly #free: string[] = []
  #used: string[] = []

  private constructor(address: string, client: pg.Client) {
    this.#address = address
    this.#client = client
  }

  /** Of the database at this address, which only this process uses. */
  static async in(address: string): Promise<EmptiedSchemas> {
    const client = new pg.Client({ connectionString: address })
    await client.connect()
    await client.query(functions)
    const schemas = new EmptiedSchemas(address, client)
    const name = newName()
    const db = await Valkeyrie.open(schemas.#at(name))
    await db.close()
    await client.query('insert into test_schemas.fresh select $1, test_schemas.description($1)', [name])
    return schemas
  }

  /** The address of a schema that is empty: it does not exist, or is as when a database was opened there and closed. */
  newAddress(): string {
    const name = this.#free.pop() ?? newName()
    this.#used.push(name)
    return this.#at(name)
  }

  /** Empties those whose addresses were given since the last time. Where somebody still has a connection, they are not used again. */
  async takeBack(): Promise<void> {
    const used = this.#used
    if (used.length === 0) return
    this.#used = []
    for (let look = 0; look < mostLooks; look++) {
      const text = 'select test_schemas.emptied($1::text[]) as emptied'
      const { rows } = await this.#client.query({ name: 'emptied', text, values: [used] })
      const { emptied } = rows[0] as { emptied: string[] | null }
      if (emptied === null) continue
      this.#free.push(...emptied)
      return
    }
  }

  end(): Promise<void> {
    return this.#client.end()
  }

  #at(schema: string): string {
    const address = new URL(this.#address)
    address.searchParams.set('schema', schema)
    return address.href
  }
}

function newName(): string {
  return `test_${randomBytes(8).toString('hex')}`
}
