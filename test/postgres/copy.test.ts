import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import {
  ConnectionError,
  DatabaseBusyError,
  DatabaseOpenError,
  KvU64,
  MigrationError,
  Valkeyrie,
} from 'valkeyrie'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { extent } from '../extent.ts'
import { cli, run } from '../migrate/project.ts'
import { anyKey, anyValue, u64 } from '../property/any-value.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { waitFor, waitUntil } from '../waiting.ts'
import { byHand, newSchema, startProxy } from './database.ts'
import { serverOfRun } from './server-of-run.ts'

const server = await serverOfRun()
const url = 'url' in server ? server.url : ''
const path = temporaryFolder()
let files = 0
const newFile = () => path(`${files++}.db`)
const newAddress = () => `${url}?schema=${newSchema()}`
const valkeyrie = (...args: string[]) => run(path('.'), [cli, ...args])

/** All that a file has, as the engine gives it. */
function tablesOf(file: string): unknown[][] {
  const connection = new Database(file, { readonly: true })
  const tables = ['kv', 'kv_log', 'kv_collections'].map((name) =>
    connection.prepare(`SELECT * FROM ${name} ORDER BY 1`).raw().all(),
  )
  connection.close()
  return tables
}

const indexesOf = async (address: string) => {
  await using db = await Valkeyrie.inspect(address, { readOnly: true })
  const { indexes } = await db.stats()
  return indexes
    .filter((it) => it.repository !== null)
    .map(({ name, fields, unique }) => ({ name, fields, unique }))
}

const value = fc.oneof(
  anyValue,
  u64.map((n) => new KvU64(n)),
  fc.uint8Array(),
  fc.constantFrom('\0', { '\0': '\ud800\u0001' }, '\udfff\ud800', { a: ['\u{10ffff}\ud7ff'] }),
)

const person = z.object({ name: z.string(), age: z.int(), big: z.bigint(), born: z.date().optional() })
const pet = z.object({ owner: z.string(), name: z.string().nullable() })
const schemas = Valkeyrie.withSchema(['people', '*'], person, {
  indexes: [{ on: 'name', unique: true }, { on: ['age', 'big'] }, { on: 'born' }],
}).withSchema(['pets', '*', '*'], pet, { name: 'pets', indexes: [{ on: 'name' }] })

/** A file with some of everything, and the versionstamp of a change that others were made after. */
async function filled(people = 20): Promise<{ file: string; seen: string }> {
  const file = newFile()
  await using db = await schemas.open(file, { log: { values: true } })
  const { people: all, pets } = db.repositories
  for (let i = 0; i < people; i++)
    await all.insert(`p${i}`, { name: `name ${i}\0`, age: i % 7, big: BigInt(i) ** 20n, born: new Date(i) })
  await pets.insert(['p1', 1], { owner: 'p1', name: null })
  const { versionstamp: seen } = await db.set(['lamp'], new Uint8Array([0, 255]))
  await db.set(['short'], new Map([['a', 1n]]), { expireIn: 3_600_000 })
  await all.update('p2', { age: 99 })
  await all.delete('p3')
  return { file, seen }
}

