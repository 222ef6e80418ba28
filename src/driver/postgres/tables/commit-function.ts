import { moment } from '../server/sql-text.ts'

/** The result of `kv_commit`. */
export const CommitState = {
  done: 0,
  /** A condition of the plan does not hold: plan again. */
  moved: 1,
  /** The catalogue has another version. */
  catalog: 2,
  /** The queue for turns has changed. */
  turns: 3,
  /** An earlier attempt of the same batch was committed. */
  already: 4,
} as const

/** The isolation level of the transaction would hide earlier commits. */
export const wrongIsolation = 'VK001'

/** How many versions old a plan may be: older ones are planned again, because later commits are checked under the lock. */
const mostLookedThrough = 1_000

/** Up to this many rows, storing them one by one is faster than with arrays. */
const mostByOne = 4

/**
 * The function that carries out a commit, in one request: it takes the counter of versions, which admits one commit at a time and
 * gives out versions in the order in which commits become visible; then it checks the conditions, and writes. `s` is the quoted
 * schema. Reads are also checked before the counter is taken: if others have changed them, nobody needs to wait for that. Its
 * statements find rows by key. Their plans may be made when the table is still empty, so a plan that reads the whole table must not
 * be kept for when it is large.
 */
export function commitFunction(s: string, channel: string): string {
  const isReadChanged = `exists (
    select from ${s}.kv_log l cross join unnest(l.keys) k(key)
      where l.version > p_before and (k.key = any(r_keys) or exists (
        select from unnest(r_starts, r_ends) r(first, last) where k.key >= r.first and k.key < r.last
      ))
  )`
  const columns = 'key, collection, encoding, types, version, expires_at, meanings, value, raw'
  const orReplace = `on conflict (key) do update set collection = excluded.collection, encoding = excluded.encoding, types = excluded.types,
      version = excluded.version, expires_at = excluded.expires_at, meanings = excluded.meanings, value = excluded.value, raw = excluded.raw`
  return `
create or replace function ${s}.kv_commit_1(
  p_catalog bigint, p_turns text, p_before bigint, p_since bigint, p_given integer, p_latest boolean, p_lock_timeout text, p_batch bytea,
  c_keys bytea[], c_versions bigint[],
  r_keys bytea[], r_starts bytea[], r_ends bytea[], r_valid_until bigint, r_expired_after bigint,
  d_keys bytea[],
  t_keys bytea[], t_versions bigint[], t_expiries bigint[],
  w_keys bytea[], w_collections text[], w_encodings smallint[], w_types json[], w_versions bigint[], w_expiries bigint[],
  w_meanings json[], w_values json[], w_raws bytea[],
  l_versions bigint[], l_of integer[], l_keys bytea[], l_kinds bytea[], l_changes bytea[],
  p_turns_after text,
  out state integer, out latest bigint, out turns text, out at bigint, out attempt bytea
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $kv$
declare
  has_read constant boolean := cardinality(r_keys) + cardinality(r_starts) > 0;
  shift bigint;
  known bigint;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'a commit is of the isolation level read committed' using errcode = '${wrongIsolation}';
  end if;
  if has_read then
    select m.version, m.turns into latest, turns from ${s}.kv_meta m where m.one;
    if latest - p_before between 1 and ${mostLookedThrough} then
      if ${isReadChanged} then
        at := ${moment};
        state := ${CommitState.moved};
        return;
      end if;
    end if;
  end if;
  perform set_config('lock_timeout', p_lock_timeout, true);
  update ${s}.kv_meta m set version = m.version + p_given where m.one
    returning m.version - p_given, m.catalog, m.turns into latest, known, turns;
  at := ${moment};
  state := ${CommitState.done};
  if p_since = p_before and latest - p_since > ${mostLookedThrough} then
    state := ${CommitState.moved};
  elsif latest <> p_since then
    select l.version, l.batch into shift, attempt from ${s}.kv_log l
      where l.version > p_since and substring(l.batch from 1 for 16) = substring(p_batch from 1 for 16) order by l.version limit 1;
    if found then
      state := ${CommitState.already};
    elsif coalesce((select min(l.version) from ${s}.kv_log l), 0) > p_since + 1 then
      state := ${CommitState.moved};
    end if;
  end if;
  if state <> ${CommitState.done} then null;
  elsif known <> p_catalog then state := ${CommitState.catalog};
  elsif turns <> p_turns then state := ${CommitState.turns};
  elsif latest <> p_before and p_latest or at >= r_valid_until then state := ${CommitState.moved};
  end if;
  if state = ${CommitState.done} and latest <> p_before and has_read then
    if ${isReadChanged} then state := ${CommitState.moved}; end if;
  end if;
  if state = ${CommitState.done} and r_expired_after is not null then
    if exists (
      select from ${s}.kv join unnest(r_starts, r_ends) r(first, last) on kv.key >= r.first and kv.key < r.last
        where kv.expires_at > r_expired_after and kv.expires_at <= at
    ) then state := ${CommitState.moved};
    end if;
  end if;
  if state = ${CommitState.done} and cardinality(c_keys) > 0 then
    if exists (
      select from unnest(c_keys, c_versions) c(key, version) left join ${s}.kv on kv.key = c.key
        where coalesce(kv.version, 0) <> c.version
    ) then state := ${CommitState.moved};
    end if;
  end if;
  if state <> ${CommitState.done} then
    update ${s}.kv_meta m set version = latest where m.one;
    if state = ${CommitState.already} then latest := shift; end if;
    return;
  end if;

  shift := latest - p_before;
  if cardinality(d_keys) > 0 then
    delete from ${s}.kv where kv.key = any(d_keys);
  end if;
  if cardinality(t_keys) > 0 then
    update ${s}.kv set version = t.version + shift, expires_at = t.expires_at
      from unnest(t_keys, t_versions, t_expiries) t(key, version, expires_at) where kv.key = t.key;
  end if;
  if cardinality(w_keys) <= ${mostByOne} then
    for n in 1 .. cardinality(w_keys) loop
      insert into ${s}.kv (${columns})
        values (w_keys[n], w_collections[n], w_encodings[n], w_types[n], w_versions[n] + shift, w_expiries[n], w_meanings[n], w_values[n], w_raws[n])
        ${orReplace};
    end loop;
  else
    insert into ${s}.kv (${columns})
      select w.key, w.collection, w.encoding, w.types, w.version + shift, w.expires_at, w.meanings, w.value, w.raw
        from unnest(w_keys, w_collections, w_encodings, w_types, w_versions, w_expiries, w_meanings, w_values, w_raws) w(${columns})
      ${orReplace};
  end if;
  if p_given = 1 then
    insert into ${s}.kv_log values (l_versions[1] + shift, at, l_keys, l_kinds[1], l_changes[1], p_batch);
  elsif p_given > 1 then
    insert into ${s}.kv_log
      select max(l.version) + shift, at, coalesce(array_agg(l.key order by l.n) filter (where l.version is null), '{}'),
          (array_agg(l.kinds) filter (where l.version is not null))[1], (array_agg(l.changes) filter (where l.version is not null))[1], p_batch
        from (
          select c.place, c.version, c.kinds, c.changes, null::bytea as key, null::bigint as n
            from unnest(l_versions, l_kinds, l_changes) with ordinality c(version, kinds, changes, place)
          union all
          select k.place, null, null, null, k.key, k.n from unnest(l_of, l_keys) with ordinality k(place, key, n)
        ) l group by l.place;
  end if;
  if p_turns_after is not null then
    update ${s}.kv_meta m set turns = p_turns_after where m.one;
  end if;
  if p_given > 0 then
    latest := latest + p_given;
    perform pg_notify(${channel}, latest::text);
  end if;
end
$kv$;`
}
