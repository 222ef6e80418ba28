// Compares ways of laying out the `kv` table in a file: docs/storage-layout.md has the figures, and names this program.
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { reads, writes } from './harness/calls.ts'
import { expectEqual } from './harness/expect-equal.ts'
import { type Racer, race, warmUps } from './harness/race.ts'
import { temporaryFolder } from './harness/temporary-folder.ts'
import { formatCount, formatRatio } from './report/figures.ts'
import { table } from './report/table.ts'

interface Layout {
  readonly rowid: boolean
  readonly pageSize: number
  /** Whether `value` stands behind the small columns, not before them. */
  readonly valueLast?: boolean
}

const layouts: Readonly<Record<string, Layout>> = {
  'rowid, 4096': { rowid: true, pageSize: 4096 },
  'rowid, 8192': { rowid: true, pageSize: 8192 },
  'WITHOUT ROWID, 4096': { rowid: false, pageSize: 4096 },
  'WITHOUT ROWID, 8192': { rowid: false, pageSize: 8192 },
  'rowid, 4096, value last': { rowid: true, pageSize: 4096, valueLast: true },
}

const sizes = [
  { name: '100 B', bytes: 100, rows: 50_000, writes: 1_000 },
  { name: '1 KB', bytes: 1_024, rows: 50_000, writes: 1_000 },
  { name: '10 KB', bytes: 10_240, rows: 5_000, writes: 200 },
]

const rounds = 15
const listed = 1_000

/** The encoded key `['users', <id>]`. Hashed, so the keys come in random order, which is the same in every run. */
const keyOf = (index: number): Buffer =>
  Buffer.from(`\x02users\x00\x02${createHash('sha256').update(String(index)).digest('hex').slice(0, 36)}\x00`)

function textOf(index: number, bytes: number): string {
  const json = JSON.stringify({
    name: `user ${index}`,
    email: `user${index}@example.com`,
    age: index % 90,
    about: '',
  })
  return `${json.slice(0, -2)}${'x'.repeat(bytes - json.length)}"}`
}

function openLaidOut(path: string, { rowid, pageSize, valueLast }: Layout): Database.Database {
  const db = new Database(path)
  db.pragma(`page_size = ${pageSize}`)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.exec(`
    CREATE TABLE kv (
      key BLOB PRIMARY KEY NOT NULL, collection TEXT, ${valueLast ? '' : 'value,'} encoding INTEGER NOT NULL,
      types TEXT, version INTEGER NOT NULL, expires_at INTEGER ${valueLast ? ', value' : ''}
    ) ${rowid ? '' : 'WITHOUT ROWID'};
    CREATE INDEX kv_collection ON kv (collection${rowid ? ', key' : ''}) WHERE collection IS NOT NULL;
    CREATE INDEX kv_expires_at ON kv (expires_at) WHERE expires_at IS NOT NULL;
    CREATE TABLE kv_log (version INTEGER PRIMARY KEY, at INTEGER, changes BLOB);`)
  return db
}

