import { readFileSync } from 'node:fs'
import { Valkeyrie } from 'valkeyrie'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { command } from '../command/command.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { byHand, newSchema } from './database.ts'
import { serverOfRun } from './server-of-run.ts'

// The commands with the address of a server, as their users run them.

const server = await serverOfRun()
const url = 'url' in server ? server.url : ''
const path = temporaryFolder()
const valkeyrie = (...args: string[]) => command(path('.'), ...args)
const addressOf = (schema: string) => `${url}?schema=${schema}`

const user = z.object({ name: z.string(), born: z.date().optional(), big: z.bigint() })
const schemas = Valkeyrie.withSchema(['users', '*'], user, { indexes: [{ on: 'name' }] })

async function filled() {
  const schema = newSchema()
  await using db = await schemas.open(url, { schema })
  const { users } = db.repositories
  await users.insert('ada', { name: 'Ada\0', born: new Date(0), big: 2n ** 80n })
  await users.insert('bob', { name: 'Bob', big: 1n }, { expireIn: 3_600_000 })
  await db.set(['lamp'], new Uint8Array([0, 1]))
  return { schema, address: addressOf(schema) }
}

describe.skipIf(url === '')('on a server', () => {
  test('export and import move rows, into a schema that is there and into one that is not', async () => {
    const { address } = await filled()
    const [all, others] = [path('all.ndjson'), path('others.ndjson')]
    expect(await valkeyrie('export', address, '--output', all)).toMatchObject({
      code: 0,
      text: `3 rows written to ${all}\n`,
    })
    const to = addressOf(newSchema())
    const imported = await valkeyrie('import', to, all, '--json', '--skip-invalid', path('refused.ndjson'))
    expect(JSON.parse(imported.text)).toMatchObject({ from: 'ndjson', imported: 3, refused: 0 })
    expect(JSON.parse((await valkeyrie('import', to, all, '--json')).text)).toMatchObject({ unchanged: 3 })
    await valkeyrie('export', to, '--output', others)
    expect(readFileSync(others, 'utf8').replaceAll('null', '"users"')).toBe(
      readFileSync(all, 'utf8').replaceAll('null', '"users"'),
    )
  })

  test('stats and doctor report the state of a database, and what is wrong with it', async () => {
    const { schema, address } = await filled()
    const stats = await valkeyrie('stats', address)
    expect(stats.code).toBe(0)
    expect(stats.text).toMatch(/^users +2 +\d+$/m)
    expect(stats.text).toMatch(/^tables and indexes +[\d,]+$/m)
    expect(await valkeyrie('doctor', address)).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^All is well: 3 rows and \d commits were read\.\n$/),
    })
    const client = await byHand(url)
    await client.query(`update ${schema}.kv set collection = 'others' where version = 2;
      update ${schema}.kv set encoding = 1, types = '[7]' where version = 3;
      delete from ${schema}.kv_log where version = 2;
      update ${schema}.kv_meta set version = 9;
      drop index ${schema}.kv_users_name`)
    const { code, text } = await valkeyrie('doctor', address, '--json')
    const { findings, advice } = JSON.parse(text) as Awaited<ReturnType<typeof Valkeyrie.verify>> & {
      advice: object
    }
    expect(code).toBe(2)
    expect(
      findings.map(({ kind, key, version, message }) => `${kind} ${key ?? version ?? ''}: ${message}`),
    ).toEqual([
      expect.stringMatching(/^index : The index of 'users' on name is missing/),
      expect.stringMatching(/^row \["users", "ada"\]: It is filed under others/),
      expect.stringMatching(/^row \["users", "bob"\]: Its value cannot be decoded/),
      expect.stringMatching(/^log 0{19}3: Commits before it are missing/),
      expect.stringMatching(/^log : The counter of versions is at 9, and the newest commit of the log is 4/),
    ])
    expect(Object.keys(advice)).toEqual(['index', 'row', 'log'])
    expect(JSON.stringify(advice)).not.toMatch(/--repair|file/)
  })

  test.each([
    [['backup', 'ADDRESS', 'b.db'], /use pg_dump/],
    [['restore', 'b.db', 'ADDRESS'], /use pg_restore/],
    [['doctor', 'ADDRESS', '--repair'], /restore it from a backup of the server/],
  ])('%j says what to use instead', async (args, sentence) => {
    const { schema, address } = await filled()
    await (await byHand(url)).query(`delete from ${schema}.kv_log where version = 2`)
    const ended = await valkeyrie(...args.map((it) => (it === 'ADDRESS' ? address : it)))
    expect([ended.code, ended.text]).toEqual([1, expect.stringMatching(sentence)])
    expect(ended.text).not.toContain(new URL(url).password)
  })

  test('inspect knows its schemas, in the schema that an option names', async () => {
    const { schema } = await filled()
    await using db = await Valkeyrie.inspect(url as `postgres://${string}`, { schema, connections: 3 })
    expectTypeOf(db.drizzle).toHaveProperty('execute')
    expect(db.engine).toBe('postgres')
    expect(await db.repository(['users', '*']).count({ where: { name: 'Bob' } })).toBe(1)
    await expect(db.set(['users', 'eve'], { name: 7 })).rejects.toMatchObject({ code: 'VALIDATION' })
    await db.set(['users', 'eve'], { name: 'Eve', big: 1n })
    await expect(Valkeyrie.inspect(url, { schema: newSchema() })).rejects.toThrow(
      /holds no tables of valkeyrie/,
    )
  })

  test('as types a database whose address is known late, and says which engine it uses', async () => {
    const address: string = addressOf(newSchema())
    await using db = await schemas.open(address)
    const { kv } = db.as('postgres').tables
    expect(await db.as('postgres').drizzle.select({ version: kv.version }).from(kv)).toEqual([])
    expect(() => db.as('sqlite')).toThrow(/uses the engine 'postgres'/)
    await using file = await Valkeyrie.open()
    expect([file.engine, file.as('sqlite')]).toEqual(['sqlite', file])
    // @ts-expect-error there is no such engine
    expect(() => file.as('mysql')).toThrow(TypeError)
  })
})
