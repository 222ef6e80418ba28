import { statSync } from 'node:fs'
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
import type { Connection } from './module/sqlite-module.ts'
import { readCatalog } from './tables/catalog.ts'
import { builtIndexes } from './tables/indexes.ts'
import { knownSearches, searchName } from './tables/search-indexes.ts'

const rowsPerPage = 1_000
const pagesPerPause = 32
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Where to read the figures of a database. */
interface StatsSource {
  readonly connection: Connection
  /** The path of the file; null for a database in memory, on whose connection others work in the pauses. */
  readonly path: string | null
  /** Await it between the parts; it throws if nobody wants the rest. */
  pause(): Promise<void>
}

/** The figures of a database, read in parts. */
export async function readStats(source: StatsSource): Promise<Omit<DatabaseStats, 'oldestSnapshot'>> {
  const { repositories, expiring } = await readRows(source)
  const log = await readLog(source)
  return {
    newest: log.newest,
    repositories,
    indexes: await readIndexes(source),
    log,
    expiring,
    file: readFile(source),
  }
}

/** The sums of a page: its last row, then the figures to add for each of its collections. */
type Sums = readonly [
  last: number,
  collection: string | null,
  rows: number,
  bytes: number,
  expired: number,
  minute: number,
  hour: number,
  day: number,
]

const sumsOfPage = `SELECT max(rowid), collection,
    sum(alive), sum(alive * bytes), sum(NOT alive),
    sum(alive AND expires_at <= $now + ${minute}), sum(alive AND expires_at <= $now + ${hour}), sum(alive AND expires_at <= $now + ${day})
  FROM (SELECT rowid, collection, expires_at, expires_at IS NULL OR expires_at > $now AS alive,
      octet_length(key) + octet_length(value) + coalesce(octet_length(types), 0) AS bytes
    FROM kv WHERE rowid > $last ORDER BY rowid LIMIT ${rowsPerPage})
  GROUP BY collection`

async function readRows(
  source: StatsSource,
): Promise<{ repositories: RepositoryStats[]; expiring: ExpiryStats }> {
  const { connection } = source
  const known = readCatalog(connection).collections.map(({ name }) => name)
  const found = new Map<string | null, { rows: number; bytes: number }>(
    known.map((name) => [name, { rows: 0, bytes: 0 }]),
  )
  const now = Date.now()
  const counts = { expired: 0, minute: 0, hour: 0, day: 0 }
  const page = connection.prepare<[object], Sums>(sumsOfPage).raw()
  for (let last: number | null = Number.MIN_SAFE_INTEGER; last !== null; ) {
    const sums: Sums[] = page.all({ now, last })
    last = sums.reduce<number | null>((most, [rowid]) => Math.max(most ?? rowid, rowid), null)
    for (const [, collection, rows, bytes, expired, inMinute, inHour, inDay] of sums) {
      const sum = found.get(collection) ?? { rows: 0, bytes: 0 }
      found.set(collection, { rows: sum.rows + rows, bytes: sum.bytes + bytes })
      counts.expired += expired
      counts.minute += inMinute
      counts.hour += inHour
      counts.day += inDay
    }
    await source.pause()
  }
  const next = connection
    .prepare<[number], number | null>(
      'SELECT min(expires_at) FROM kv WHERE expires_at IS NOT NULL AND expires_at > ?',
    )
    .pluck()
    .get(now)!
  const repositories = [...found].map(([repository, sum]) => ({ repository, ...sum }))
  return { repositories, expiring: { ...counts, next } }
}

type LogSums = [rows: number, bytes: number | null, first: number | null, last: number | null]