/** Stores the rows in a file, and gives the tasks on it. Keys and values are made before any clock runs. */
function tasksOf(db: Database.Database, stored: number, bytes: number, keys: readonly Buffer[]): Racer {
  const values = Array.from({ length: 1_000 }, (_, index) => textOf(index, bytes))
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const newest = db.prepare('SELECT max(version) FROM kv_log').pluck()
  const upsert = db.prepare(`
    INSERT INTO kv (key, collection, value, encoding, types, version, expires_at)
    VALUES (?, 'users', ?, 0, NULL, ?, NULL)
    ON CONFLICT (key) DO UPDATE SET collection = excluded.collection, value = excluded.value,
      encoding = excluded.encoding, types = excluded.types, version = excluded.version,
      expires_at = excluded.expires_at`)
  const log = db.prepare('INSERT INTO kv_log (version, at, changes) VALUES (?, ?, ?)')
  const get = db.prepare('SELECT value, encoding, types, version, expires_at FROM kv WHERE key = ?').raw()
  const getVersion = db.prepare('SELECT version, expires_at FROM kv WHERE key = ?').raw()
  const list = db
    .prepare(
      `SELECT key, value, encoding, types, version, expires_at FROM kv
       WHERE key >= ? AND key < ? ORDER BY key LIMIT ${listed}`,
    )
    .raw()

  db.transaction(() => {
    for (let index = 0; index < stored; index++) upsert.run(keys[index], values[index % 1_000], index + 1)
    log.run(stored, Date.now(), Buffer.alloc(0))
  })()
  db.pragma('wal_checkpoint(TRUNCATE)')

  function set(index: number, value: string): void {
    begin.run()
    const version = (newest.get() as number) + 1
    upsert.run(keys[index], value, version)
    log.run(version, Date.now(), keys[index])
    commit.run()
  }
  const stringAt = (index: number) => (get.get(keys[index]) as [string])[0]

  let next = stored
  let picked = 0
  // A stride that shares no factor with the number of rows visits all of them, in no order that the file knows.
  const pick = (n: number) =>
    Array.from({ length: n }, () => {
      picked = (picked + 7_919) % stored
      return picked
    })
  const setting = (prepare: (n: number) => number[]) =>
    writes({
      prepare: (n) => prepare(n).map((index, i) => ({ index, value: values[i % 1_000]! })),
      write: ({ index, value }) => set(index, value),
      verify: (written) => {
        const { index, value } = written.at(-1)!
        expectEqual(stringAt(index), value, 'the value set last')
      },
    })

  return {
    get: reads({ prepare: pick, read: stringAt, sum: ({ length }) => length, expected: () => bytes }),
    'get version': reads({
      prepare: pick,
      read: (index) => getVersion.get(keys[index]) as [number],
      sum: ([version]) => version,
      expected: (index) => index + 1,
    }),
    'list, per row': reads({
      // A start in the lower half of the keys has more than enough of them after it.
      prepare: (n) => Array.from({ length: n / listed }, (_, page) => `${page % 8}`),
      read: (start) => list.all(Buffer.from(`\x02users\x00\x02${start}`), Buffer.from('\x02users\x01')),
      sum: (found) => found.length,
      expected: () => listed,
    }),
    'set, overwriting': setting(pick),
    'set, new key': setting((n) => Array.from({ length: n }, () => next++)),
  }
}

const sqlite = new Database(':memory:').prepare('SELECT sqlite_version()').pluck().get()
console.log(`Node ${process.versions.node}, SQLite ${sqlite}; ${rounds} rounds; medians per operation\n`)
for (const { name, bytes, rows, writes: sets } of sizes) {
  using temporary = temporaryFolder()
  const keys = Array.from({ length: rows + sets * (rounds + warmUps) }, (_, index) => keyOf(index))
  const opened: Database.Database[] = []
  const racers: Record<string, Racer> = {}
  const disk: Record<string, number> = {}
  for (const [layout, of] of Object.entries(layouts)) {
    const path = join(temporary.folder('layout'), 'data.db')
    const db = openLaidOut(path, of)
    opened.push(db)
    racers[layout] = tasksOf(db, rows, bytes, keys)
    disk[layout] = statSync(path).size
  }
  const loads = {
    get: { n: 5_000 },
    'get version': { n: 5_000 },
    'list, per row': { n: 10 * listed },
    'set, overwriting': { n: sets },
    'set, new key': { n: sets },
  }
  const outcomes = await race(racers, loads, { rounds })
  const names = Object.keys(layouts)
  const timed = Object.entries(outcomes).flatMap(([task, of]) => [
    [task, ...names.map((layout) => of[layout])],
    ['', ...names.map((layout) => formatRatio(of[layout], of[names[0]!]))],
  ])
  const sized = names.map((layout) => `${(disk[layout]! / 2 ** 20).toFixed(1)} MiB`)
  console.log(`### ${name}, ${formatCount(rows)} rows\n`)
  console.log(table(['', ...names], [...timed, ['on disk', ...sized]]), '\n')
  for (const db of opened) db.close()
}
