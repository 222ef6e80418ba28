import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import Sqlite from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { diagnose, repair } from '../../src/api/diagnosis.ts'
import { command } from '../command/command.ts'
import { changeBehindIndexes } from '../damage/damage.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const path = temporaryFolder()
let files = 0
const doctor = (...args: string[]) => command(path('.'), 'doctor', ...args)

const user = z.object({ name: z.string(), age: z.int(), big: z.bigint() })
const schemas = Valkeyrie.withSchema(['users', '*'], user, {
  indexes: [{ on: 'name', unique: true }, { on: 'age' }, { on: 'big' }],
})

const users = Array.from(
  { length: 300 },
  (_, i) => [`u${i}`, { name: `U${i}`, age: i % 50, big: BigInt(i) * 10n ** 20n }] as const,
)

/** A file with this done to it by SQL. */
async function damaged(...statements: string[]): Promise<string> {
  const file = path(`${files++}.db`)
  {
    await using db = await schemas.open(file)
    await db.repositories.users.insertMany(users)
    await db.set(['plain'], 1)
  }
  const connection = new Sqlite(file)
  connection.unsafeMode()
  for (const statement of statements) connection.exec(statement)
  connection.close()
  return file
}

const valuesOf = async (file: string) => {
  await using db = await schemas.open(file)
  return await Array.fromAsync(db.list({ prefix: [] }), ({ key, value }) => [key, value])
}

it('says that a sound file is well while another process writes to it', async () => {
  const file = await damaged()
  await using db = await schemas.open(file)
  const { code, text } = await doctor(file)
  expect([code, text]).toEqual([0, 'All is well: 301 rows and 3 commits were read.\n'])
  await db.set(['plain'], 2)
  const json = await doctor(file, '--repair', '--json')
  expect(JSON.parse(json.text)).toEqual({
    sound: true,
    findings: [],
    counts: {},
    rows: 301,
    commits: 4,
    advice: {},
  })
  expect(existsSync(`${file}.before-repair`)).toBe(false)
})

it.for([
  ['an index that is missing', ['DROP INDEX kv_users_age', 'DROP INDEX kv_users_big'], 'index'],
  [
    'rows that are filed wrongly',
    [
      "UPDATE kv SET collection = 'posts' WHERE rowid < 9",
      "UPDATE kv SET collection = 'users' WHERE value = '1'",
    ],
    'row',
  ],
  [
    'an index that does not hold the rows',
    [
      'PRAGMA writable_schema = 1',
      "UPDATE sqlite_schema SET sql = replace(sql, '''users''', '''nobody''') WHERE name = 'kv_users_age'",
      'PRAGMA schema_version = 1000',
      `UPDATE kv SET value = replace(value, '"age":4', '"age":99') WHERE value LIKE '%"age":4,%'`,
      "UPDATE sqlite_schema SET sql = replace(sql, '''nobody''', '''users''') WHERE name = 'kv_users_age'",
    ],
    'file',
  ],
] as const)('repairs %s', async ([, statements, kind]) => {
  const file = await damaged(...statements)
  const before = await diagnose(file)
  expect(before.sound).toBe(false)
  expect(before.counts[kind]).toBeGreaterThan(0)
  expect(before.advice[kind]).toContain('--repair')
  const told = await doctor(file)
  expect(told.code).toBe(2)
  expect(told.text).toContain(`→ ${before.advice[kind]}`)
  const { code, text } = await doctor(file, '--repair', '--json')
  const after = JSON.parse(text)
  expect(after).toMatchObject({ sound: true, repaired: { backup: `${file}.before-repair`, failed: [] } })
  expect(code).toBe(0)
  expect((await diagnose(`${file}.before-repair`)).findings).toEqual(before.findings)
  expect(await valuesOf(file)).toEqual(await valuesOf(`${file}.before-repair`))
  await using db = await Valkeyrie.inspect(file, { onUnindexed: 'error' })
  const known = db.repositories['users']!
  expect(await known.count({ where: { age: 7 } })).toBe(6)
  expect(await known.count({ where: { big: { gte: 290n * 10n ** 20n } } })).toBe(10)
})

it('makes a process that has the file open notice what it has filed again', async () => {
  const file = await damaged('UPDATE kv SET collection = NULL WHERE rowid < 9')
  await using db = await schemas.open(file)
  expect(await db.repositories.users.count()).toBe(292)
  expect((await repair(file)).filed).toBe(8)
  expect(await db.repositories.users.count()).toBe(300)
  await db.repositories.users.set('new', { name: 'New', age: 1, big: 1n })
  expect((await diagnose(file)).sound).toBe(true)
})

