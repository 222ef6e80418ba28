import { keysPerLogRow } from '../../../commit/log-format.ts'
import { moment } from '../server/sql-text.ts'
import { wrongIsolation } from './commit-function.ts'

const assertIsolation = `
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'a commit is of the isolation level read committed' using errcode = '${wrongIsolation}';
  end if;`

/** The functions for changes that are not planned commits, each in one request. `s` is the quoted schema. */
export function functions(s: string, channel: string): string {
  return `
create or replace function ${s}.kv_turns_1(p_before text, p_after text, p_begins boolean) returns boolean language plpgsql as $kv$
declare
  given bigint := case when p_begins then 1 else 0 end;
  latest bigint;
begin${assertIsolation}
  update ${s}.kv_meta m set turns = p_after, version = m.version + given where m.one and m.turns = p_before returning m.version into latest;
  if not found then return false; end if;
  if p_begins then
    insert into ${s}.kv_log values (latest, ${moment}, '{}', '', null, null);
    perform pg_notify(${channel}, latest::text);
  end if;
  return true;
end
$kv$;

create or replace function ${s}.kv_sweep_1(p_limit integer, p_lock_timeout text, out removed integer, out latest bigint, out next bigint)
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $kv$
declare
  time bigint;
  gone bytea[];
begin${assertIsolation}
  perform set_config('lock_timeout', p_lock_timeout, true);
  select m.version into latest from ${s}.kv_meta m where m.one for update;
  time := ${moment};
  with d as (
    delete from ${s}.kv where kv.key = any(array(
      select e.key from ${s}.kv e where e.expires_at is not null and e.expires_at <= time order by e.expires_at, e.key limit p_limit
    )) returning kv.key
  ) select coalesce(array_agg(d.key order by d.key), '{}') into gone from d;
  removed := cardinality(gone);
  if removed > 0 then
    latest := latest + 1;
    update ${s}.kv_meta m set version = latest where m.one;
    insert into ${s}.kv_log values (latest, time, gone, decode(repeat('03', removed), 'hex'), null, null);
    perform pg_notify(${channel}, latest::text);
  end if;
  select min(kv.expires_at) into next from ${s}.kv where kv.expires_at is not null;
end
$kv$;

create or replace function ${s}.kv_clear_1(p_lock_timeout text, out before bigint, out latest bigint) language plpgsql as $kv$
begin${assertIsolation}
  perform set_config('lock_timeout', p_lock_timeout, true);
  select m.version into before from ${s}.kv_meta m where m.one for update;
  with d as (delete from ${s}.kv returning kv.key),
  n as (select d.key, (row_number() over (order by d.key) - 1) / ${keysPerLogRow} as page from d),
  p as (select n.page, array_agg(n.key order by n.key) as keys from n group by n.page)
  insert into ${s}.kv_log
    select before + 1 + p.page, ${moment}, p.keys, decode(repeat('02', cardinality(p.keys)), 'hex'), null, null from p;
  if not found then
    insert into ${s}.kv_log values (before + 1, ${moment}, '{}', '', null, null);
  end if;
  select max(l.version) into latest from ${s}.kv_log l;
  update ${s}.kv_meta m set version = latest where m.one;
  perform pg_notify(${channel}, latest::text);
end
$kv$;`
}
