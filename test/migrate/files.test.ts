import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { MigrationError, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { migrate } from '../../src/migration/migrate.ts'
import { migrateQuietly } from './project.ts'
import { upgrade } from './upgrade.ts'

const v1 = defineSchema(['users', '*'], z.object({ age: z.string() }))
const v2 = defineSchema(['users', '*'], z.object({ age: z.int() }))
const step = `export const up = ({ age }) => {
  if (age === 'unknown') throw new Error('no age')
  return { age: Number(age) }
}
`

/** A database with a row that its pending migration cannot convert. */
async function project() {
  const made = await upgrade([v1], [[['users', 1], { age: 'unknown' }]], [v2])
  writeFileSync(join(made.project.migrations, made.generated!.steps[0]!), step)
  chmodSync(made.path, 0o600)
  return {
    ...made,
    backup: `${made.path}.before-${made.generated!.tag}`,
    skipInvalid: join(made.folder, 'skipped.jsonl'),
  }
}

const quiet = { line() {}, progress() {} }
const modeOf = (path: string) => statSync(path).mode & 0o777

it('the backup and the file of the skipped rows have the permissions of the database', async () => {
  const { project: loaded, path, backup, skipInvalid } = await project()
  await migrate(loaded, { path, backup: true, skipInvalid, report: quiet })
  expect([modeOf(backup), modeOf(skipInvalid)]).toEqual([0o600, 0o600])
  const file = new Database(backup, { readonly: true })
  expect(file.pragma('journal_mode', { simple: true })).toBe('delete')
  file.close()
})

it('neither is made through a symbolic link that leads nowhere, and the backup takes another name', async () => {
  const { project: loaded, path, backup, skipInvalid, folder } = await project()
  const [stolen, also] = [join(folder, 'stolen'), join(folder, 'also')]
  symlinkSync(stolen, skipInvalid)
  symlinkSync(also, backup)
  await expect(migrate(loaded, { path, backup: true, skipInvalid, report: quiet })).rejects.toThrow(
    /skipped\.jsonl already exists/,
  )
  await migrate(loaded, { path, backup: true, skipInvalid: `${skipInvalid}.2`, report: quiet })
  expect([existsSync(stolen), existsSync(also)]).toEqual([false, false])
  expect(existsSync(`${backup}.2`)).toBe(true)
})

it('a backup of an earlier run stays', async () => {
  const { project: loaded, path, backup } = await project()
  const run = () => migrate(loaded, { path, backup: true, report: quiet })
  await expect(run()).rejects.toThrow(MigrationError)
  const first = readFileSync(backup)
  const db = await Valkeyrie.open(path)
  await db.set(['users', 2], { age: '2' })
  await db.close()
  await expect(run()).rejects.toThrow(MigrationError)
  expect(readFileSync(backup)).toEqual(first)
  await using second = await Valkeyrie.open(`${backup}.2`)
  expect((await second.get(['users', 2])).value).toEqual({ age: '2' })
})

it.each([
  ['a directory', (path: string) => void mkdirSync(path)],
  ['a symbolic link', (path: string) => symlinkSync('/dev/null', path)],
  ['a file with something in it', (path: string) => writeFileSync(path, 'mine')],
  [
    'a file with something in it',
    (path: string) => void new Database(path).exec('CREATE TABLE theirs (a)').close(),
  ],
])('%s instead of the lock is named, and stays', async (what, make) => {
  const { project: loaded, path, folder } = await project()
  const lock = `${path}.migrating`
  make(lock)
  const error = await migrateQuietly(loaded, path).catch((thrown) => thrown)
  expect(error).toBeInstanceOf(MigrationError)
  expect(error.message).toContain(`${lock} is ${what}`)
  expect(error.message).toContain('move it away')
  expect(readdirSync(folder)).toContain('data.db.migrating')
})

it('the file of another application is not migrated', async () => {
  const { project: loaded, folder } = await project()
  const path = join(folder, 'theirs.db')
  new Database(path).exec('CREATE TABLE theirs (a)').close()
  const before = readFileSync(path)
  await expect(migrateQuietly(loaded, path)).rejects.toThrow(/another application/)
  expect(readFileSync(path)).toEqual(before)
})
