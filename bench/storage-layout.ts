// One measurement and its report: docs/storage-layout.md names this program, which runs and reads from top to bottom.
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expectEqual } from './harness/expect-equal.ts'
import { isTiming, type Outcome, race, warmUps } from './harness/race.ts'
import type { Racer } from './harness/task.ts'
import { temporaryFolder } from './harness/temporary-folder.ts'
import { formatTable } from './report/table.ts'

/** A way of laying out the `kv` table in the file. */
interface Layout {
  readonly rowid: boolean
  readonly pageSize: number
  /** Whether `value` stands behind the small columns, not before them. */
  readonly valueLast?: boolean
}

const layouts: readonly Layout[] = [
  { rowid: true, pageSize: 4096 },
  { rowid: true, pageSize: 8192 },
  { rowid: false, pageSize: 4096 },
  { rowid: false, pageSize: 8192 },
  { rowid: true, pageSize: 4096, valueLast: true },
]

const nameOf = ({ rowid, pageSize, valueLast }: Layout) =>
  `${rowid ? 'rowid' : 'WITHOUT ROWID'}, ${pageSize}${valueLast ? ', value last' : ''}`

const sizes = [
  { name: '100 B', bytes: 100, rows: 50_000, writes: 1_000 },
  { name: '1 KB', bytes: 1_024, rows: 50_000, writes: 1_000 },
  { name: '10 KB', bytes: 10_240, rows: 5_000, writes: 200 },
] as const

const rounds = 15
const gets = 5_000
const listed = 1_000
const lists = 10

/** The encoded key `['users', <uuid>]`. Hashed, so the keys come in random order, which is the same in every run. */
function keyOf(index: number): Buffer {
  const hex = createHash('sha256').update(String(index)).digest('hex')
  const uuid = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-')
  return Buffer.from(`\x02users\x00\x02${uuid}\x00`)
}

const afterLastKey = Buffer.from('\x02users\x01')

function jsonOf(index: number, bytes: number): string {
  const value = JSON.stringify({
    name: `user ${index}`,
    email: `user${index}@example.com`,
    age: index % 90,
    about: '',
  })
  return `${value.slice(0, -2)}${'x'.repeat(bytes - value.length)}"}`
}

function schemaOf({ rowid, valueLast }: Layout): string {
  return `
    CREATE TABLE kv (
      key BLOB PRIMARY KEY NOT NULL, collection TEXT, ${valueLast ? '' : 'value,'} encoding INTEGER NOT NULL,
      types TEXT, version INTEGER NOT NULL, expires_at INTEGER ${valueLast ? ', value' : ''}
    ) ${rowid ? '' : 'WITHOUT ROWID'};
    CREATE INDEX kv_collection ON kv (collection${rowid ? ', key' : ''}) WHERE collection IS NOT NULL;
    CREATE INDEX kv_expires_at ON kv (expires_at) WHERE expires_at IS NOT NULL;
    CREATE TABLE kv_log (version INTEGER PRIMARY KEY, at INTEGER, changes BLOB);`
}

/** The keys and values of a size, made before any clock runs. */
interface Data {
  readonly rows: number
  readonly bytes: number
  /** Those of the rows stored at first, then those of the new rows. */
  readonly keys: readonly Buffer[]
  /** Some values, to be used in turn. */
  readonly values: readonly string[]
}

function dataOf({ rows, bytes, writes }: (typeof sizes)[number]): Data {
  return {
    rows,
    bytes,
    keys: Array.from({ length: rows + writes * (rounds + warmUps) }, (_, index) => keyOf(index)),
    values: Array.from({ length: 1_000 }, (_, index) => jsonOf(index, bytes)),
  }
}

type LayoutTask = 'get' | 'get version' | 'set, new key' | 'set, overwriting' | 'list, per row'

/** A file laid out in one of these ways, with the rows stored at first. */
interface LaidOut extends Racer<LayoutTask> {
  readonly bytes: number
  close(): void
}

