import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { SqliteMigrationLock } from '../../src/driver/sqlite/migrations/migration-lock.ts'
import { migrate } from '../../src/migration/migrate.ts'
import { command } from '../command/command.ts'
import { describeEngines, type TestEngine } from '../engines.ts'
import { cli, importTables, migrateQuietly, settingsFor, write } from './project.ts'
import { upgrade, upgradeOn } from './upgrade.ts'

const v1 = defineSchema(['users', '*'], z.object({ age: z.string() }))
const v2 = defineSchema(['users', '*'], z.object({ age: z.int() }))
const up = 'export const up = (value) => ({ age: Number(value.age) })\n'
const never = 'export const up = () => new Promise((resolve) => setInterval(resolve, 1e9))\n'
const noted = `export const up = () => {
  console.error('a row is converted')
  return new Promise((resolve) => setInterval(resolve, 1e9))
}\n`
const firstWritten = 1_000_000
/** While it converts what others have written, they write on. */
const slowly = `import { setImmediate as turn } from 'node:timers/promises'
export const up = async ({ age }) => {
  for (let turns = age < ${firstWritten} ? 0 : 5; turns > 0; turns--) await turn()
  return { age: Number(age) }
}
`
const rows = Array.from({ length: 2_000 }, (_, id) => [['users', id], { age: String(id) }] as const)

/** A step over these rows, in a project that the command finds. */
async function project(step: string, engine?: TestEngine) {
  const made = await (engine === undefined ? upgrade : upgradeOn(engine))([v1], rows, [v2])
  const file = join(made.project.migrations, made.generated!.steps[0]!)
  writeFileSync(file, step)
  write(
    made.folder,
    'schemas.ts',
    `${importTables[engine?.name ?? 'sqlite']}
import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'
export const users = defineSchema(['users', '*'], z.object({ age: z.int() }))
export const { kv, kvLog, kvCollections } = kvTables([users])`,
  )
  write(made.folder, 'drizzle.config.ts', settingsFor(engine?.name ?? 'sqlite'))
  return { ...made, file }
}

/** Writes in each turn of the event loop until it gets the order to stop: always the same row, and its copy under another key. */
function writeOn(path: string) {
  let stopped = false
  const done = (async () => {
    const db = await Valkeyrie.open(path)
    let n = 0
    for (; !stopped; n++) {
      const value = { age: String(firstWritten + n) }
      await db.atomic().set(['users', 7], value).set(['copy'], value).commit()
      await turn()
    }
    await db.close()
    return n
  })()
  return {
    stop() {
      stopped = true
      return done
    },
  }
}

/** Starts `valkeyrie migrate`, and waits until it has printed something. */
async function startMigrate(
  folder: string,
  pattern: RegExp,
  flags: readonly string[] = [],
  address = 'data.db',
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [cli, 'migrate', address, ...flags], { cwd: folder })
  let printed = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk
      if (pattern.test(printed)) resolve()
    })
    child.on('exit', () => reject(new Error(`It ended before it printed ${pattern}: ${printed}`)))
  })
  child.removeAllListeners('exit')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const killed = new Promise((resolve) => child.on('exit', resolve))
  child.kill('SIGKILL')
  await killed
}

describeEngines('a step', (engine) => {
  it('is not kept from being applied by a row that others write all the time', async () => {
    const { path, project: loaded, values } = await project(up, engine)
    const writer = writeOn(path)
    expect(await migrateQuietly(loaded, path)).toHaveLength(1)
    expect(await writer.stop()).toBeGreaterThan(0)
    const all = (await values()) as Record<string, { age: unknown }>
    const { '["copy"]': copy, '["users",7]': seven, ...others } = all
    // The last write may have come before the migration, or after it.
    expect(Number(seven!.age)).toBe(Number(copy!.age))
    const ages = rows.map((_, id) => id).filter((id) => id !== 7)
    expect(Object.values(others).map(({ age }) => age)).toEqual(ages)
  })

  it('that was killed is gone, and the next one finishes', async () => {
    const { folder, path, file, values } = await project(noted, engine)
    await kill(await startMigrate(folder, /a row is converted/, ['--no-backup'], path))
    expect((await values())['["users",8]']).toEqual({ age: '8' })
    writeFileSync(file, up)
    expect(await command(folder, 'migrate', path, '--no-backup')).toMatchObject({ code: 0 })
    const ages = Object.values(await values()).map((value) => (value as { age: unknown }).age)
    expect(ages).toEqual(rows.map((_, id) => id))
  })
})

