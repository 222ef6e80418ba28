import { began, isAlive, moment, quoteName } from '../server/sql-text.ts'
import type { Statement } from '../server/statement.types.ts'
import { statementName } from '../server/statement-name.ts'
import { catalogColumn, keyedColumns, rowColumns, rowsOfFew } from './kv-row.ts'

/** The statements of the driver's hot paths, for a schema of the server. */
export function statementsOf(schema: string) {
  const s = quoteName(schema)
  const named = (kind: string, text: string): Statement => ({ name: statementName(kind, text), text })
  const catalog = catalogColumn(schema)
  const scan = (columns: string, where: string, direction: 'asc' | 'desc') =>
    `select ${columns} from ${s}.kv where ${where} and kv.key >= $1 and kv.key < $2 and ${isAlive} order by kv.key ${direction} limit $3`
  const salvage = (columns: string, where: string) =>
    `select ${columns} from ${s}.kv where ${where} and kv.key > $1 and ${isAlive} order by kv.key limit $2`
  const ofCollection = `${keyedColumns}, ${catalog}`
  const oldest = `(select coalesce(min(l.version), 0) from ${s}.kv_log l)`
  // In a select of its own, a limit has one plan for all its values.
  // A standby, also one that is about to be promoted, may only later have what another server has shown.
  const latestOrBehind = `case when pg_is_in_recovery() then greatest(m.version, $1) else m.version end`
  const looked = `(select l.version, l.at from ${s}.kv_log l order by l.version limit (select $1::bigint))`
  const sum = (of: (column: string) => string) =>
    ['value', 'types', 'raw'].map((column) => `coalesce(${of(`kv.${column}`)}, 0)`).join(' + ')
  const storedBytes = sum((column) => `pg_column_size(${column})`)
  // Asked for only where it is little as it is stored: the server has to read and unpack the value.
  const bytes = sum((column) => `octet_length(${column === 'kv.raw' ? column : `${column}::text`})`)
  return {
    get: named('get', `select ${rowColumns} from ${s}.kv where kv.key = $1 and ${isAlive}`),
    getFew: named('get_few', rowsOfFew(schema, '$1', keyedColumns, isAlive)),
    getMany: named('get_many', `select ${keyedColumns} from ${s}.kv where kv.key = any($1) and ${isAlive}`),
    exists: named('exists', `select from ${s}.kv where kv.key = $1 and ${isAlive}`),
    scan: {
      asc: named('scan', scan(keyedColumns, 'true', 'asc')),
      desc: named('scan_desc', scan(keyedColumns, 'true', 'desc')),
    },
    scanOf: {
      asc: named('scan_of', scan(ofCollection, 'kv.collection = $4', 'asc')),
      desc: named('scan_of_desc', scan(ofCollection, 'kv.collection = $4', 'desc')),
    },
    salvage: named('salvage', salvage(keyedColumns, 'true')),
    salvageOf: named('salvage_of', salvage(ofCollection, 'kv.collection = $3')),
    count: named('count', `select count(*), ${catalog} from ${s}.kv where kv.collection = $1 and ${isAlive}`),
    countRange: named(
      'count_range',
      `select count(*), ${catalog} from ${s}.kv where kv.collection = $1 and kv.key >= $2 and kv.key < $3 and ${isAlive}`,
    ),
    latest: named('latest', `select m.version from ${s}.kv_meta m where m.one`),
    state: named('state', `select m.version, m.catalog, ${began} from ${s}.kv_meta m where m.one`),
    logSince: named(
      'log_since',
      `select ${latestOrBehind}, ${oldest}, l.version, l.at, l.keys, l.kinds, l.changes from ${s}.kv_meta m left join lateral (
        select p.* from (
          select l.*, sum(pg_column_size(l.keys) + coalesce(octet_length(l.changes), 0)) over (order by l.version rows between unbounded preceding and 1 preceding) as before
            from (select l.* from ${s}.kv_log l where l.version > $1 order by l.version limit $2) l
        ) p where coalesce(p.before, 0) < $3
      ) l on true where m.one order by l.version`,
    ),
    rowsOfVersions: named(
      'rows_of_versions',
      `select ${rowColumns} from (
        select s.*, sum(s.size) over (order by s.place rows between unbounded preceding and 1 preceding) as before from (
          select kv.*, k.place, case when ${storedBytes} > $3 then ${storedBytes} else ${bytes} end as size
            from unnest((select $1::bytea[]), (select $2::bigint[])) with ordinality k(key, version, place)
            left join lateral (select kv.* from ${s}.kv where kv.key = k.key and kv.version = k.version and ${isAlive} limit 1) kv on true
        ) s
      ) kv where kv.place = 1 or (kv.size <= $3 and kv.before < $3) order by kv.place`,
    ),
    nextExpiry: named(
      'next_expiry',
      `select min(kv.expires_at) from ${s}.kv where kv.expires_at is not null`,
    ),
    nextExpiryOf: named(
      'next_expiry_of',
      `select min(kv.expires_at) from ${s}.kv where kv.expires_at > $1 and kv.collection = $2`,
    ),
    commit: named(
      'commit',
      `select at, state, latest, turns, attempt from ${s}.kv_commit_1(${Array.from({ length: 34 }, (_, at) => `$${at + 1}`).join(', ')})`,
    ),
    turns: named('turns', `select m.turns, ${moment} from ${s}.kv_meta m where m.one`),
    changeTurns: named('change_turns', `select ${s}.kv_turns_1($1, $2, $3)`),
    sweep: named('sweep', `select removed, latest, next from ${s}.kv_sweep_1($1, $2)`),
    clear: named('clear', `select before, latest from ${s}.kv_clear_1($1)`),
    trim: named(
      'trim',
      `delete from ${s}.kv_log l where l.version < coalesce(
        (select o.version from ${looked} o where o.version >= $2 or (o.version > $3 and o.at >= $4) order by o.version limit 1),
        (select max(o.version) + 1 from ${looked} o))`,
    ),
  }
}

export type Statements = ReturnType<typeof statementsOf>
