import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { Valkeyrie } from 'valkeyrie'
import { queue } from 'valkeyrie/queue'
import { defineSchema } from 'valkeyrie/schema'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { mendSql } from '../../src/driver/sqlite/migrations/table-sql.ts'
import { projectStatus } from '../../src/migration/check.ts'
import { generate } from '../../src/migration/generate.ts'
import { anyCharacter } from '../any-character.ts'
import { describeEnginesInTurn } from '../engines.ts'
import { generateQuietly, migrateQuietly, projectFolder, projectFor } from './project.ts'

const before = defineSchema(
  ['users', '*'],
  z.object({
    name: z.string().optional(),
    at: z.date().optional(),
    nick: z.string().optional(),
    old: z.union([z.string(), z.date(), z.bigint()]).optional(),
    role: z.enum(['admin', 'guest']),
    address: z.object({ town: z.union([z.string(), z.date()]), zip: z.number() }),
  }),
)
const after = defineSchema(
  ['users', '*'],
  z.object({
    'full.name': z.string().optional(),
    since: z.date().optional(),
    nick: z.string().default('none'),
    role: z.enum(['owner', 'guest']),
    address: z.object({ city: z.union([z.string(), z.date()]) }),
    level: z.int().default(1),
    tags: z.array(z.string()).default(["it's"]),
  }),
)
const renames = [
  'users.name=full.name',
  'users.at=since',
  'users.role:admin=owner',
  'users.address.town=city',
]

// All characters, those that an engine cannot keep among them.
const text = fc.string({ unit: anyCharacter })
const date = fc.date({ noInvalidDate: true })
const userBefore = fc.record(
  {
    name: fc.option(text, { nil: undefined }),
    at: fc.option(date, { nil: undefined }),
    nick: fc.option(text, { nil: undefined }),
    old: fc.oneof(text, date, fc.bigInt(), fc.constant(undefined)),
    role: fc.constantFrom('admin' as const, 'guest' as const),
    address: fc.record({ town: fc.oneof(text, date), zip: fc.constantFrom(0, -0, 1.5) }),
  },
  { requiredKeys: ['role', 'address'] },
)