it('a step that takes promises gives up where others write without end, and changes nothing', async () => {
  const { path, project: loaded, values } = await project(slowly)
  const writer = writeOn(path)
  await expect(migrateQuietly(loaded, path)).rejects.toThrow(/others write faster than its steps run/)
  await writer.stop()
  expect((await values())['["users",8]']).toEqual({ age: '8' })
})

it('one process migrates at a time; another one waits, also for one that is killed', async () => {
  const { folder, path, file, check } = await project(up)
  const lock = await SqliteMigrationLock.acquire(path, () => {})
  const waiting = await startMigrate(folder, /another process migrates this database/, ['--no-backup'])
  const ended = new Promise((resolve) => waiting.on('exit', resolve))
  lock.release()
  expect(await ended).toBe(0)
  expect((await check()).pending).toEqual([])
  expect(readdirSync(folder).filter((name) => name.includes('migrating'))).toEqual([])
  expect(readFileSync(file, 'utf8')).toBe(up)

  const other = await project(never)
  await kill(await startMigrate(other.folder, /0 of 2000/, ['--no-backup']))
  expect(existsSync(`${other.path}.migrating`)).toBe(true)
  writeFileSync(other.file, up)
  expect(await command(other.folder, 'migrate', 'data.db', '--no-backup')).toMatchObject({ code: 0 })
  expect(await other.check()).toEqual({ pending: [], drift: [], refused: [] })
  expect(readdirSync(other.folder).filter((name) => name.includes('migrating'))).toEqual([])
})

it('the backup is one state, whatever others write while it is made', async () => {
  const { path, project: loaded, generated } = await project(up)
  const db = await Valkeyrie.open(path)
  for (let i = 0; i < 100; i++) await db.set(['large', i], 'x'.repeat(100_000))
  await db.close()
  const writer = writeOn(path)
  const progress: number[] = []
  await migrate(loaded, {
    path,
    backup: true,
    report: { line() {}, progress: (task, done) => task === 'backup' && progress.push(done) },
  })
  await writer.stop()
  expect(progress.length).toBeGreaterThan(1)
  const backup = await Valkeyrie.open(`${path}.before-${generated!.tag}`)
  expect(backup.drizzle.$client.pragma('integrity_check', { simple: true })).toBe('ok')
  expect((await backup.get(['users', 7])).value).toEqual((await backup.get(['copy'])).value)
  expect((await backup.get(['users', 8])).value).toEqual({ age: '8' })
  await backup.close()
})

it('goes on after kill -9 while it copies, and while it applies', async () => {
  const { folder, path, file, project: loaded, generated, values, check } = await project(never)
  const db = await Valkeyrie.open(path)
  for (let i = 0; i < 150; i++) await db.set(['large', i], 'x'.repeat(100_000))
  await db.close()
  await kill(await startMigrate(folder, /backup: \d+ of/))
  expect((await check()).pending).toEqual([generated!.tag])
  writeFileSync(file, up)

  const sql = join(loaded.migrations, `${generated!.tag}.sql`)
  const text = readFileSync(sql, 'utf8')
  const endless =
    'UPDATE kv_collections SET name = name WHERE (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n)'
  writeFileSync(sql, `${text}--> statement-breakpoint\n${endless};\n`)
  await kill(await startMigrate(folder, /2000 of 2000/))
  expect((await values())['["users",8]']).toEqual({ age: '8' })
  writeFileSync(sql, text)

  expect(await command(folder, 'migrate', 'data.db')).toMatchObject({ code: 0 })
  expect((await values())['["users",8]']).toEqual({ age: 8 })
  expect(readdirSync(folder).filter((name) => /partial|migrating/.test(name))).toEqual([])
  const backup = new Database(`${path}.before-${generated!.tag}`, { readonly: true })
  expect(backup.pragma('integrity_check', { simple: true })).toBe('ok')
  expect(backup.prepare("SELECT count(*) FROM kv WHERE value ->> '$.age' IS NOT NULL").pluck().get()).toBe(
    2_000,
  )
  backup.close()
})
