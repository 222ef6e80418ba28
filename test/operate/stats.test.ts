import { statSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { DatabaseClosedError, Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { command } from '../command/command.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const path = temporaryFolder()
let files = 0
const fresh = () => path(`${files++}.db`)

const schemas = Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() }), {
  indexes: [{ on: 'name', unique: true }],
}).withSchema(['logs', '*'], z.object({ text: z.string() }))

async function filled(file?: string) {
  const db = await schemas.open(file)
  const names = Array.from({ length: 2_500 }, (_, i) => [`u${i}`, { name: `U${i}` }] as const)
  await db.repositories.users.insertMany(names)
  await db.set(['plain'], new Uint8Array(100_000))
  await db.set(['soon'], 1, { expireIn: 30_000 })
  await db.set(['later'], 1, { expireIn: 1_800_000 })
  await db.set(['tomorrow'], 1, { expireIn: 80_000_000 })
  return db
}

it.for([
  ['a file', fresh()],
  ['memory', undefined],
] as const)(
  'stats of %s tell rows and bytes by repository and index, the log, and what expires',
  async ([, file]) => {
    await using db = await filled(file)
    const stats = await db.stats()
    const sum = (prefix: string) =>
      db.drizzle.$client
        .prepare('SELECT sum(octet_length(key) + octet_length(value)) FROM kv WHERE collection IS ?')
        .pluck()
        .get(prefix === '' ? null : prefix)
    expect(stats.repositories).toEqual([
      { repository: 'logs', rows: 0, bytes: 0 },
      { repository: 'users', rows: 2_500, bytes: sum('users') },
      { repository: null, rows: 4, bytes: sum('') },
    ])
    const index = stats.indexes.find(({ name }) => name === 'kv_users_name_unique')
    expect(index).toMatchObject({ repository: 'users', fields: ['name'], unique: true })
    expect(index!.bytes! % 4_096).toBe(0)
    expect(index!.bytes).toBeGreaterThan(8_192)
    const changes = await db.get(['tomorrow'])
    expect(stats.newest).toBe(changes.versionstamp)
    expect(stats.log.newest).toBe(changes.versionstamp)
    expect(stats.log.oldest! < stats.log.newest!).toBe(true)
    expect(stats.log.rows).toBe(db.drizzle.$client.prepare('SELECT count(*) FROM kv_log').pluck().get())
    expect(stats.expiring).toEqual({
      expired: 0,
      minute: 1,
      hour: 2,
      day: 3,
      next: (await db.get(['soon'])).expiresAt,
    })
    expect(stats.file.bytes).toBeGreaterThan(200_000)
    expect(stats.oldestSnapshot).toBe(null)
    if (file !== undefined) expect(stats.file.walBytes).toBe(statSync(`${file}-wal`).size)
  },
)

it('stats of an empty database are empty', async () => {
  await using db = await Valkeyrie.open()
  const { file: _, indexes: __, ...stats } = await db.stats()
  expect(stats).toEqual({
    newest: null,
    repositories: [],
    log: { rows: 0, bytes: 0, oldest: null, newest: null },
    expiring: { expired: 0, minute: 0, hour: 0, day: 0, next: null },
    oldestSnapshot: null,
  })
})

it('stats include the age of the oldest snapshot, and are from one state', async () => {
  const file = fresh()
  await using db = await filled(file)
  await db.snapshot(async (view) => {
    await view.get(['plain'])
    expect((await db.stats()).oldestSnapshot).toBeGreaterThanOrEqual(0)
  })
  const counted = () =>
    db.drizzle.$client
      .prepare('SELECT (SELECT count(*) FROM kv) - (SELECT count(*) FROM kv_log)')
      .pluck()
      .get()
  const before = counted()
  const reading = db.stats()
  // Each of them is one more row and one more commit.
  await Promise.all(Array.from({ length: 500 }, (_, i) => db.set(['logs', `${i}`], { text: 'x' })))
  const { repositories, log, newest } = await reading
  expect(repositories.reduce((sum, { rows }) => sum + rows, 0) - log.rows).toBe(before)
  expect(log.newest).toBe(newest)
  expect(counted()).toBe(before)
})

it('stats end with their signal, and with the database', async () => {
  const db = await filled(fresh())
  const controller = new AbortController()
  const reading = db.stats({ signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(reading).rejects.toThrow('enough')
  await expect(db.stats({ signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
  await expect(db.stats({ limit: 1 } as never)).rejects.toThrow(TypeError)
  const last = db.stats().catch((error: unknown) => error)
  await db.close()
  const ended = await last
  if (ended instanceof Error) expect(ended).toBeInstanceOf(DatabaseClosedError)
  await expect(db.stats()).rejects.toThrow(DatabaseClosedError)
})

it('expired rows are counted until they are removed', async () => {
  const file = fresh()
  await (await filled(file)).close()
  const connection = new Sqlite(file)
  connection.prepare("UPDATE kv SET expires_at = 1 WHERE value = '1'").run()
  connection.close()
  await using db = await Valkeyrie.inspect(file, { readOnly: true })
  const { expiring, repositories } = await db.stats()
  expect(expiring).toEqual({ expired: 3, minute: 0, hour: 0, day: 0, next: null })
  expect(repositories.at(-1)).toMatchObject({ repository: null, rows: 1 })
})

it('the command prints them, on a file that another process has open', async () => {
  const file = fresh()
  await using db = await filled(file)
  const json = await command(path('.'), 'stats', file, '--json')
  const { oldestSnapshot: _, ...stats } = await db.stats()
  expect(JSON.parse(json.text)).toMatchObject(stats)
  const { code, text } = await command(path('.'), 'stats', file)
  expect(code).toBe(0)
  expect(text).toMatch(/^users +2,500 +[\d,]+$/m)
  expect(text).toMatch(/^kv_users_name_unique +[\d,]+$/m)
  expect(text).toContain('an hour 2, a day 3')
  expect((await command(path('.'), 'stats', path('nowhere.db'))).code).toBe(1)
  expect((await command(path('.'), 'stats', '--help')).text).toContain('valkeyrie stats app.db')
})
