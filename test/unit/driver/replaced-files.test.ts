import { existsSync, readdirSync, renameSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { expect, onTestFinished, test } from 'vitest'
import { alone } from '../../../src/driver/sqlite/file/alone.ts'
import { ReplacedMeanwhile } from '../../../src/driver/sqlite/file/database-file.ts'
import { withModule } from '../../../src/driver/sqlite/module/open-connection.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

const newPath = temporaryFolder()

/** Does something to the next file that is opened, between its opening and its first lock. */
function meanwhile(happens: () => void): void {
  const prototype = Database.prototype as unknown as { exec(sql: string): unknown }
  const { exec } = prototype
  const restore = () => {
    prototype.exec = exec
  }
  onTestFinished(restore)
  prototype.exec = function (sql) {
    restore()
    happens()
    return exec.call(this, sql)
  }
}

/** A database, and a backup of it with another value. */
async function two(): Promise<{ path: string; next: string }> {
  const [path, next] = [newPath(), newPath()]
  await using db = await Valkeyrie.open(path)
  await db.set(['a'], 'next')
  await db.backup(next)
  await db.set(['a'], 'first')
  return { path, next }
}

async function valueIn(path: string): Promise<unknown> {
  await using db = await Valkeyrie.open(path)
  return (await db.get(['a'])).value
}

test('whoever has had a file alone leaves the journal of the one that replaced it', async () => {
  const { path, next } = await two()
  await withModule(path, () => {
    let other: InstanceType<typeof Database> | undefined
    alone(path, () => {
      expect(readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)))).toEqual([
        basename(path),
      ])
      renameSync(next, path)
      other = new Database(path).exec('BEGIN; CREATE TABLE more (n)')
    })
    expect(existsSync(`${path}-journal`)).toBe(true)
    other!.exec('COMMIT; DROP TABLE more').close()
  })
  expect(await valueIn(path)).toBe('next')
})

test('nothing is done to a file that was replaced before it could be had alone', async () => {
  const { path, next } = await two()
  const old = newPath()
  await withModule(path, () => {
    let isDone = false
    meanwhile(() => {
      renameSync(path, old)
      renameSync(next, path)
    })
    const attempt = () =>
      alone(path, () => {
        isDone = true
      })
    expect(attempt).toThrow(ReplacedMeanwhile)
    expect(isDone).toBe(false)
    attempt()
    expect(isDone).toBe(true)
  })
  expect(await valueIn(path)).toBe('next')
})

test('a file that was replaced, removed or made by others while it was opened is opened again', async () => {
  const { path, next } = await two()
  // Without a write-ahead log, the engine refuses the first change to a file that was replaced.
  await withModule(path, () => alone(path, () => {}))
  meanwhile(() => renameSync(next, path))
  expect(await valueIn(path)).toBe('next')

  await withModule(path, () => alone(path, () => {}))
  meanwhile(() => renameSync(path, next))
  expect(await valueIn(path)).toBe(null)

  const made = newPath()
  meanwhile(() => renameSync(next, made))
  await using db = await Valkeyrie.open(made)
  expect((await db.get(['a'])).value).toBe('next')
  await db.set(['a'], 'last')
  await db.close()
  expect(await valueIn(made)).toBe('last')
})
