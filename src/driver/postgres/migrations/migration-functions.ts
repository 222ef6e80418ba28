import { keysPerLogRow } from '../../../commit/log-format.ts'
import { moment } from '../server/sql-text.ts'

/** The bytes of `kinds`, in hexadecimal. */
const kinds = { set: '01', delete: '02', expire: '03' }

/**
 * The functions that the SQL of a migration calls. They exist only while it is applied, and only for it: `valkeyrie migrate` and
 * `open` create them in the transaction, and drop them at its end. Their behaviour must never change, because files that call them
 * stay. They treat JSON as text, so whatever is not changed stays as it was written: the names of fields in their order, and values
 * that the server cannot read. Those called for each row plan their statements once, not at each call.
 */
const functions: Readonly<Record<string, string>> = {
  /** The name of a field as `escapeJson` writes it, with a lone surrogate escaped. */
  'kv_name_1(name text)': `returns text language sql immutable as $kv$
  select replace(to_json(name)::text, chr(55295) || $t$\\u0003$t$, $t$\\ud7ff\\u0003$t$)
$kv$`,
  /** Sets a field of an object, in its place or at the end. Leaves anything that is not an object. */
  'kv_put_1(object json, path text[], field json)': `returns json language plpgsql immutable as $kv$
declare
  fields text;
begin
  if json_typeof(object) is distinct from 'object' then return object; end if;
  if cardinality(path) > 1 then
    if json_typeof(object -> path[1]) is distinct from 'object' then return object; end if;
    field := kv_put_1(object -> path[1], path[2:], field);
  end if;
  select string_agg(kv_name_1(e.key) || ':' || case when e.key = path[1] then field else e.value end::text, ',' order by e.place)
    into fields from json_each(object) with ordinality e(key, value, place);
  if object -> path[1] is null then
    fields := coalesce(fields || ',', '') || kv_name_1(path[1]) || ':' || field::text;
  end if;
  return ('{' || fields || '}')::json;
end
$kv$`,
  /** Removes a field from an object. */
  'kv_drop_1(object json, path text[])': `returns json language plpgsql immutable as $kv$
begin
  if json_typeof(object) is distinct from 'object' or object -> path[1] is null then return object; end if;
  if cardinality(path) > 1 then return kv_put_1(object, path[1:1], kv_drop_1(object -> path[1], path[2:])); end if;
  return (select '{' || coalesce(string_agg(kv_name_1(e.key) || ':' || e.value::text, ',' order by e.place), '') || '}'
    from json_each(object) with ordinality e(key, value, place) where e.key <> path[1])::json;
end
$kv$`,
  /** The fields of an object, with their names as written. The server reads names without escapes faster, and as they are written. */
  'kv_fields_1(object text)': `returns table (place bigint, name text, field text) language plpgsql immutable as $kv$
#variable_conflict use_column
begin
  if starts_with(object, '{') and strpos(object, $t$\\$t$) = 0 then
    return query select e.place, '"' || e.key || '"', e.value::text from json_each(object::json) with ordinality e(key, value, place);
    return;
  end if;
  return query with tokens as (
    select n, m[1] as token from regexp_matches(object, $re$"(?:[^"\\\\]|\\\\.)*"|[][{},:]|[^][{},:"[:space:]]+$re$, 'g') with ordinality r(m, n)
  ), nested as (
    select n, token, sum(case when token in ('{', '[') then 1 when token in ('}', ']') then -1 else 0 end) over (order by n) as depth from tokens
  ), placed as (
    select n, token, depth, count(*) filter (where token = ',' and depth = 1) over (order by n) as place from nested where n > 1 and depth > 0
  ), numbered as (
    select n, token, place, row_number() over (partition by place order by n) as nth from placed where not (token = ',' and depth = 1)
  )
  select place, min(token) filter (where nth = 1), string_agg(token, '' order by n) filter (where nth > 2) from numbered group by place;
end
$kv$`,
  /**
   * Removes a path, and everything below it, from an object by paths. With `moved`, moves them to that path instead, and replaces
   * what was there. The paths are as JSON writes them. Null if nothing is left.
   */
  'kv_paths_1(object text, path text, moved text)': `returns text language plpgsql immutable set plan_cache_mode = force_generic_plan as $kv$
begin
  return (select '{' || string_agg(
      case when f.name = '"' || path || '"' or starts_with(f.name, '"' || path || '.')
        then '"' || moved || substr(f.name, length(path) + 2) else f.name end || ':' || f.field, ',' order by f.place) || '}'
    from kv_fields_1(object) f
    where not (f.name = '"' || coalesce(moved, path) || '"' or starts_with(f.name, '"' || coalesce(moved, path) || '.')));
end
$kv$`,
  /** The same for the types of a row. Null if no types are left. */
  'kv_types_1(types json, path text, moved text)': `returns json language plpgsql immutable set plan_cache_mode = force_generic_plan as $kv$
declare
  known text;
  left_over text;
begin
  -- Taking them apart takes its time, and most of them describe other paths.
  if types is null or position('"' || path in types::text) + coalesce(position('"' || moved in types::text), 0) = 0 then return types; end if;
  known := (select f.field from kv_fields_1(types::text) f where f.name = '"values"');
  if known is null or not starts_with(known, '{') then return types; end if;
  left_over := kv_paths_1(known, path, moved);
  if left_over is null and not exists (select from kv_fields_1(types::text) f where f.name = '"referentialEqualities"') then return null; end if;
  return (select '{' || string_agg(f.name || ':' || case f.name when '"values"' then left_over else f.field end, ',' order by f.place) || '}'
    from kv_fields_1(types::text) f where f.name <> '"values"' or left_over is not null)::json;
end
$kv$`,
  /** The same for the meanings of a row's texts, beside its types. */
  'kv_meanings_1(meanings json, types json, path text, moved text)': `returns json language sql immutable as $kv$
  select case when meanings is not null and kv_types_1(types, path, moved) is not null
    then coalesce(kv_paths_1(meanings::text, path, moved), '{}')::json end
$kv$`,
  /** Whether a field of a row is undefined. */
  'kv_undefined_1(types json, path text)': `returns boolean language sql immutable as $kv$
  select case when position('"' || path || '":["undefined"]' in types::text) > 0 then exists (
    select from kv_fields_1((select f.field from kv_fields_1(types::text) f where f.name = '"values"' and starts_with(f.field, '{'))) f
      where f.name = '"' || path || '"' and f.field = '["undefined"]'
  ) else false end
$kv$`,
  /** Makes one commit of all rows with the next version; several, if they are many. */
  'kv_told_1()': telling(
    'select kv.key from kv where kv.version = before + 1',
    kinds.set,
    `, spread as (
    update kv set version = kv.version + n.page from n where kv.key = n.key and n.page > 0
  )`,
  ),
  /** Makes a commit that reports the keys of a collection as deleted. */
  'kv_told_gone_1(gone text)': telling('select kv.key from kv where kv.collection = gone', kinds.delete),
  /** Removes the expired rows, as a commit: only the others are migrated. */
  'kv_remove_expired_1()': telling(
    'delete from kv where kv.expires_at <= time returning kv.key',
    kinds.expire,
  ),
  /** Gives the catalogue the version of a commit, so that programs with the database open notice. */
  'kv_renew_catalog_1()': `returns void language plpgsql as $kv$
begin
  with m as (
    update kv_meta set version = version + 1, catalog = version + 1 where one returning version
  ), l as (
    insert into kv_log select version, ${moment}, '{}', '', null, null from m
  )
  update kv_collections set version = m.version from m;
end
$kv$`,
}

/** A function that logs keys. `rows`: a statement that returns them. */
function telling(rows: string, kind: string, more = ''): string {
  return `returns void language plpgsql as $kv$
declare
  before bigint := (select version from kv_meta where one for update);
  time bigint := ${moment};
  latest bigint;
begin
  with changed as (${rows}),
  n as (select key, (row_number() over (order by key) - 1) / ${keysPerLogRow} as page from changed)${more},
  logged as (
    insert into kv_log
      select before + 1 + p.page, time, p.keys, decode(repeat('${kind}', cardinality(p.keys)), 'hex'), null, null
        from (select page, array_agg(key order by key) as keys from n group by page) p
      returning version
  )
  select max(version) into latest from logged;
  update kv_meta set version = latest where one and latest is not null;
end
$kv$`
}

/** Creates the functions in the first schema of the search path. */
export const createFunctions = Object.entries(functions)
  .map(([signature, body]) => `create or replace function ${signature} ${body};`)
  .join('\n')

export const dropFunctions = `drop function if exists ${Object.keys(functions).join(', ')}`
