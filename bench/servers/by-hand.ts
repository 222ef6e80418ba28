import pg from 'pg'
import type { Entry } from '../contenders/contender.ts'
import type { User } from '../values/user.ts'
import type { ServerContender, ServerStore } from './contender.ts'

/** A version of each commit, in the order in which they become visible, and a log of them, which wakes those who watch. */
export const tables = `
  create table users (key text collate "C" primary key, value json not null, version bigint not null);
  create index users_by_age on users (((value ->> 'age')::int), key);
  create table counter (version bigint not null);
  insert into counter values (0);
  create table log (version bigint primary key, at timestamptz not null, keys text[] not null);`

const put = `on conflict (key) do update set value = excluded.value, version = excluded.version`
const tell = `select pg_notify('commits', version::text) from`

const sql = {
  get: 'select value from users where key = $1',
  page: `select value from users where (value ->> 'age')::int = $1 order by key limit 20`,
  set: `with c as (update counter set version = version + 1 returning version),
    w as (insert into users select $1, $2::json, version from c ${put}),
    l as (insert into log select version, now(), array[$1] from c) ${tell} c`,
  setEach: `with c as (update counter set version = version + cardinality($1::text[]) returning version),
    e as (select key, value, version - cardinality($1::text[]) + n as version from c, unnest($1::text[], $2::json[]) with ordinality e(key, value, n)),
    w as (insert into users select key, value, version from e ${put}),
    l as (insert into log select version, now(), array[key] from e) ${tell} c`,
  setAll: `with c as (update counter set version = version + 1 returning version),
    w as (insert into users select key, value, version from c, unnest($1::text[], $2::json[]) e(key, value) ${put}),
    l as (insert into log select version, now(), $1::text[] from c) ${tell} c`,
  lock: 'select key, value from users where key = any($1::text[]) order by key for update',
  upsert: `insert into users values ($1, $2, 0) ${put}`,
  upsertAll: `insert into users select key, value, 0 from unnest($1::text[], $2::json[]) e(key, value) ${put}`,
} as const

const columns = (entries: readonly Entry[]) => [
  entries.map(([id]) => id),
  entries.map(([, user]) => JSON.stringify(user)),
]

async function connect(address: string) {
  const client = new pg.Client({ connectionString: address, pipeline: true })
  await client.connect()
  const run = (name: keyof typeof sql, ...values: unknown[]) =>
    client.query<{ key: string; value: User }>({ name, text: sql[name], values })
  return { client, run }
}

/** What a careful program does for the same promise: each statement prepared, each call one request, a unit of work two. */
export const byHand: ServerContender = {
  name: 'pg by hand',
  note: 'prepared statements on one connection; versions in the order of commits, a log and NOTIFY, as valkeyrie has them',
  async open(address) {
    const { client, run } = await connect(address)
    return {
      async load(entries) {
        await client.query(tables)
        await run('setAll', ...columns(entries))
      },
      get: async (id) => (await run('get', id)).rows[0]?.value,
      page: async (age) => (await run('page', age)).rows.map(({ value }) => value),
      set: (id, user) => run('set', id, JSON.stringify(user)),
      setsAtOnce: (entries) => run('setEach', ...columns(entries)),
      atomic: (entries) => run('setAll', ...columns(entries)),
      async swapAges(idOfA, idOfB) {
        const [, { rows }] = await Promise.all([client.query('begin'), run('lock', [idOfA, idOfB])])
        const [a, b] = rows as [{ key: string; value: User }, { key: string; value: User }]
        const swapped: Entry[] = [
          [a.key, { ...a.value, age: b.value.age }],
          [b.key, { ...b.value, age: a.value.age }],
        ]
        await Promise.all([run('setAll', ...columns(swapped)), client.query('commit')])
      },
      close: () => client.end(),
    } satisfies ServerStore
  },
}

/** The rows alone: no version, no log, nobody is told. */
export const upserts: ServerContender = {
  name: 'pg upserts',
  note: 'the same table, and nothing but upserts: no versions, no log, no NOTIFY',
  async open(address) {
    const { client, run } = await connect(address)
    return {
      async load(entries) {
        await client.query(tables)
        await run('upsertAll', ...columns(entries))
      },
      set: (id, user) => run('upsert', id, JSON.stringify(user)),
      setsAtOnce: (entries) => run('upsertAll', ...columns(entries)),
      atomic: (entries) => run('upsertAll', ...columns(entries)),
      close: () => client.end(),
    } satisfies ServerStore
  },
}