describeEnginesInTurn('mechanical changes', 1, (engine) => {
  const projectOf = projectFor.bind(null, engine.name)

  it('SQL gives every value what a program would give it, and watchers learn of it', async () => {
    const folder = projectFolder()
    const path = engine.newAddress()
    const values = fc.sample(userBefore, { numRuns: 300, seed: 7 })
    const v1 = projectOf(folder, before)
    await generateQuietly(v1)
    const db = await Valkeyrie.withSchemas([before]).open(path, { migrations: v1.migrations })
    const rows = values.map((value, id) => [id, value] as const)
    await db.repositories.users.insertMany(rows)
    const [watcher, changed] = [db.watch([['users', 0]]).getReader(), [] as unknown[]]
    await watcher.read()

    const v2 = projectOf(folder, after)
    const generated = await generateQuietly(v2, ...renames)
    expect(generated?.steps).toEqual([])
    expect(await migrateQuietly(v2, path)).toEqual([generated!.tag])
    changed.push((await watcher.read()).value?.[0].versionstamp)
    expect(changed[0]).not.toBeNull()
    await db.close()

    const next = await Valkeyrie.withSchemas([after]).open(path, {
      migrations: v2.migrations,
      validateReads: true,
    })
    for (const [id, source] of rows) {
      const { name, at, nick = 'none', old: _, role, address, ...rest } = source
      const wanted = {
        ...rest,
        ...('name' in source ? { 'full.name': name } : {}),
        ...('at' in source ? { since: at } : {}),
        nick,
        role: role === 'admin' ? 'owner' : role,
        address: { city: address.town },
        level: 1,
        tags: ["it's"],
      }
      expect((await next.repositories.users.get(id))?.value).toEqual(wanted)
    }
    await next.close()
    expect(await generateQuietly(v2)).toBeNull()
  })

  it('a change of repository, of pattern, or of both moves the rows', async () => {
    const folder = projectFolder()
    const path = engine.newAddress()
    const value = z.object({ n: z.number() })
    const index = { indexes: [{ on: 'n' }] } as const
    const first = defineSchema(['users', '*'], value, index)
    await generateQuietly(projectOf(folder, first))
    const db = await Valkeyrie.withSchemas([first]).open(path, { migrations: join(folder, 'migrations') })
    const long = 'x'.repeat(300)
    await db.repositories.users.set(long, { n: 1 })
    const changes = db.repositories.users.changes({ since: '0'.repeat(20) }).getReader()
    await changes.read()

    const second = defineSchema(['people', '*'], value, index)
    await generateQuietly(projectOf(folder, second), 'users=people')
    await migrateQuietly(projectOf(folder, second), path)
    expect((await changes.read()).value).toMatchObject({ type: 'delete', id: long })
    await db.close()

    const moved = await Valkeyrie.withSchemas([second]).open(path, { migrations: join(folder, 'migrations') })
    expect(await moved.repositories.people.findMany({ where: { n: 1 } })).toMatchObject([{ id: long }])
    await moved.close()

    const third = defineSchema(['people', '*'], value, { ...index, name: 'persons' })
    await generateQuietly(projectOf(folder, third))
    await migrateQuietly(projectOf(folder, third), path)
    const renamed = await Valkeyrie.withSchemas([third]).open(path, {
      migrations: join(folder, 'migrations'),
    })
    expect(await renamed.repositories.persons.findMany({ where: { n: 1 } })).toMatchObject([{ id: long }])
    await renamed.close()
  })

  it("a field with a default is added to the payloads of a queue's jobs, dead letters and schedules", async () => {
    const folder = projectFolder()
    const path = engine.newAddress()
    const lang = z.enum(['en', 'de']).default('en')
    const old = queue('mails', z.object({ to: z.string(), by: z.object({ name: z.string() }) }))
    const next = queue(
      'mails',
      z.object({ to: z.string(), by: z.object({ name: z.string(), level: z.int().default(1) }), lang }),
    )
    const v1 = projectOf(folder, ...old.definitions)
    await generateQuietly(v1)
    const db = await Valkeyrie.withSchemas([...old.definitions]).open(path, { migrations: v1.migrations })
    const payload = { to: 'ada@example.com', by: { name: 'Bob' } }
    const { id } = await old.enqueue(db, payload)
    await old.schedule(db, 'daily', { cron: '0 0 * * *', payload })
    const letter = { payload, priority: 0, group: null, attempts: 1, error: 'no', enqueuedAt: 1, diedAt: 2 }
    await db.repositories.mailsDead.set('dead', letter)
    await db.close()

    const v2 = projectOf(folder, ...next.definitions)
    const generated = await generateQuietly(v2)
    expect(generated?.steps).toEqual([])
    await migrateQuietly(v2, path)
    const migrated = await Valkeyrie.withSchemas([...next.definitions]).open(path, {
      migrations: v2.migrations,
    })
    const { mails, mailsDead, mailsSchedules } = migrated.repositories
    const wanted = { to: 'ada@example.com', by: { name: 'Bob', level: 1 }, lang: 'en' }
    const rows = [await mails.get(id), await mailsDead.get('dead'), await mailsSchedules.get('daily')]
    expect(rows.map(({ value }) => value?.payload)).toEqual([wanted, wanted, wanted])
    await migrated.close()
    expect(await generateQuietly(v2)).toBeNull()
  })

  it('a loss needs agreement, and a possible rename is reported', async () => {
    const folder = projectFolder()
    await generateQuietly(projectOf(folder, defineSchema(['a', '*'], z.object({ x: z.string() }))))
    const next = projectOf(folder, defineSchema(['a', '*'], z.object({ y: z.string(), z: z.string() })))
    const options = { renames: [], acceptDataLoss: false }
    await expect(generate(next, options)).rejects.toThrow(
      /lose a\.x.*--accept-data-loss[\s\S]*\n {2}--rename a\.x=y\n {2}--rename a\.x=z$/,
    )
    const asked: unknown[] = []
    const ask = async (...question: unknown[]) => asked.push(question)
    const answered = await generate(next, { ...options, ask })
    expect(asked).toEqual([['a.x is gone. What is its name now?', ['y', 'z', 'nothing: it was not renamed']]])
    // The second choice, so that y is new and has no default.
    expect(readFileSync(join(folder, 'migrations', answered!.steps[0]!), 'utf8')).toMatch(/x is now named z/)
    await expect(generate(next, { ...options, renames: ['a.q=z'] })).rejects.toThrow(
      /names nothing that has changed/,
    )
  })

  it('a looser schema leaves the values alone; a stricter one asks for a program', async () => {
    const folder = projectFolder()
    const of = (x: z.ZodType) => projectOf(folder, defineSchema(['a', '*'], z.object({ x })))
    await generateQuietly(of(z.string().min(2)))
    const loose = await generateQuietly(of(z.string().nullable()))
    expect(loose?.steps).toEqual([])
    expect(readFileSync(join(folder, 'migrations', `${loose!.tag}.sql`), 'utf8')).not.toContain('UPDATE kv ')
    for (const strict of [z.string(), z.number(), z.date(), z.number().default(() => Math.random())]) {
      expect((await generateQuietly(of(strict)))?.steps).toHaveLength(1)
    }
  })

  it('a pattern without the flags that it had asks for a program', async () => {
    const [folder, address] = [projectFolder(), engine.newAddress()]
    const of = (x: z.ZodType) => projectOf(folder, defineSchema(['a', '*'], z.object({ x: z.array(x) })))
    await generateQuietly(of(z.string().regex(/^[a-z]+$/i)))
    expect(await generateQuietly(of(z.string().regex(/^[a-z]+$/i)))).toBeNull()
    for (const other of [/^[a-z]+$/m, /^[a-z]+$/]) {
      const project = of(z.string().regex(other))
      expect((await projectStatus(project, address)).drift).toMatchObject([{ kind: 'schemas' }])
      expect((await generateQuietly(project))?.steps).toHaveLength(1)
      expect((await projectStatus(project, address)).drift).toEqual([])
      expect(await generateQuietly(project)).toBeNull()
    }
  })

  it('a list whose items may not be undefined any more asks for a program', async () => {
    const [folder, address] = [projectFolder(), engine.newAddress()]
    const of = (x: z.ZodType) => projectOf(folder, defineSchema(['a', '*'], z.object({ x })))
    const text = z.string()
    for (const [before, after] of [
      [z.array(text.optional()), z.array(text)],
      [z.array(z.array(text.optional())), z.array(z.array(text))],
      [z.tuple([text, text.optional()]), z.tuple([text, text])],
    ]) {
      await generateQuietly(of(before!))
      expect(await generateQuietly(of(before!))).toBeNull()
      expect((await projectStatus(of(after!), address)).drift).toMatchObject([{ kind: 'schemas' }])
      expect((await generateQuietly(of(after!)))?.steps).toHaveLength(1)
      expect(await generateQuietly(of(after!))).toBeNull()
    }
  })
})