it('leaves what it cannot repair, and says so', async () => {
  const file = await damaged(
    'DROP INDEX kv_users_name_unique',
    `UPDATE kv SET value = replace(value, '"U1"', '"U2"')`,
    `UPDATE kv SET types = '{' WHERE value LIKE '%"U7"%'`,
    'DELETE FROM kv_log WHERE version = 2',
  )
  const { code, text } = await doctor(file, '--repair')
  expect(code).toBe(2)
  expect(text).toContain('Cannot build the unique index of users on name')
  expect(text).toMatch(/row: 1\n {2}\["users", "u7"\]: Its value cannot be decoded/)
  expect(text).toMatch(/log: 1\n {2}\w{20}: Commits before it are missing/)
})

it('leaves the file as it is, without a copy, if nothing can be repaired', async () => {
  const file = await damaged(`UPDATE kv SET types = '{' WHERE value LIKE '%"U7"%'`)
  const before = readFileSync(file)
  const { code, text } = await doctor(file, '--repair')
  expect(code).toBe(2)
  expect(text).toMatch(/^Nothing was repaired: the file is as it was\.\nrow: 1\n/)
  expect(readFileSync(file)).toEqual(before)
  expect(existsSync(`${file}.before-repair`)).toBe(false)
})

const fieldIndexes = ['kv_users_name_unique', 'kv_users_age', 'kv_users_big']

it.each([
  ['indexes are missing', fieldIndexes.map((name) => `DROP INDEX ${name}`), fieldIndexes, 0],
  [
    'it is filed under no collection',
    [`UPDATE kv SET collection = NULL WHERE value LIKE '%"U7"%'`],
    [] as string[],
    1,
  ],
] as const)('repairs past a row that is not JSON where %s', async (_, statements, missing, misfiled) => {
  const file = await damaged(...statements)
  changeBehindIndexes(file, (connection) => {
    connection.exec(`UPDATE kv SET value = '(' WHERE value LIKE '%"U7"%'`)
  })
  const { failed, built, filed } = await repair(file)
  expect({ failed, built: built.toSorted(), filed }).toEqual({
    failed: [],
    built: missing.toSorted(),
    filed: misfiled,
  })
  expect((await diagnose(file)).counts).toEqual({ row: 1 })
})

it('says in a sentence that pages are damaged, what to do, and leaves no copy, however often', async () => {
  const file = await damaged('PRAGMA wal_checkpoint(TRUNCATE)')
  const connection = new Sqlite(file)
  const pages = connection
    .prepare<[], number>("SELECT pageno FROM dbstat WHERE name = 'kv' AND pagetype = 'leaf' LIMIT 3")
    .pluck()
    .all()
  connection.close()
  const bytes = readFileSync(file)
  for (const page of pages) bytes.fill(0xff, (page - 1) * 4096, page * 4096)
  writeFileSync(file, bytes)
  for (let n = 0; n < 2; n++) {
    const { code, text } = await doctor(file, '--repair')
    expect(code).toBe(2)
    expect(text).toMatch(/^Nothing was repaired.*\nThe file cannot be repaired.*restore a backup/)
    expect(text).toContain('SQLite finds: ')
    expect(text).toContain('--skip-unreadable')
  }
  const { code, text } = await command(path('.'), 'export', file)
  expect([code, text]).toEqual([
    1,
    expect.stringContaining(': run "valkeyrie doctor" to see what is damaged\n'),
  ])
  expect(readdirSync(path('.')).filter((name) => name.startsWith(`${basename(file)}.before`))).toEqual([])
})

it('says of an empty file that it holds no database, and leaves it empty', async () => {
  const file = path('empty.db')
  writeFileSync(file, '')
  const { code, text } = await doctor(file, '--repair')
  expect(code).toBe(2)
  expect(text).toContain('The file has no database to repair')
  expect(text).toMatch(/catalog: 1\n {2}It has no database yet, or no longer\n {2}→ Open the file once/)
  expect(text).not.toMatch(/no such table|file: /)
  expect(statSync(file).size).toBe(0)
  expect(existsSync(`${file}-wal`)).toBe(false)
})

it('makes another copy if there is one of an earlier repair', async () => {
  const file = await damaged('DROP INDEX kv_users_age')
  writeFileSync(`${file}.before-repair`, 'mine')
  expect((await repair(file)).backup).toBe(`${file}.before-repair.2`)
  expect(readFileSync(`${file}.before-repair`, 'utf8')).toBe('mine')
})

it.each([
  [['nowhere.db'], 1, 'there is no such file'],
  [['--help'], 0, 'valkeyrie doctor app.db'],
] as const)('valkeyrie doctor %j ends with %i', async (args, code, message) => {
  const ended = await doctor(...args)
  expect(ended.text).toContain(message)
  expect(ended.code).toBe(code)
})
