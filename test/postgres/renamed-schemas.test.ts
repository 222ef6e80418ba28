import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { migrate } from 'valkeyrie/migrate'
import { defineSchema } from 'valkeyrie/schema'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { command } from '../command/command.ts'
import {
  generateQuietly,
  importTables,
  projectFolder,
  projectFor,
  settingsFor,
  write,
} from '../migrate/project.ts'
import { byHand, newSchema } from './database.ts'
import { serverOfRun } from './server-of-run.ts'

const server = await serverOfRun()
const url = 'url' in server ? server.url : ''
const user = z.object({ name: z.string() })
const users = defineSchema(['users', '*'], user, { search: { on: ['name'] } })
const store = Valkeyrie.withSchemas([users])

/** A database that was moved out of the way under another name, and the one that has its former name now. */
async function renamed(migrations?: string) {
  const [schema, old] = [newSchema(), newSchema()]
  {
    await using db = await store.open(url, { schema, migrations })
    await db.repositories.users.insert('ann', { name: 'Ann walks' })
  }
  const client = await byHand(url)
  await client.query(`alter schema "${schema}" rename to "${old}"`)
  const db = await store.open(url, { schema })
  await db.repositories.users.insert('new', { name: 'New walks' })
  return { schema, old, db }
}

test.skipIf(url === '')('a database that reset has made anew finds what is written to it', async () => {
  const [folder, schema] = [projectFolder(), newSchema()]
  await generateQuietly(projectFor('postgres', folder, users))
  write(
    folder,
    'schemas.ts',
    `${importTables.postgres}
import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'
export const users = defineSchema(['users', '*'], z.object({ name: z.string() }), { search: { on: ['name'] } })
export const { kv, kvLog, kvCollections } = kvTables([users])`,
  )
  write(folder, 'drizzle.config.ts', settingsFor('postgres'))
  await (await store.open(url, { schema, migrations: join(folder, 'migrations') })).close()
  expect(await command(folder, 'reset', '--yes', url, '--schema', schema)).toMatchObject({ code: 0 })
  await using db = await store.open(url, { schema, migrations: join(folder, 'migrations') })
  await db.repositories.users.insert('ann', { name: 'Ann walks' })
  expect(await db.repositories.users.count({ where: { $search: 'walks' } })).toBe(1)
})

describe.skipIf(url === '')('a schema that was renamed on the server', () => {
  test.each(['with its schemas', 'without schemas'])(
    'is written to itself, and not the one that has its former name now: opened %s',
    async (how) => {
      const { db, old } = await renamed()
      await using fresh = db
      {
        await using opened = await (how === 'without schemas' ? Valkeyrie : store).open(url, { schema: old })
        await opened.set(['users', 'bob'], { name: 'Bob walks' })
        await Promise.all([
          opened.set(['users', 'cid'], { name: 'Cid walks' }),
          opened.delete(['users', 'ann']),
          opened.set(['n'], 1),
        ])
      }
      await using moved = await store.open(url, { schema: old })
      const walking = { where: { $search: 'walks' }, orderBy: { $id: 'asc' } } as const
      const idsOf = async (it: typeof fresh) =>
        (await it.repositories.users.findMany(walking)).map(({ id }) => id)
      expect([await idsOf(moved), await idsOf(fresh)]).toEqual([['bob', 'cid'], ['new']])
      await moved.clear()
      expect([await moved.get(['n']), await idsOf(moved), await idsOf(fresh)]).toMatchObject([
        { value: null },
        [],
        ['new'],
      ])
    },
  )

  test('is migrated itself', async () => {
    const folder = projectFolder()
    const migrations = join(folder, 'migrations')
    await generateQuietly(projectFor('postgres', folder, users))
    const { db, old, schema } = await renamed(migrations)
    await using fresh = db
    const next = defineSchema(
      ['users', '*'],
      z.object({ name: z.string(), walks: z.boolean().default(true) }),
      {
        search: { on: ['name'] },
      },
    )
    await generateQuietly(projectFor('postgres', folder, next))
    await migrate(`${url}?schema=${old}`, { folder: migrations })
    const { rows } = await (await byHand(url)).query(
      'select proname from pg_proc where pronamespace = to_regnamespace($1) and strpos(prosrc, $2) > 0',
      [old, schema],
    )
    expect(rows).toEqual([])
    await using moved = await Valkeyrie.withSchemas([next]).open(url, { schema: old, migrations })
    expect(await moved.repositories.users.findMany({ where: { $search: 'walks' } })).toMatchObject([
      { id: 'ann', value: { name: 'Ann walks', walks: true } },
    ])
    expect(await Valkeyrie.verify(`${url}?schema=${schema}`)).toMatchObject({ sound: true })
    expect(await fresh.repositories.users.count({ where: { $search: 'walks' } })).toBe(1)
  })
})