function layOut(dir: string, layout: Layout, { rows: stored, bytes, keys, values }: Data): LaidOut {
  const path = join(dir, 'data.db')
  const db = new Database(path)
  db.pragma(`page_size = ${layout.pageSize}`)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.exec(schemaOf(layout))

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
  const get = db
    .prepare<[Buffer]>('SELECT value, encoding, types, version, expires_at FROM kv WHERE key = ?')
    .raw()
  const getVersion = db.prepare<[Buffer]>('SELECT version, expires_at FROM kv WHERE key = ?').raw()
  const list = db
    .prepare<[Buffer, Buffer]>(
      `SELECT key, value, encoding, types, version, expires_at FROM kv
       WHERE key >= ? AND key < ? ORDER BY key LIMIT ${listed}`,
    )
    .raw()

  function set(key: Buffer, value: string): void {
    begin.run()
    const version = ((newest.get() as number | null) ?? 0) + 1
    upsert.run(key, value, version)
    log.run(version, Date.now(), key)
    commit.run()
  }

  for (let from = 0; from < stored; from += 1_000) {
    begin.run()
    for (let index = from; index < from + 1_000; index++)
      upsert.run(keys[index], values[index % values.length], index + 1)
    commit.run()
  }
  log.run(stored, Date.now(), Buffer.alloc(0))
  db.pragma('wal_checkpoint(TRUNCATE)')

  let next = stored
  let picked = 0
  // A stride that shares no factor with the number of rows visits all of them, in no order that the file knows.
  const pick = () => {
    picked = (picked + 7_919) % stored
    return picked
  }

  return {
    name: nameOf(layout),
    bytes: statSync(path).size,
    close: () => db.close(),
    tasks: {
      get(n) {
        let characters = 0
        return {
          run() {
            for (let i = 0; i < n; i++) characters += (get.get(keys[pick()]!) as [string])[0].length
          },
          verify: () => expectEqual(characters, n * bytes, 'characters read'),
        }
      },
      'get version'(n) {
        let difference = 0
        return {
          run() {
            for (let i = 0; i < n; i++)
              difference += (getVersion.get(keys[pick()]!) as [number])[0] - (picked + 1)
          },
          verify: () => expectEqual(difference, 0, 'difference from the versions stored'),
        }
      },
      'set, new key': (n) => ({
        run() {
          for (const end = next + n; next < end; next++) set(keys[next]!, values[next % values.length]!)
        },
        verify: () => expectEqual(db.prepare('SELECT count(*) FROM kv').pluck().get(), next, 'rows'),
      }),
      'set, overwriting': (n) => ({
        run() {
          for (let i = 0; i < n; i++) set(keys[pick()]!, values[i % values.length]!)
        },
        verify: () =>
          expectEqual(
            (get.get(keys[picked]!) as [string])[0],
            values[(n - 1) % values.length],
            'the value set last',
          ),
      }),
      'list, per row'(n) {
        let rows = 0
        return {
          run() {
            // A start in the lower half of the keys has more than enough of them after it.
            for (let page = 0; page < n / listed; page++) {
              const start = Buffer.from(`\x02users\x00\x02${(page % 8).toString(16)}`)
              rows += list.all(start, afterLastKey).length
            }
          },
          verify: () => expectEqual(rows, n, 'rows listed'),
        }
      },
    },
  }
}

/** A timing as `3.21 µs (3.10–3.40)`: the median, and the quartiles around it. */
function formatMicros(outcome: Outcome): string {
  if (!isTiming(outcome)) throw new Error(outcome?.failure ?? 'not measured')
  const micros = (nanoseconds: number) => {
    const value = nanoseconds / 1_000
    return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
  }
  return `${micros(outcome.median)} µs (${micros(outcome.low)}–${micros(outcome.high)})`
}

const medianOf = (outcome: Outcome) => (isTiming(outcome) ? outcome.median : Number.NaN)

const [{ sqlite }] = new Database(':memory:').prepare('SELECT sqlite_version() AS sqlite').all() as [
  { sqlite: string },
]
console.log(
  `Node ${process.versions.node}, SQLite ${sqlite}; ${rounds} rounds; median (quartiles) per operation\n`,
)
for (const size of sizes) {
  using temporary = temporaryFolder()
  const data = dataOf(size)
  const files = layouts.map((layout) => layOut(temporary.folder('layout'), layout, data))
  const outcomes = await race(files, {
    get: { n: gets, rounds },
    'get version': { n: gets, rounds },
    'list, per row': { n: lists * listed, rounds },
    'set, overwriting': { n: size.writes, rounds },
    'set, new key': { n: size.writes, rounds },
  })
  const ratio = (value: number, base: number) => `×${(value / base).toFixed(2)}`
  const rows = Object.entries(outcomes).map(([task, all]) => [
    task,
    ...all.map((outcome) => `${formatMicros(outcome)} ${ratio(medianOf(outcome), medianOf(all[0]!))}`),
  ])
  const disk = files.map(
    ({ bytes }) => `${(bytes / 2 ** 20).toFixed(1)} MiB ${ratio(bytes, files[0]!.bytes)}`,
  )
  console.log(`### ${size.name}, ${size.rows.toLocaleString('en')} rows\n`)
  console.log(formatTable([['', ...layouts.map(nameOf)], ...rows, ['on disk', ...disk]]), '\n')
  for (const file of files) file.close()
}
