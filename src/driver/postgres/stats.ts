import { formatVersionstamp } from '../../key/versionstamp.ts'
import type {
  DatabaseStats,
  ExpiryStats,
  FileStats,
  IndexStats,
  LoggedSize,
  LogStats,
  RepositoryStats,
  Sizes,
} from '../stats.ts'
import { ServerSearches } from './search/searches.ts'
import { searchName } from './search/tables.ts'
import { began, isAlive, quoteName, quoteText } from './server/sql-text.ts'
import type { Row, RunStatement } from './server/statement.types.ts'
import type { BuiltIndex } from './tables/indexes.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Where to read the figures of a database. */
interface StatsSource {
  readonly run: RunStatement
  readonly schema: string
  /** The names of the collections in the catalogue. */
  readonly known: readonly string[]
  readonly built: readonly BuiltIndex[]
  /** Throws if nobody wants the rest. */
  assertWanted(): void
}

/** The figures of a database, each kind with a statement of its own. */
export async function readStats(source: StatsSource): Promise<Omit<DatabaseStats, 'oldestSnapshot'>> {
  const { repositories, expiring } = await readRows(source)
  source.assertWanted()
  const log = await readLog(source)
  source.assertWanted()
  const indexes = await readIndexes(source)
  source.assertWanted()
  return { newest: log.newest, repositories, indexes, log, expiring, file: await readFile(source) }
}

async function readRows({ run, schema, known }: StatsSource) {
  const within = (time: number) =>
    `count(*) filter (where kv.expires_at > ${began} and kv.expires_at <= ${began} + ${time})`
  const bytes =
    'octet_length(kv.key) + coalesce(octet_length(kv.value::text), 0) + coalesce(octet_length(kv.raw), 0) + coalesce(octet_length(kv.types::text), 0)'
  const text = `select kv.collection, count(*) filter (where ${isAlive}), coalesce(sum(${bytes}) filter (where ${isAlive}), 0)::bigint,
      count(*) filter (where not ${isAlive}), ${within(minute)}, ${within(hour)}, ${within(day)},
      min(kv.expires_at) filter (where ${isAlive})
    from ${quoteName(schema)}.kv group by kv.collection`
  const rows = (await run({ text }, [])) as unknown as readonly [string | null, ...number[]][]
  const found = new Map<string | null, Omit<RepositoryStats, 'repository'>>(
    known.map((name) => [name, { rows: 0, bytes: 0 }]),
  )
  const expiring = { expired: 0, minute: 0, hour: 0, day: 0 }
  let next: number | null = null
  for (const [collection, alive, size, expired, inMinute, inHour, inDay, first] of rows) {
    found.set(collection, { rows: alive!, bytes: size! })
    expiring.expired += expired!
    expiring.minute += inMinute!
    expiring.hour += inHour!
    expiring.day += inDay!
    if (first != null && (next === null || first < next)) next = first
  }
  const repositories = [...found].map(([repository, sums]) => ({ repository, ...sums }))
  return { repositories, expiring: { ...expiring, next } satisfies ExpiryStats }
}

async function readLog({ run, schema }: StatsSource): Promise<LogStats> {
  const text = `select count(*), coalesce(sum(octet_length(l.kinds) + coalesce(octet_length(l.changes), 0)
      + (select coalesce(sum(octet_length(k)), 0) from unnest(l.keys) k)), 0)::bigint, min(l.version), max(l.version)
    from ${quoteName(schema)}.kv_log l`
  const [row] = await run({ text }, [])
  const [rows, bytes, oldest, newest] = row as [number, number, number | null, number | null]
  return { rows, bytes, oldest: stampOf(oldest), newest: stampOf(newest) }
}

async function readIndexes({ run, schema, built }: StatsSource): Promise<IndexStats[]> {
  const text = `select c.relname, pg_relation_size(c.oid) from pg_index i join pg_class c on c.oid = i.indexrelid
      join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
    where n.nspname = $1 and t.relname = 'kv' order by c.relname collate "C"`
  const declared = new Map(built.map(({ name, index }) => [name, index]))
  const indexes = (await run({ text }, [schema])).map((row): IndexStats => {
    const [name, bytes] = row as [string, number]
    const { collection = null, fields = [], unique = false } = declared.get(name) ?? {}
    return { name, repository: collection, fields, unique, bytes }
  })
  for (const of of await new ServerSearches(schema, run).known()) {
    const name = searchName(of)
    const size = { text: 'select coalesce(pg_total_relation_size(to_regclass($1)), 0)' }
    const [row] = await run(size, [`${quoteName(schema)}.${quoteName(name)}`])
    const { fields } = of.search
    indexes.push({ name, repository: of.collection, fields, unique: false, bytes: row![0] as number })
  }
  return indexes
}

/** The size of the tables with their indexes. The server's log and memory do not belong to one schema. */
async function readFile({ run, schema }: StatsSource): Promise<FileStats> {
  const text = `select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relkind = 'r'`
  const [row] = (await run({ text }, [schema])) as [Row]
  return { bytes: row[0] as number, freeBytes: 0, walBytes: 0, cacheBytes: 0 }
}

/** How large a database is. */
export async function readSizes(run: RunStatement, schema: string): Promise<Sizes> {
  const bytesOf = (table: string) =>
    `pg_total_relation_size(${quoteText(`${quoteName(schema)}.${table}`)}::regclass)`
  const [row] = await run({ text: `select ${bytesOf('kv')}, ${bytesOf('kv_log')}` }, [])
  const [rows, log] = row as [number, number]
  return { rows, log }
}

/** The last commits in the log, the newest first. */
export async function readLastCommits(
  run: RunStatement,
  schema: string,
  limit: number,
): Promise<LoggedSize[]> {
  const text = `select l.version, pg_column_size(l.keys) + coalesce(octet_length(l.changes), 0)
    from ${quoteName(schema)}.kv_log l order by l.version desc limit $1`
  return (await run({ text }, [limit])).map((row) => {
    const [version, bytes] = row as [number, number]
    return { version, bytes }
  })
}

function stampOf(version: number | null): string | null {
  return version === null ? null : formatVersionstamp(version)
}
