import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import { type Database, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { AnyDefinition, DefinitionOptions } from '../../src/schema/definition.types.ts'
import { describeEngines } from '../engines.ts'
import { generateQuietly, migrateQuietly, projectFolder, projectFor } from './project.ts'

describeEngines('a database that is open while it is migrated', (engine) => {
  const projectOf = projectFor.bind(null, engine.name)

  const user = z.object({ name: z.string(), city: z.string() })
  const define = (schema: z.ZodObject, options: DefinitionOptions = {}): AnyDefinition =>
    defineSchema(['users', '*'], schema, options as never) as AnyDefinition
  const users = defineSchema(['users', '*'], user)

  /** A handle of the last release that has a database open while it is migrated to the next ones. */
  async function running(...next: readonly AnyDefinition[]) {
    const folder = projectFolder()
    const path = engine.newAddress()
    await generateQuietly(projectOf(folder, users))
    const db = await Valkeyrie.withSchemas([users]).open(path, { migrations: join(folder, 'migrations') })
    await db.set(['users', 'ann'], { name: 'Ann', city: 'Bonn' })
    return {
      db,
      path,
      migrate: async (...renames: string[]) => {
        await generateQuietly(projectOf(folder, ...next), ...renames)
        await migrateQuietly(projectOf(folder, ...next), path)
      },
    }
  }

  const refused = { code: 'MIGRATION', repository: 'users', message: expect.stringContaining("'users'") }

  test.each([
    [
      'a field that is renamed',
      define(z.object({ fullName: z.string(), city: z.string() })),
      'users.name=fullName',
    ],
    ['a field with a default', define(user.extend({ role: z.string().default('guest') })), ''],
    ['a repository that is renamed', define(user, { name: 'people' }), 'users=people'],
  ] as const)(
    'a migration of %s stops the queries and writes of the release before it',
    async (_, next, rename) => {
      const { db, path, migrate } = await running(next)
      expect(await db.repositories.users.count()).toBe(1)
      await migrate(...(rename === '' ? [] : [rename]))
      await expect(db.repositories.users.count()).rejects.toMatchObject(refused)
      await expect(db.repositories.users.findMany()).rejects.toMatchObject(refused)
      await expect(db.set(['users', 'bob'], { name: 'Bob', city: 'Bonn' })).rejects.toMatchObject(refused)
      await expect(db.repositories.users.set('bob', { name: 'Bob', city: 'Bonn' })).rejects.toMatchObject(
        refused,
      )
      // A change of a value that was migrated says the same as one of a new value.
      await expect(db.repositories.users.update('ann', { city: 'Rom' })).rejects.toMatchObject(refused)
      const inPlace = db.unitOfWork(async (unit) => {
        const { value } = await unit.get(['users', 'ann'])
        ;(value as { city: string }).city = 'Rom'
      })
      await expect(inPlace).rejects.toMatchObject(refused)
      // Rows outside that schema keep working.
      expect((await db.set(['notes', 1], 'x')).ok).toBe(true)
      await db.close()
      await using later = await Valkeyrie.withSchemas([next]).open(path)
      expect(await later.repository(next).count()).toBe(1)
    },
  )

  test('after a migration removes a repository, the previous release no longer has it', async () => {
    const others = defineSchema(['others', '*'], user)
    const { db, migrate } = await running(others)
    await migrate()
    await expect(db.repositories.users.count()).rejects.toMatchObject(refused)
    await expect(db.set(['users', 'bob'], { name: 'Bob', city: 'Bonn' })).rejects.toMatchObject(refused)
    await db.close()
  })

  test.each([
    ['an optional field', define(user.extend({ age: z.int().optional() }))],
    ['an index', define(user, { indexes: [{ on: 'city' }] })],
    ['a unique index', define(user, { indexes: [{ on: 'name', unique: true }] })],
  ] as const)('a migration that adds %s lets the release before it go on', async (_, next) => {
    const { db, migrate } = await running(next)
    await migrate()
    await db.repositories.users.set('bob', { name: 'Bob', city: 'Bonn' })
    expect(await db.repositories.users.count()).toBe(2)
    if (next.indexes[0]?.unique) {
      const twice = db.repositories.users.set('cid', { name: 'Bob', city: 'Bonn' })
      await expect(twice).rejects.toMatchObject({ code: 'UNIQUE_CONSTRAINT', fields: ['name'] })
    }
    await db.close()
  })

  test('the references of a schema are kept, and its migration keeps them', async () => {
    const folder = projectFolder()
    const posts = defineSchema(['posts', '*'], z.object({ by: z.string() }), { references: { by: users } })
    const path = engine.newAddress()
    const references = async ({
      drizzle,
      tables: { kvCollections },
    }: Pick<Database, 'drizzle' | 'tables'>) => {
      const rows = await drizzle.select().from(kvCollections).where(eq(kvCollections.name, 'posts'))
      return rows[0]?.references
    }
    await generateQuietly(projectOf(folder, users, posts))
    await migrateQuietly(projectOf(folder, users, posts), path)
    {
      await using db = await Valkeyrie.open(path)
      expect(await references(db)).toBe('{"by":"users"}')
    }
    await using db = await Valkeyrie.withSchema(['posts', '*'], z.object({ by: z.string() })).open(path)
    expect(await references(db)).toBe('{"by":"users"}')
  })

  test.runIf(engine.name === 'sqlite')('a file with checksums is migrated, by SQL and by steps', async () => {
    const folder = projectFolder()
    const path = engine.newAddress()
    const migrations = join(folder, 'migrations')
    const next = define(user.extend({ role: z.string().default('guest') }))
    await generateQuietly(projectOf(folder, users))
    {
      await using db = await Valkeyrie.withSchemas([users]).open(path, { migrations, checksums: true })
      await db.repositories.users.set('ann', { name: 'Ann', city: 'Bonn' })
      await db.set(['bytes'], Uint8Array.of(1, 2))
    }
    await generateQuietly(projectOf(folder, next))
    await migrateQuietly(projectOf(folder, next), path)
    const last = define(user.extend({ role: z.string(), city: z.int() }))
    const generated = await generateQuietly(projectOf(folder, last))
    writeFileSync(
      join(migrations, generated!.steps[0]!),
      'export const up = (value) => ({ ...value, city: value.city.length })',
    )
    await migrateQuietly(projectOf(folder, last), path)
    await using db = await Valkeyrie.open(path)
    expect((await db.get(['users', 'ann'])).value).toEqual({ name: 'Ann', city: 4, role: 'guest' })
    expect((await db.get(['bytes'])).value).toEqual(Uint8Array.of(1, 2))
    expect(await Valkeyrie.verify(path)).toMatchObject({ sound: true, rows: 2 })
  })
})