describe("drizzle-kit's faults", () => {
  const users = {
    name: 'users',
    pattern: '["users","*"]',
    schema: null,
    indexes: [{ fields: ['a.b'], unique: true }],
  }

  it('statements on our own tables become those of open, and indexes are dropped first', () => {
    const { drop, indexes, tables } = mendSql(
      [
        'ALTER TABLE `other` DROP COLUMN `x`;',
        'DROP INDEX `other_x`;',
        "CREATE UNIQUE INDEX `kv_users_a_b_unique` ON `kv` (json_extract(value,'$.a.b'));",
      ],
      [users],
    )
    expect([...drop, ...tables, ...indexes]).toEqual([
      'DROP INDEX IF EXISTS "other_x"',
      'ALTER TABLE `other` DROP COLUMN `x`',
      `CREATE UNIQUE INDEX "kv_users_a_b_unique" ON "kv" (value ->> '$.a.b') WHERE collection = 'users'`,
    ])
  })

  it.each(['CREATE TABLE `__new_kv` (key);', 'ALTER TABLE `kv` ADD x;', 'DROP TABLE `kv_log`;'])(
    'refuses %s',
    (sql) => {
      expect(() => mendSql([sql], [users])).toThrow(expect.objectContaining({ code: 'MIGRATION' }))
    },
  )
})
