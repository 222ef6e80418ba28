import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import Database from 'better-sqlite3'
import { DatabaseOpenError, Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../temporary-folder.ts'

const newPath = temporaryFolder()

async function refused(path: string, options?: Parameters<typeof Valkeyrie.open>[1]): Promise<string> {
  const error = await Valkeyrie.open(path, options).catch((thrown) => thrown)
  expect(error).toBeInstanceOf(DatabaseOpenError)
  expect(error.path).toBe(path)
  return error.message
}

const makeFifo = (path: string) => void execFileSync('sh', ['-c', 'mkfifo "$0"', path])

/** A file as another application has written it. */
function theirs(sql: string): string {
  const path = newPath()
  new Database(path).exec(sql).close()
  return path
}

test.each([
  ['tables', 'CREATE TABLE theirs (a)'],
  ['a view', 'CREATE VIEW theirs AS SELECT 1'],
  ['a table kv of another shape', 'CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT)'],
  ['a table KV of another shape, which the engine takes for kv', 'CREATE TABLE KV (a)'],
  ['a view named kv_log', 'CREATE VIEW kv_log AS SELECT 1 AS version, 2 AS at, 3 AS changes'],
  ['a mark', 'PRAGMA application_id = 77'],
  ['a version', 'PRAGMA user_version = 3; CREATE TABLE kv (a)'],
  [
    'tables that Drizzle has migrated',
    'CREATE TABLE __drizzle_migrations (id, hash, created_at); CREATE TABLE theirs (a)',
  ],
])('the file of another application with %s is refused, and stays as it is to the byte', async (_, sql) => {
  const path = theirs(sql)
  const before = readFileSync(path)
  expect(await refused(path)).toMatch(/another application/)
  await refused(path, { readOnly: true })
  expect(readFileSync(path)).toEqual(before)
  expect(existsSync(`${path}-wal`)).toBe(false)
})

test('a file of ours is refused if one of our tables is something else', async () => {
  const path = newPath()
  await (await Valkeyrie.open(path)).close()
  new Database(path).exec('DROP TABLE kv; CREATE TABLE kv (id, name)').close()
  expect(await refused(path)).toMatch(/table kv is not the one of valkeyrie/)
})

const ownTables = `
  CREATE TABLE kv (key blob PRIMARY KEY NOT NULL, collection text, encoding integer NOT NULL, types text, version integer NOT NULL, expires_at integer, value text NOT NULL);
  CREATE TABLE kv_log (version integer PRIMARY KEY, at integer NOT NULL, changes blob NOT NULL);
  CREATE TABLE kv_collections (name text PRIMARY KEY, pattern text NOT NULL, schema text, version integer NOT NULL);`

test.each([
  ['an empty file', null],
  ['a database without tables', 'CREATE TABLE gone (a); DROP TABLE gone'],
  ['our tables without a mark, as drizzle-kit makes them', ownTables],
  ['our tables beside those of the program', `${ownTables} CREATE TABLE theirs (a)`],
  ['a run of drizzle-kit that was killed', 'CREATE TABLE __drizzle_migrations (id, hash, created_at)'],
])('%s is not a file of others', async (_, sql) => {
  const path = newPath()
  if (sql === null) writeFileSync(path, '')
  else new Database(path).exec(sql).close()
  await using db = await Valkeyrie.open(path)
  await db.set(['a'], 1)
  expect((await db.get(['a'])).value).toBe(1)
})

test.each([
  ['a FIFO', makeFifo],
  ['a directory', (path: string) => void mkdirSync(path)],
  ['a device', (path: string) => symlinkSync('/dev/null', path)],
])('%s is refused without waiting for it, to be written and to be read', async (kind, make) => {
  const path = newPath()
  make(path)
  for (const readOnly of [false, true]) expect(await refused(path, { readOnly })).toContain(kind)
})

test('a socket is refused', async () => {
  const path = newPath()
  const server = createServer().listen(path)
  await new Promise((resolve) => server.once('listening', resolve))
  expect(await refused(path)).toContain('a socket')
  server.close()
})

test.each(['-wal', '-journal', '-shm'])('a FIFO instead of %s is refused by its name', async (ending) => {
  const path = newPath()
  await (await Valkeyrie.open(path)).close()
  makeFifo(path + ending)
  expect(await refused(path)).toContain(`${path}${ending} is a FIFO`)
})

test('a refusal by the system is reported as it is', async () => {
  const circle = newPath()
  symlinkSync(circle, circle)
  expect(await refused(circle)).toContain('circle')
  writeFileSync(newPath('plain'), '')
  expect(await refused(newPath('plain/a.db'))).toMatch(/not a folder/)
  expect(await refused(newPath('x'.repeat(300)))).toContain('too long')
})

/** Runs a program of the built package under a limit of the shell, and returns what it prints. */
const limited = (limit: string, program: string, path: string) =>
  execFileSync(
    'sh',
    ['-c', `${limit}; exec "$0" --input-type=module -e "$1" "$2"`, process.execPath, program, path],
    { cwd: new URL('../..', import.meta.url), encoding: 'utf8' },
  ).trim()

test('with too many files open, open says so, and works once there are fewer', () => {
  const program = `
    import { closeSync, openSync } from 'node:fs'
    import { Valkeyrie } from 'valkeyrie'
    await (await Valkeyrie.open()).close()
    const open = []
    try { for (;;) open.push(openSync('/dev/null')) } catch {}
    const error = await Valkeyrie.open(process.argv[1]).catch((thrown) => thrown)
    console.log(error.code, error.message)
    for (const file of open) closeSync(file)
    const db = await Valkeyrie.open(process.argv[1])
    console.log((await db.set(['a'], 1)).ok)
    await db.close()`
  const [error, ok] = limited('ulimit -n 100', program, newPath()).split('\n')
  expect(error).toMatch(/^DATABASE_OPEN .*too many files open/)
  expect(ok).toBe('true')
})

test('a disk that fails while a file is opened is a DatabaseOpenError', () => {
  const program = `
    import { Valkeyrie } from 'valkeyrie'
    const error = await Valkeyrie.open(process.argv[1]).catch((thrown) => thrown)
    console.log(error.code, error.message)`
  // A write is refused with EFBIG, where the signal of the limit is ignored.
  const error = limited("trap '' XFSZ; ulimit -f 0", program, newPath())
  expect(error).toMatch(/^DATABASE_OPEN .*(disk|SQLITE_IOERR)/)
})

test('nothing is created when a file is refused', async () => {
  const path = newPath()
  symlinkSync(newPath('none/there.db'), path)
  await refused(path)
  expect(statSync(newPath('none'), { throwIfNoEntry: false })).toBeUndefined()
})