describe.skipIf(url === '')('a copy', () => {
  test('to a server and back is unchanged, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(anyKey, value, fc.option(fc.integer({ min: 1e9, max: 1e12 }))), {
          minLength: 5,
          maxLength: 40,
          size: 'max',
        }),
        fc.boolean(),
        async (rows, values) => {
          const [from, back] = [newFile(), newFile()]
          {
            await using db = await Valkeyrie.open(from, { log: { values } })
            for (const [at, it, expireIn] of rows) await db.set(at, it, expireIn === null ? {} : { expireIn })
            if (rows[0] !== undefined) await db.delete(rows[0][0])
          }
          const address = newAddress()
          const there = await Valkeyrie.copy(from, address)
          const here = await Valkeyrie.copy(address, back)
          expect(here.digest).toBe(there.digest)
          expect(tablesOf(back)).toEqual(tablesOf(from))
          await using copy = await Valkeyrie.open(address, { destroyOnClose: true })
          await using db = await Valkeyrie.open(from)
          const entries = (it: typeof copy | typeof db) =>
            Array.fromAsync(it.list({ prefix: [] }), (entry) => entry)
          expect(await entries(copy)).toEqual(await entries(db))
        },
      ),
      { numRuns: extent('random databases', 2, 40), endOnFailure: true },
    )
  })

  test('has the schemas, indexes and references, and continues where its source was', async () => {
    const { file, seen } = await filled()
    const address = newAddress()
    const copied = await Valkeyrie.copy(file, address)
    expect(copied).toMatchObject({ from: file, rows: 22, left: [] })
    expect(copied.to).not.toContain('schema')
    await using db = await schemas.open(address)
    const { people } = db.repositories
    expect((await people.findFirst({ where: { name: 'name 7\0' } }))?.id).toBe('p7')
    await expect(people.insert('new', { name: 'name 1\0', age: 1, big: 1n })).rejects.toMatchObject({
      code: 'UNIQUE_CONSTRAINT',
    })
    const changes = db.changes({ since: seen })
    const types: unknown[] = []
    for await (const { type, key, superseded } of changes) {
      types.push([type, ...key, superseded ?? false])
      if (types.length === 3) break
    }
    expect(types).toEqual([
      ['set', 'short', false],
      ['set', 'people', 'p2', false],
      ['delete', 'people', 'p3', false],
    ])
    const next = await db.set(['lamp'], 'off')
    expect(next.versionstamp > copied.versionstamp!).toBe(true)
    const names = (found: readonly { fields: readonly string[]; unique: boolean }[]) =>
      found.map(({ fields, unique }) => [fields.join(), unique]).sort()
    expect(names(await indexesOf(address))).toEqual(names(await indexesOf(file)))
  })

  test('has the searches of its source, on a server and on a file', async () => {
    const searched = Valkeyrie.withSchema(['notes', '*'], z.object({ text: z.string(), by: z.string() }), {
      search: ['text', 'by'],
    })
    const [file, address, other, back] = [newFile(), newAddress(), newAddress(), newFile()]
    {
      await using db = await searched.open(file)
      await db.repositories.notes.set('a', { text: 'Green tea', by: 'Ada' })
    }
    new Database(file).exec('CREATE TABLE kv_notes_theirs (a)').close()
    const copied = { rows: 1, left: ['kv_notes_theirs'] }
    expect(await Valkeyrie.copy(file, address)).toMatchObject(copied)
    expect(await Valkeyrie.copy(file, address, { overwrite: true })).toMatchObject(copied)
    {
      await using db = await Valkeyrie.inspect(address)
      expect(await db.repositories['notes']!.count({ where: { $search: 'tea' } })).toBe(1)
      await db.repositories['notes']!.set('b', { text: 'Black tea', by: 'Bob' })
    }
    for (const place of [other, back]) {
      expect(await Valkeyrie.copy(address, place)).toMatchObject({ rows: 2, left: [] })
      expect(await Valkeyrie.verify(place)).toMatchObject({ sound: true })
      await using same = await Valkeyrie.inspect(place)
      await same.repositories['notes']!.set('c', { text: 'Red tea', by: 'Cid' })
      await using db = await searched.open(place)
      const found = await db.repositories.notes.findMany({ where: { $search: 'tea -black' } })
      expect(found.map(({ id }) => id)).toEqual(['c', 'a'])
    }
  })

  test('from one schema of a server to another equals its source', async () => {
    const { file } = await filled()
    const [first, second, back] = [newAddress(), newAddress(), newFile()]
    const digests = [
      await Valkeyrie.copy(file, first),
      await Valkeyrie.copy(first, second),
      await Valkeyrie.copy(second, back),
      await Valkeyrie.copy(back, newFile()),
    ].map(({ digest }) => digest)
    expect(new Set(digests).size).toBe(1)
    expect(tablesOf(back)).toEqual(tablesOf(file))
    expect(await indexesOf(back)).toEqual(await indexesOf(file))
  })

  test('names each row that PostgreSQL cannot keep, and leaves nothing', async () => {
    const { file } = await filled()
    const random = `a${randomBytes(6_000).toString('base64')}`
    {
      await using db = await schemas.open(file, { limits: { keyBytes: 10_000 } })
      await db.set([random], 'a long key')
      await db.set(['odd'], { a: 1 })
      await db.repositories.pets.set(['p1', 'long'], { owner: 'p1', name: random })
    }
    const connection = new Database(file)
    connection.exec(`UPDATE kv SET value = '{' WHERE version = (SELECT max(version) - 1 FROM kv)`)
    connection.exec(`UPDATE kv_log SET changes = x'09' WHERE version = 5`)
    connection.close()
    const schema = newSchema()
    const failure = await Valkeyrie.copy(file, `${url}?schema=${schema}`).then(
      () => null,
      (error) => error as MigrationError,
    )
    expect(failure).toBeInstanceOf(MigrationError)
    const told = failure!.refused.map(({ repository, rows, samples }) => [repository, rows, samples.join()])
    expect(told).toEqual([
      [
        '(none)',
        3,
        expect.stringMatching(
          /^\["a.{150,250}…: .*2,700 bytes.*,\["odd"\]: PostgreSQL says: invalid input.*,the commit 0{19}5: what it has changed/,
        ),
      ],
      ['pets', 1, expect.stringMatching(/^\["pets", "p1", "long"\]: .*2,700 bytes/)],
    ])
    const client = await byHand(url)
    const { rowCount } = await client.query('select from pg_namespace where nspname = $1', [schema])
    expect(rowCount).toBe(0)
    const { code, output } = await valkeyrie('copy', file, `${url}?schema=${schema}`, '--json')
    expect([code, JSON.parse(output).error.refused.length]).toEqual([1, 2])
  })

  test('of a file with checksums has only the values, and reports each that has changed', async () => {
    const [from, back] = [newFile(), newFile()]
    {
      await using db = await Valkeyrie.open(from, { checksums: true })
      await db.set(['a'], { b: 1 })
      await db.set(['c'], new Uint8Array([1]))
    }
    const address = newAddress()
    await Valkeyrie.copy(from, address)
    await Valkeyrie.copy(address, back)
    await using copy = await Valkeyrie.open(back)
    expect(await copy.getMany([['a'], ['c']])).toMatchObject([
      { value: { b: 1 } },
      { value: new Uint8Array([1]) },
    ])
    new Database(from).exec(`UPDATE kv SET value = replace(value, '1', '2') WHERE version = 1`).close()
    await expect(Valkeyrie.copy(from, newAddress())).rejects.toThrow(
      /\["a"\]: its value does not match its checksum/,
    )
  })

  test('is one state of a database that others write to', async () => {
    const [file, back] = [newFile(), newFile()]
    const address = newAddress()
    for (const [from, to] of [
      [file, address],
      [address, back],
    ] as const) {
      await using db = await Valkeyrie.open(from)
      await Promise.all(Array.from({ length: 2_000 }, (_, i) => db.set(['row', i], i)))
      let isOver = false
      let written = 0
      const writing = (async () => {
        for (; !isOver; written++)
          await db.atomic().set(['row', -1], written).set(['row', 9e9], written).commit()
      })()
      await Valkeyrie.copy(from, to)
      isOver = true
      await writing
      expect(written).toBeGreaterThan(0)
      await using copy = await Valkeyrie.open(to)
      const [first, last] = await copy.getMany([
        ['row', -1],
        ['row', 9e9],
      ])
      expect(first!.value).toEqual(last!.value)
    }
  })

  test('replaces no database without asking, except one that nobody has written to', async () => {
    const { file } = await filled()
    const [address, other] = [newAddress(), newAddress()]
    await (await schemas.open(address)).close()
    await Valkeyrie.copy(file, address)
    await expect(Valkeyrie.copy(file, address)).rejects.toThrow(DatabaseOpenError)
    await expect(Valkeyrie.copy(address, address, { overwrite: true })).rejects.toThrow(
      /it is the database to copy/,
    )
    await using before = await Valkeyrie.open(other)
    await before.set(['old'], 1)
    const client = await byHand(url)
    const schema = new URL(other).searchParams.get('schema')
    await client.query(`create table ${schema}.__drizzle_migrations (id int)`)
    await client.query(`begin; select from ${schema}.kv`)
    for (const busyTimeout of [50, 0]) {
      await expect(Valkeyrie.copy(address, other, { overwrite: true, busyTimeout })).rejects.toThrow(
        DatabaseBusyError,
      )
    }
    await client.query('rollback')
    expect((await before.get(['old'])).value).toBe(1)
    await Valkeyrie.copy(address, other, { overwrite: true, busyTimeout: Number.MAX_SAFE_INTEGER })
    // What the old one had had of migrations is not what the new one has.
    const { rows } = await client.query(`select to_regclass('${schema}.__drizzle_migrations') as register`)
    expect(rows).toEqual([{ register: null }])
    expect((await before.get(['old'])).value).toBe(null)
    expect((await before.get(['lamp'])).value).toEqual(new Uint8Array([0, 255]))
    const back = newFile()
    await Valkeyrie.copy(address, back)
    await expect(Valkeyrie.copy(address, back)).rejects.toThrow(DatabaseOpenError)
    await Valkeyrie.copy(other, back, { overwrite: true })
    const theirs = newSchema()
    await client.query(`create schema ${theirs}; create table ${theirs}.kv (a text)`)
    await expect(Valkeyrie.copy(file, `${url}?schema=${theirs}`, { overwrite: true })).rejects.toThrow(
      /does not belong to valkeyrie/,
    )
    await client.query(`drop schema ${theirs} cascade`)
  })

  test('takes the place of no database that somebody follows', async () => {
    const { file } = await filled()
    const address = newAddress()
    const db = await Valkeyrie.open(address)
    await db.set(['old'], 1)
    const changes = db.changes().getReader()
    const first = changes.read()
    const held = async () => {
      const { rowCount } = await admin.query(
        `select from pg_locks where locktype = 'advisory' and mode = 'ShareLock'
          and (classid::bigint << 32 | objid::bigint) = hashtextextended($1, 0)`,
        [`valkeyrie:${new URL(address).searchParams.get('schema')} followed`],
      )
      return rowCount !== 0
    }
    const admin = await byHand(url)
    await waitUntil('the lock of the one who follows', held)
    await expect(Valkeyrie.copy(file, address, { overwrite: true, busyTimeout: 50 })).rejects.toThrow(
      /^Others have had postgres:\/\/.* open for 50 ms/,
    )
    await db.set(['old'], 2)
    expect((await waitFor('a change', first)).value).toMatchObject({ value: 2 })
    await db.close()
    await Valkeyrie.copy(file, address, { overwrite: true })
  })

  test('leaves nothing when it is stopped, and reports progress', async () => {
    const { file } = await filled(500)
    const controller = new AbortController()
    const told: (readonly [number, number])[] = []
    const ended = Valkeyrie.copy(file, newAddress(), {
      signal: controller.signal,
      onProgress: (done, total) => {
        told.push([done, total])
        if (done > 0) controller.abort(new Error('enough'))
      },
    })
    await expect(ended).rejects.toThrow('enough')
    expect(told[0]).toEqual([0, 1_004])
    const address = newAddress()
    const back = newFile()
    await Valkeyrie.copy(file, address, { onProgress: (...it) => void told.push(it) })
    expect(told.at(-1)).toEqual([1_004, 1_004])
    const failing = Valkeyrie.copy(address, back, {
      onProgress() {
        throw new Error('of the caller')
      },
    })
    await expect(failing).rejects.toThrow('of the caller')
    expect(readdirSync(dirname(back)).filter((name) => name.includes('partial'))).toEqual([])
    await expect(Valkeyrie.copy(file, back, { overwrit: true } as object)).rejects.toThrow(
      /did you mean 'overwrite'/,
    )
    await expect(Valkeyrie.copy(file, ':memory:')).rejects.toThrow(TypeError)
  })

  test('whose process is killed is missing or whole, and is made when it is started again', async () => {
    const { file } = await filled(1_500)
    const back = newFile()
    const schema = newSchema()
    const address = `${url}?schema=${schema}`
    const whole = await Valkeyrie.copy(file, newFile())
    const client = await byHand(url)
    const isThere = async () => {
      const { rowCount } = await client.query('select from pg_namespace where nspname = $1', [schema])
      return rowCount === 1
    }
    for (const [from, to, ...kills] of [
      [file, address, 1, 10],
      [address, back, 6],
    ] as const) {
      for (const tenths of kills) {
        await killedAfter(tenths, 'copy', from, to)
        const isMade = to === back ? existsSync(back) : await isThere()
        // Behind the last tenth, it may be done.
        if (tenths < 10) expect(isMade).toBe(false)
        else if (isMade) expect((await Valkeyrie.copy(to, newFile())).digest).toBe(whole.digest)
      }
      const { code, output } = await valkeyrie('copy', from, to, '--json', '--overwrite')
      expect([code, JSON.parse(output).digest]).toEqual([0, whole.digest])
    }
    expect(readdirSync(dirname(back)).filter((name) => name.includes('partial'))).toEqual([])
  })

  test('whose last answer is lost finds out whether it was committed', async () => {
    const { file } = await filled()
    const proxy = await startProxy(url, (bytes) => bytes.includes('commit\0'))
    proxy.dropAnswers(1)
    const schema = newSchema()
    const copied = await Valkeyrie.copy(file, `${proxy.url}?schema=${schema}`)
    expect(proxy.harmed).toBe(1)
    expect((await Valkeyrie.copy(`${url}?schema=${schema}`, newFile())).digest).toBe(copied.digest)
    const other = newSchema()
    proxy.holdRequests(1)
    await expect(Valkeyrie.copy(file, `${proxy.url}?schema=${other}`)).rejects.toThrow(ConnectionError)
  })

  test('is made by a command, which reports it in a sentence or as JSON', async () => {
    const { file } = await filled()
    const address = newAddress()
    const { code, text } = await valkeyrie('copy', file, address)
    expect(code).toBe(0)
    expect(text).toMatch(
      /^22 rows copied, up to version 0{16}\w{4}, checked and on the disk: postgres:\/\/127\S+\nIts log has 26 commits.*\ncopy: 0 of 44\n/,
    )
    expect(text).not.toContain(new URL(url).password)
    const again = await valkeyrie('copy', file, address, '--json')
    expect(again.code).toBe(1)
    expect(JSON.parse(again.output).error.code).toBe('DATABASE_OPEN')
    new Database(file).exec('CREATE TABLE theirs (a)').close()
    const over = await valkeyrie('copy', file, address, '--overwrite', '--json')
    expect(JSON.parse(over.output)).toMatchObject({ from: file, rows: 22, left: ['theirs'] })
    const help = await valkeyrie('copy', '--help')
    expect(help.text).toContain('$ npx valkeyrie copy data.db postgres://')
  })
})

/** Runs a command, and kills it when it has told that it has done so many tenths. */
async function killedAfter(tenths: number, ...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let told = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text
    if (told.split('\n').length - 2 >= tenths) child.kill('SIGKILL')
  })
  await waitFor('the end of the command', once(child, 'close'))
}