async function readLog(source: StatsSource): Promise<LogStats> {
  const page = source.connection
    .prepare<[number], LogSums>(
      `SELECT count(*), sum(bytes), min(version), max(version)
       FROM (SELECT version, octet_length(changes) AS bytes FROM kv_log WHERE version > ? ORDER BY version LIMIT ${rowsPerPage})`,
    )
    .raw()
  const log = { rows: 0, bytes: 0 }
  let oldest: number | null = null
  let newest: number | null = null
  for (;;) {
    const [rows, bytes, first, last]: LogSums = page.get(newest ?? Number.MIN_SAFE_INTEGER)!
    log.rows += rows
    log.bytes += bytes ?? 0
    oldest ??= first
    newest = last ?? newest
    if (rows < rowsPerPage) break
    await source.pause()
  }
  return { ...log, oldest: stampOf(oldest), newest: stampOf(newest) }
}

function stampOf(version: number | null): string | null {
  return version === null ? null : formatVersionstamp(version)
}

async function readIndexes(source: StatsSource): Promise<IndexStats[]> {
  const declared = new Map(
    builtIndexes(source.connection).map(({ name, declaration }) => [name, declaration]),
  )
  const names = source.connection
    .prepare<[], string>(
      "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'kv' ORDER BY name",
    )
    .pluck()
    .all()
  const tellsBytes = hasDbstat(source.connection)
  const indexes: IndexStats[] = []
  for (const name of names) {
    const { collection = null, fields = [], unique = false } = declared.get(name) ?? {}
    indexes.push({
      name,
      repository: collection,
      fields,
      unique,
      bytes: tellsBytes ? await pageBytes(source, name) : null,
    })
  }
  for (const { collection, search } of knownSearches(source.connection)) {
    const name = searchName({ collection, search })
    const parts = tellsBytes ? partsOf(source.connection, name) : []
    let bytes = 0
    for (const part of parts) bytes += await pageBytes(source, part)
    const { fields } = search
    indexes.push({ name, repository: collection, fields, unique: false, bytes: tellsBytes ? bytes : null })
  }
  return indexes
}

/** Whether the engine was built with the table that describes pages. */
function hasDbstat(connection: Connection): boolean {
  return connection.prepare("SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'").get() !== undefined
}

/** The parts of a search that have pages: its texts, and the tables of FTS5. */
function partsOf(connection: Connection, search: string): string[] {
  return connection
    .prepare<[string, string], string>(
      'SELECT name FROM sqlite_schema WHERE rootpage > 0 AND substr(tbl_name, 1, length(?)) = ?',
    )
    .pluck()
    .all(search, search)
}

/** The bytes in the pages of an index. */
async function pageBytes({ connection, path, pause }: StatsSource, name: string): Promise<number> {
  const select = 'SELECT pgsize FROM dbstat WHERE name = ?'
  // On a shared connection, no statement may stay open in a pause.
  if (path === null)
    return connection.prepare<[string], number>(`${select} AND aggregate = TRUE`).pluck().get(name) ?? 0
  let [bytes, pages] = [0, 0]
  for (const size of connection.prepare<[string], number>(select).pluck().iterate(name)) {
    bytes += size
    pages += 1
    if (pages % pagesPerPause === 0) await pause()
  }
  return bytes
}

/** How large a database is. */
export function readSizes(connection: Connection, path: string | null): Sizes {
  const { bytes, walBytes } = readFile({ connection, path })
  return { rows: bytes, log: walBytes }
}

/** The last commits in the log, the newest first. */
export function readLastCommits(connection: Connection, limit: number): LoggedSize[] {
  const text = 'SELECT version, octet_length(changes) AS bytes FROM kv_log ORDER BY version DESC LIMIT ?'
  return connection.prepare<[number], LoggedSize>(text).all(limit)
}

function readFile({ connection, path }: Omit<StatsSource, 'pause'>): FileStats {
  const read = (name: string) => connection.pragma(name, { simple: true }) as number
  const pageSize = read('page_size')
  const cache = read('cache_size')
  return {
    bytes: read('page_count') * pageSize,
    freeBytes: read('freelist_count') * pageSize,
    walBytes: path === null ? 0 : (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0),
    // Kibibytes if negative, otherwise pages.
    cacheBytes: cache < 0 ? -cache * 1_024 : cache * pageSize,
  }
}
