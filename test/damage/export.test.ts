import { readFileSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { encodeKey } from '../../src/key/codec.ts'
import { command } from '../command/command.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { changeBehindIndexes } from './damage.ts'

const path = temporaryFolder()
const user = z.object({ name: z.string(), born: z.date() })
const schemas = Valkeyrie.withSchema(['users', '*'], user, { indexes: [{ on: 'name' }] })
const count = 1_200
const exported = (...args: string[]) => command(path('.'), 'export', ...args)
const keyOf = (n: number) => encodeKey(['users', n], 100)

async function made(damage: (file: Database.Database) => void): Promise<string> {
  const file = path()
  {
    await using db = await schemas.open(file)
    const row = (n: number) => [n, { name: `N${n}`, born: new Date(n) }] as const
    await db.repositories.users.insertMany(Array.from({ length: count }, (_, n) => row(n)))
    await db.set(['plain'], 1)
  }
  changeBehindIndexes(file, damage)
  return file
}

const set = (file: Database.Database, column: string, value: string, n: number) =>
  file.prepare(`UPDATE kv SET ${column} = ${value} WHERE key = ?`).run(keyOf(n))

/** The ids of the users in what was exported. */
const idsIn = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => (line.startsWith('{"repository":"users"') ? [JSON.parse(line).key[1] as number] : []))

it('exports what can be read, and lists what cannot', async () => {
  const database = await made((file) => {
    set(file, 'value', "'{'", 3)
    set(file, 'types', "'{'", 500)
    set(file, 'encoding', '9', 501)
    set(file, 'expires_at', "'soon'", 777)
    set(file, 'key', "x'02ff'", 778)
    set(file, 'key', "'text'", 1_199)
  })
  const failed = await exported(database, '--output', path('all.ndjson'))
  expect(failed.code).toBe(1)
  const { code, text } = await exported(database, '--output', path('most.ndjson'), '--skip-unreadable')
  expect(code).toBe(2)
  expect(text).toContain('1,195 rows written to')
  expect(text).toContain('6 rows left out, because they cannot be read:\n')
  expect(text).toMatch(/ {2}\["users", 3\]: .*JSON/)
  expect(text).toContain('["users", 777]: Its expiry is not a time')
  expect(text).toContain('0x02ff: Not an encoded key')
  expect(text).toContain('"text": Its key is not bytes')
  const damaged = [3, 500, 501, 777, 778, 1_199]
  const rest = Array.from({ length: count }, (_, n) => n).filter((n) => !damaged.includes(n))
  expect(idsIn(readFileSync(path('most.ndjson'), 'utf8'))).toEqual(rest)

  const args = ['--repository', 'users', '--skip-unreadable', '--output', path('most.csv'), '--json']
  const told = JSON.parse((await exported(database, ...args)).text)
  expect(told).toMatchObject({ rows: 1_194, format: 'csv', unreadable: { count: 6 } })
  expect(told.unreadable.rows[1].key).toBe('["users", 3]')
  expect(readFileSync(path('most.csv'), 'utf8').trim().split('\n')).toHaveLength(1_195)
})

it('exports the rows of sound pages after a damaged one', async () => {
  const database = await made(() => {})
  const file = new Database(database)
  file.pragma('wal_checkpoint(TRUNCATE)')
  const pages = file
    .prepare<[], number>("SELECT pageno FROM dbstat WHERE name = 'kv' AND pagetype = 'leaf' ORDER BY path")
    .pluck()
    .all()
  file.close()
  const bytes = readFileSync(database)
  const page = pages[4]! - 1
  bytes.fill(0xff, page * 4096, (page + 1) * 4096)
  writeFileSync(database, bytes)
  const { code, text } = await exported(
    database,
    '--output',
    path('pages.ndjson'),
    '--skip-unreadable',
    '--json',
  )
  expect(code).toBe(2)
  const { rows, unreadable } = JSON.parse(text)
  expect(rows + unreadable.count).toBe(count + 1)
  expect(unreadable.count).toBeGreaterThan(5)
  expect(unreadable.count).toBeLessThan(200)
})

/** A file in which the last of the first 500 rows has a key that belongs further ahead, in the pages of these. */
async function madeWithKeyChanged(tables: readonly string[]): Promise<string> {
  const database = await made(() => {})
  const file = new Database(database)
  file.pragma('wal_checkpoint(TRUNCATE)')
  const pages = file
    .prepare<[string], number>('SELECT pageno FROM dbstat WHERE name IN (SELECT value FROM json_each(?))')
    .pluck()
    .all(JSON.stringify(tables))
  file.close()
  const bytes = readFileSync(database)
  const key = keyOf(498)
  const places = pages.flatMap((page) => {
    const place = bytes.subarray((page - 1) * 4096, page * 4096).indexOf(key)
    return place < 0 ? [] : [(page - 1) * 4096 + place]
  })
  expect(places).toHaveLength(tables.length)
  for (const place of places) bytes[place + 2] = 0x20
  writeFileSync(database, bytes)
  return database
}

it.each([
  ['the index of keys', ['sqlite_autoindex_kv_1'], ['--skip-unreadable']],
  ['the table and the index of keys', ['sqlite_autoindex_kv_1', 'kv'], []],
] as const)('ends where keys are out of order in %s', async (name, tables, args) => {
  const database = await madeWithKeyChanged(tables)
  const { code, text } = await exported(database, '--output', path(`${name}.ndjson`), ...args)
  expect(code).toBe(1)
  expect(text).toContain('The keys are out of order')
})

it('rows that cannot be read are brought back by an import of those of a sound file', async () => {
  const database = await made((file) => {
    set(file, 'value', "'{'", 3)
    set(file, 'value', "'('", 500)
    set(file, 'types', "'{'", 501)
  })
  const sound = await made(() => {})
  await exported(sound, '--output', path('sound-rows.ndjson'))
  const imported = (...args: string[]) =>
    command(path('.'), 'import', database, path('sound-rows.ndjson'), ...args)
  expect((await imported()).code).toBe(1)
  const { code, text } = await imported('--on-conflict', 'overwrite')
  expect([code, text]).toEqual([0, '0 rows imported, 3 overwritten, 1,198 there already\n'])
  expect((await Valkeyrie.verify(database)).findings).toEqual([])
  await exported(database, '--output', path('again.ndjson'))
  expect(readFileSync(path('again.ndjson'), 'utf8')).toBe(readFileSync(path('sound-rows.ndjson'), 'utf8'))
})

it('ends with 0 if everything can be read, and refuses --where', async () => {
  const database = await made(() => {})
  const sound = await exported(database, '--skip-unreadable', '--output', path('sound.ndjson'))
  expect(sound.text).toBe(`1,201 rows written to ${path('sound.ndjson')}\n`)
  expect(sound.code).toBe(0)
  const where = await exported(
    database,
    '--repository',
    'users',
    '--where',
    '{"name":"N1"}',
    '--skip-unreadable',
  )
  expect(where.text).toContain('leave out --skip-unreadable')
  expect(where.code).toBe(1)
})
