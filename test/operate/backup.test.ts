import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { basename, join } from 'node:path'
import Database from 'better-sqlite3'
import { DatabaseBusyError, DatabaseClosedError, DatabaseOpenError, StorageError, Valkeyrie } from 'valkeyrie'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { command } from '../command/command.ts'
import { extent } from '../extent.ts'
import { cli } from '../migrate/project.ts'
import { unprivileged } from '../postgres/programs.ts'
import { start } from '../processes/child.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { waitFor, waitUntil } from '../waiting.ts'

const newPath = temporaryFolder()
let folders = 0

/** A folder with a database of some megabytes. */
async function filled(values = 300): Promise<{ folder: string; path: string; target: string }> {
  const folder = newPath(`folder-${folders++}`)
  mkdirSync(folder)
  const path = join(folder, 'data.db')
  const db = await Valkeyrie.open(path)
  await Promise.all(Array.from({ length: values }, (_, i) => db.set(['large', i], 'x'.repeat(20_000))))
  await db.set(['a'], 1)
  await db.close()
  return { folder, path, target: join(folder, 'copy.db') }
}

async function valueIn(path: string): Promise<unknown> {
  await using db = await Valkeyrie.open(path)
  expect(db.drizzle.$client.pragma('integrity_check', { simple: true })).toBe('ok')
  return (await db.get(['a'])).value
}

const partialsIn = (folder: string) => readdirSync(folder).filter((name) => name.includes('partial'))

async function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, output: out, text } = await command(process.cwd(), ...args)
  return { code, out, err: text.slice(out.length) }
}

test('a backup is one state of a file that others write to, checked, and complete', async () => {
  const { path, target, folder } = await filled()
  await using db = await Valkeyrie.open(path)
  let isOver = false
  let written = 0
  const writing = (async () => {
    for (; !isOver; written++) {
      await db.atomic().set(['one'], written).set(['other'], written).commit()
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  const progress: [number, number][] = []
  const backup = await db.backup(target, { onProgress: (done, total) => progress.push([done, total]) })
  isOver = true
  await writing
  expect(progress.at(-1)).toEqual([backup.bytes, backup.bytes])
  expect(progress.every(([done, total]) => done <= total)).toBe(true)
  expect(backup).toMatchObject({ path: target, bytes: statSync(target).size })
  expect(partialsIn(folder)).toEqual([])
  const copy = new Database(target, { readonly: true })
  expect(copy.pragma('journal_mode', { simple: true })).toBe('delete')
  copy.close()
  await using opened = await Valkeyrie.open(target)
  const [one, other, a] = await opened.getMany([['one'], ['other'], ['a']])
  expect(one!.value).toEqual(other!.value)
  expect(a!.value).toBe(1)
  const [rows, newest] = opened.drizzle.$client
    .prepare('SELECT count(*), (SELECT max(version) FROM kv_log) FROM kv')
    .raw()
    .get() as [number, number]
  expect(backup.rows).toBe(rows)
  expect(backup.versionstamp).toBe(newest.toString(16).padStart(20, '0'))
})

test('the event loop goes on while a backup is made', async () => {
  const { path, target } = await filled(1_000)
  await using db = await Valkeyrie.open(path)
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await db.backup(target)
  clearInterval(timer)
  expect(turns).toBeGreaterThan(5)
})

test('a backup has the permissions of the database', async () => {
  const { path, target } = await filled(1)
  chmodSync(path, 0o600)
  await using db = await Valkeyrie.open(path)
  await db.backup(target)
  expect(statSync(target).mode & 0o777).toBe(0o600)
})

test('a backup that nobody may write can be restored, copied and backed up, and the copies can be written', async () => {
  const { path } = await filled(1)
  // Root may write everything.
  const as: User = userInfo().uid === 0 ? unprivileged() : {}
  if (!mayRun(as)) return
  const folder = mkdtempSync(join(tmpdir(), 'valkeyrie-mode-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const backup = join(folder, 'monday.db')
  cpSync(path, backup)
  chmodSync(backup, 0o400)
  for (const it of [folder, backup]) chownSync(it, as.uid ?? userInfo().uid, as.gid ?? userInfo().gid)
  for (const name of ['restore', 'copy', 'backup']) {
    const target = join(folder, `${name}.db`)
    execFileSync(process.execPath, [cli, name, backup, target], { ...as, cwd: folder, stdio: 'pipe' })
    expect(statSync(target).mode & 0o777).toBe(0o600)
  }
  expect(partialsIn(folder)).toEqual([])
})

interface User {
  readonly uid?: number
  readonly gid?: number
}

/** Whether a user may run the command: the project may be where only root may look. */
function mayRun(as: User): boolean {
  try {
    execFileSync(process.execPath, [cli, '--version'], { ...as, cwd: tmpdir(), stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test('a database in memory can be backed up', async () => {
  await using db = await Valkeyrie.open()
  await db.set(['a'], 1)
  const { path, rows } = await db.backup(newPath())
  expect(rows).toBe(1)
  expect(await valueIn(path)).toBe(1)
})

test('nothing that exists is overwritten without asking, or made through a link', async () => {
  const { path, target, folder } = await filled(1)
  await using db = await Valkeyrie.open(path)
  writeFileSync(target, 'mine')
  await expect(db.backup(target)).rejects.toThrow(DatabaseOpenError)
  await expect(db.backup(target, { overwrite: true })).rejects.toThrow(/not a database/)
  expect(readFileSync(target, 'utf8')).toBe('mine')
  const link = join(folder, 'link.db')
  symlinkSync(join(folder, 'stolen.db'), link)
  for (const overwrite of [false, true])
    await expect(db.backup(link, { overwrite })).rejects.toThrow(DatabaseOpenError)
  expect(existsSync(join(folder, 'stolen.db'))).toBe(false)
  await expect(db.backup(path, { overwrite: true })).rejects.toThrow(/is the database to copy/)
  await expect(db.backup(join(folder, 'none/copy.db'))).rejects.toThrow(DatabaseOpenError)
  writeFileSync(join(folder, 'left.db-wal'), 'frames')
  await expect(db.backup(join(folder, 'left.db'))).rejects.toThrow(
    /left\.db-wal belongs to a database that was there/,
  )
  expect(partialsIn(folder)).toEqual([])
})

test('an older backup is overwritten on request, unless somebody has it open', async () => {
  const { path, target } = await filled(1)
  await using db = await Valkeyrie.open(path, { busyTimeout: 20 })
  await db.backup(target)
  await db.set(['a'], 2)
  const reader = await Valkeyrie.open(target)
  await expect(db.backup(target, { overwrite: true })).rejects.toThrow(DatabaseBusyError)
  expect((await reader.get(['a'])).value).toBe(1)
  await reader.close()
  await db.backup(target, { overwrite: true })
  expect(await valueIn(target)).toBe(2)
  const theirs = newPath()
  new Database(theirs).exec('CREATE TABLE theirs (a)').close()
  await expect(db.backup(theirs, { overwrite: true })).rejects.toThrow(/another application/)
})

test('a backup that is aborted leaves nothing behind, on disk or of locks', async () => {
  const { path, target, folder } = await filled()
  const db = await Valkeyrie.open(path)
  await expect(db.backup(target, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
  const controller = new AbortController()
  const reason = new Error('enough')
  const onProgress = () => controller.abort(reason)
  await expect(db.backup(target, { signal: controller.signal, onProgress })).rejects.toBe(reason)
  const failing = () => {
    throw reason
  }
  await expect(db.backup(target, { onProgress: failing })).rejects.toBe(reason)
  expect(readdirSync(folder).filter((name) => name.startsWith('copy'))).toEqual([])
  await db.destroy()
  expect(readdirSync(folder)).toEqual([])
})

test('closing the database ends a backup that runs', async () => {
  const { path, target, folder } = await filled()
  const db = await Valkeyrie.open(path)
  const backup = db.backup(target)
  backup.catch(() => {})
  await db.close()
  await expect(backup).rejects.toThrow(DatabaseClosedError)
  await expect(db.backup(target)).rejects.toThrow(DatabaseClosedError)
  expect(readdirSync(folder)).toEqual(['data.db'])
})

test('a damaged database gives no backup', async () => {
  const { path, target, folder } = await filled(2)
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0xff, bytes.length - 4 * 4_096))
  await using db = await Valkeyrie.open(path, { readOnly: true })
  await expect(db.backup(target)).rejects.toThrow(StorageError)
  await db.close()
  expect((await run('backup', path, target)).code).toBe(1)
  expect(readdirSync(folder).filter((name) => name.startsWith('copy'))).toEqual([])
})

test.each<[unknown, object]>([
  [undefined, {}],
  [':memory:', {}],
  ['', {}],
  [7, {}],
  ['a.db', { overWrite: true }],
  ['a.db', { overwrite: 'yes' }],
  ['a.db', { onProgress: 1 }],
  ['a.db', { signal: 1 }],
])('backup(%j, %j) is a TypeError', async (path, options) => {
  await using db = await Valkeyrie.open()
  await expect(db.backup(path as string, options)).rejects.toThrow(TypeError)
})

/** A process is killed once it has told so many lines of progress. */
const killedAfter = [6, 1, 9, 3]

/** Runs a command that is killed once it has told so much of its progress. */
async function killed(lines: number, ...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    text += part
    if (text.split('\n').length > lines) child.kill('SIGKILL')
  })
  await waitFor('the end of the command', new Promise((resolve) => child.on('close', resolve)))
}

test('kill -9 leaves no half backup, and the next one finishes and tidies up', async () => {
  const { path, target, folder } = await filled(1_000)
  for (const lines of killedAfter.slice(0, extent('kills', 1, killedAfter.length))) {
    await killed(lines, 'backup', path, target, '--overwrite')
    if (existsSync(target)) expect(await valueIn(target)).toBe(1)
  }
  expect(await run('backup', path, target, '--overwrite')).toMatchObject({ code: 0 })
  expect(await valueIn(target)).toBe(1)
  expect(partialsIn(folder)).toEqual([])
})

/** Runs a command that cannot finish, and ends it by a signal at its first output. */
async function ended(by: NodeJS.Signals, ...args: readonly string[]) {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    err += part
  })
  const first = [child.stdout, child.stderr].map(
    (out) => new Promise((resolve) => out.once('readable', resolve)),
  )
  await waitFor('the first output', Promise.race(first))
  child.kill(by)
  child.stdout.resume()
  const code = await waitFor('the end of the command', new Promise((resolve) => child.on('close', resolve)))
  return { code, err }
}

test.for(['SIGINT', 'SIGTERM'] as const)('%s ends a command, which tidies up', async (by) => {
  const { path, target, folder } = await filled()
  expect(await run('backup', path, target)).toMatchObject({ code: 0 })
  const interrupted = { code: 1, err: expect.stringContaining('Interrupted: run it again to finish') }
  {
    await using _ = await Valkeyrie.open(target)
    const waiting = [target, '--overwrite', '--wait', '1000']
    expect(await ended(by, 'backup', path, ...waiting)).toEqual(interrupted)
    expect(await ended(by, 'copy', path, ...waiting)).toEqual(interrupted)
    expect(await ended(by, 'restore', path, target, '--wait', '1000')).toEqual(interrupted)
  }
  expect(await ended(by, 'export', path)).toEqual(interrupted)
  expect(readdirSync(folder).sort()).toEqual([basename(target), basename(path)])
  expect(await valueIn(target)).toBe(1)
})

test('kill -9 in a restore leaves the old or the new state, and the next one finishes', async () => {
  const { path, target, folder } = await filled(1_000)
  expect(await run('backup', path, target)).toMatchObject({ code: 0 })
  const db = await Valkeyrie.open(path)
  await db.set(['a'], 2)
  await db.close()
  for (const lines of killedAfter.slice(0, extent('kills', 1, killedAfter.length))) {
    await killed(lines, 'restore', target, path)
    expect([1, 2]).toContain(await valueIn(path))
  }
  expect(await run('restore', target, path)).toMatchObject({ code: 0 })
  expect(await valueIn(path)).toBe(1)
  expect(partialsIn(folder)).toEqual([])
})

test('others may open a database at every moment of a restore and a copy that replace it', async () => {
  const { path, target } = await filled(1)
  expect(await run('backup', path, target)).toMatchObject({ code: 0 })
  const openers = [1, 2].map(() => start('open-until-told', path))
  for (const { lines } of openers) await waitUntil('the opener', () => lines.length > 0)
  for (let times = extent('restores beneath those who open', 4, 40); times > 0; times--) {
    expect(await run('restore', target, path, '--no-keep', '--wait', '600')).toMatchObject({ code: 0 })
    expect(await run('copy', target, path, '--overwrite', '--wait', '600')).toMatchObject({ code: 0 })
  }
  for (const { process, ended, lines } of openers) {
    process.stdin!.end()
    expect(await ended).toBe(0)
    expect(lines).toEqual(['begins'])
  }
  expect(await valueIn(path)).toBe(1)
})

test('a disk without room is an error, and leaves nothing', async () => {
  const { path, target, folder } = await filled()
  const program = `
    import { Valkeyrie } from 'valkeyrie'
    const db = await Valkeyrie.open(process.argv[1], { readOnly: true })
    const error = await db.backup(process.argv[2]).catch((thrown) => thrown)
    console.log(error.code)
    await db.close()`
  const shell = `trap '' XFSZ; ulimit -f 2000; exec "$0" --input-type=module -e "$1" "$2" "$3"`
  const root = new URL('../..', import.meta.url)
  const out = execFileSync('sh', ['-c', shell, process.execPath, program, path, target], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(out.trim()).toBe('STORAGE')
  expect(readdirSync(folder).filter((name) => name.startsWith('copy'))).toEqual([])
  await using db = await Valkeyrie.open(path)
  await expect(db.backup('/proc/copy.db')).rejects.toThrow()
})

test('backup and restore as commands, beside a process that has the file open', async () => {
  const { path, target, folder } = await filled(1)
  const child = start('hold-open', path)
  await waitFor('the child', new Promise((resolve) => child.process.stdout!.once('data', resolve)))
  const made = await run('backup', path, target, '--json')
  expect(made).toMatchObject({ code: 0, err: '' })
  expect(JSON.parse(made.out)).toMatchObject({ path: target, rows: 3, bytes: statSync(target).size })
  const again = await run('backup', path, target, '--json')
  expect(again.code).toBe(1)
  expect(JSON.parse(again.out)).toMatchObject({ error: { code: 'DATABASE_OPEN' } })
  expect((await run('backup', path, target)).err).toMatch(/already exists.*--overwrite/)

  const held = await run('restore', target, path, '--json', '--wait', '0.2')
  expect(held.code).toBe(1)
  expect(JSON.parse(held.out)).toMatchObject({ error: { code: 'DATABASE_BUSY' } })
  child.process.stdin!.end()
  await child.ended
  const db = await Valkeyrie.open(path)
  await db.set(['a'], 2)
  await db.close()
  const restored = JSON.parse((await run('restore', target, path, '--json')).out)
  expect(restored).toMatchObject({ path, rows: 3, kept: `${path}.before-restore` })
  expect(await valueIn(path)).toBe(1)
  expect(await valueIn(restored.kept)).toBe(2)
  expect((await run('restore', target, path, '--no-keep')).out).toMatch(/^3 rows restored/)
  const anew = join(folder, 'anew.db')
  expect(await run('restore', target, anew)).toMatchObject({ code: 0 })
  expect(await valueIn(anew)).toBe(1)
})

test('a copy has the values, versions, expiries and log of a file that others write to', async () => {
  const { path, target } = await filled(2)
  const db = await Valkeyrie.open(path)
  await db.set(['short'], 1, { expireIn: 3_600_000 })
  const { versionstamp } = await db.set(['a'], 1n)
  await db.delete(['large', 0])
  const [entry] = await db.getMany([['a']])
  const child = start('hold-open', path)
  await waitFor('the child', new Promise((resolve) => child.process.stdout!.once('data', resolve)))
  const { code, out } = await run('copy', path, target, '--json')
  expect(code).toBe(0)
  const made = JSON.parse(out)
  expect(made).toMatchObject({ from: path, path: target })
  const tables = (file: string) => {
    const connection = new Database(file, { readonly: true })
    const rows = ['kv', 'kv_log', 'kv_collections'].map((name) =>
      connection.prepare(`SELECT * FROM ${name} ORDER BY 1`).raw().all(),
    )
    connection.close()
    return rows
  }
  expect(tables(target)).toEqual(tables(path))
  await using copy = await Valkeyrie.open(target)
  expect(await copy.get(['a'])).toEqual(entry)
  const changes = copy.changes({ since: versionstamp }).getReader()
  expect((await changes.read()).value).toMatchObject({ type: 'delete', key: ['large', 0] })
  await changes.cancel()
  // Versions go on from there.
  expect((await copy.set(['a'], 2)).versionstamp > made.versionstamp).toBe(true)
  child.process.stdin!.end()
  await child.ended
  await db.close()
})

test('a copy replaces nothing without asking, and refuses addresses of another engine and memory', async () => {
  const { path, target, folder } = await filled(1)
  expect((await run('copy', path, target)).out).toMatch(
    /^2 rows copied, up to version 0{16}[\da-f]{4}, checked/,
  )
  const refused = async (...args: readonly string[]) => {
    const { code, out } = await run('copy', ...args, '--json')
    expect(code).toBe(1)
    return JSON.parse(out).error as { code: string | null; message: string }
  }
  const small = newPath()
  await using db = await Valkeyrie.open(small)
  await db.set(['a'], 1)
  expect((await run('copy', small, newPath())).out).toMatch(
    /\nIts log has 1 commit: changes can be followed from it\.\n/,
  )
  expect(await refused(path, target)).toMatchObject({ code: 'DATABASE_OPEN' })
  expect(await run('copy', path, target, '--overwrite')).toMatchObject({ code: 0 })
  expect(await refused(path, path, '--overwrite')).toMatchObject({ code: 'DATABASE_OPEN' })
  expect(await refused(join(folder, 'none.db'), join(folder, 'new.db'))).toMatchObject({
    code: 'DATABASE_OPEN',
  })
  for (const args of [
    [path, 'postgres://user:secret@host:port/db'],
    ['postgresql://user:secret@host:port/db', join(folder, 'new.db')],
  ]) {
    const { message } = await refused(...args)
    expect(message).toMatch(/is not an address/)
    expect(message).not.toContain('secret')
  }
  for (const args of [
    [path, ':memory:'],
    [':memory:', join(folder, 'new.db')],
  ])
    expect((await refused(...args)).message).toMatch(/copy takes the path of a file/)
  expect(readdirSync(folder).filter((name) => !name.startsWith('data.db'))).toEqual(['copy.db'])
})

test('kill -9 leaves no half copy, and the next one finishes', async () => {
  const { path, target, folder } = await filled(1_000)
  for (const lines of killedAfter.slice(0, extent('kills', 1, killedAfter.length))) {
    await killed(lines, 'copy', path, target, '--overwrite')
    if (existsSync(target)) expect(await valueIn(target)).toBe(1)
  }
  expect(await run('copy', path, target, '--overwrite')).toMatchObject({ code: 0 })
  expect(await valueIn(target)).toBe(1)
  expect(partialsIn(folder)).toEqual([])
})

test('a damaged database is replaced, and kept', async () => {
  const { path, target } = await filled(1)
  await run('backup', path, target)
  writeFileSync(path, 'rubbish '.repeat(1_000))
  writeFileSync(`${path}-wal`, 'frames')
  expect(await run('restore', target, path)).toMatchObject({ code: 0 })
  expect(existsSync(`${path}-wal`)).toBe(false)
  expect(await valueIn(path)).toBe(1)
  expect(readFileSync(`${path}.before-restore`, 'utf8')).toMatch(/^rubbish/)
})

test('restore replaces no file that shows nothing of a database', async () => {
  const { path, target, folder } = await filled(1)
  await run('backup', path, target)
  const notes = join(folder, 'notes.txt')
  writeFileSync(notes, 'precious')
  for (const flags of [[], ['--no-keep']]) {
    const { code, err } = await run('restore', target, notes, ...flags)
    expect({ code, err }).toMatchObject({
      code: 1,
      err: expect.stringContaining('it is not a database'),
    })
  }
  const { code, err } = await run('backup', path, notes, '--overwrite')
  expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining(notes) })
  expect(readFileSync(notes, 'utf8')).toBe('precious')
  for (const byte of [0, 0xff]) {
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(byte, 0, 4_096))
    expect(await run('restore', target, path)).toMatchObject({ code: 0 })
    expect(await valueIn(path)).toBe(1)
  }
  expect(partialsIn(folder)).toEqual([])
})

test('restore neither reads nor replaces a file of another application', async () => {
  const { path, target } = await filled(1)
  await run('backup', path, target)
  const theirs = newPath()
  new Database(theirs).exec('CREATE TABLE theirs (a)').close()
  const before = readFileSync(theirs)
  for (const [from, to] of [
    [theirs, path],
    [target, theirs],
    [target, target],
    [newPath('missing.db'), path],
  ] as const)
    expect((await run('restore', from, to)).code).toBe(1)
  expect(readFileSync(theirs)).toEqual(before)
  expect(await valueIn(path)).toBe(1)
})

test.each(['backup', 'copy', 'restore'])(
  'valkeyrie %s refuses what is missing or not a number',
  async (command) => {
    expect((await run(command)).code).toBe(1)
    const refused = await run(command, 'a.db', 'b.db', '--wait', 'long')
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('a number of seconds') })
  },
)

test('a name that is too long is told as such, though the files on the way to it have longer ones', async () => {
  const { path, folder } = await filled(1)
  await using db = await Valkeyrie.open(path)
  const made = (name: string) =>
    Promise.allSettled([db.backup(join(folder, name)), Valkeyrie.copy(path, join(folder, `copy-${name}`))])
  expect((await made('n'.repeat(200))).map(({ status }) => status)).toEqual(Array(2).fill('fulfilled'))
  const before = readdirSync(folder)
  for (const length of [231, 240, 250, 300]) {
    const rejected = {
      reason: {
        code: 'DATABASE_OPEN',
        message: expect.stringMatching(/n: its name is too long: choose a shorter one$/),
      },
    }
    expect([length, await made('n'.repeat(length))]).toMatchObject([length, Array(2).fill(rejected)])
  }
  expect((await run('restore', path, join(folder, 'n'.repeat(300)))).err).toMatch(/its name is too long/)
  expect(readdirSync(folder)).toEqual(before)
})

test('the name of a backup may be relative', async () => {
  const { path } = await filled(1)
  await using db = await Valkeyrie.open(path)
  const before = process.cwd()
  process.chdir(newPath(''))
  const { path: made } = await db.backup('relative-copy.db').finally(() => process.chdir(before))
  expect(basename(made)).toBe('relative-copy.db')
  expect(existsSync(newPath('relative-copy.db'))).toBe(true)
})

test('a backup of a file that was replaced is refused', async () => {
  const { path, target } = await filled(1)
  await using db = await Valkeyrie.open(path)
  const other = await filled(1)
  execFileSync('mv', [other.path, path])
  await expect(db.backup(target)).rejects.toThrow(StorageError)
})

test('an older state that another tool restores into the open file reaches watchers, and ends feeds', async () => {
  const path = newPath()
  const copy = newPath()
  await using db = await Valkeyrie.withSchema(['users', '*'], z.object({ n: z.int() })).open(path)
  const { users } = db.repositories
  await users.set('ann', { n: 1 })
  await db.backup(copy)
  for (let n = 2; n < 10; n++) await users.set('ann', { n })
  const values = db.watch([['users', 'ann']]).getReader()
  const results = users.watchMany().getReader()
  const feed = users.changes().getReader()
  await values.read()
  await results.read()
  const next = [values.read(), results.read(), feed.read()] as const
  next[2].catch(() => {})

  // As `.restore` of the command line of SQLite.
  const source = new Database(copy)
  await source.backup(path)
  source.close()

  expect(await waitFor('what was restored', Promise.allSettled(next))).toMatchObject([
    { value: { value: [{ value: { n: 1 } }] } },
    { value: { value: [{ id: 'ann', value: { n: 1 } }] } },
    { reason: { name: 'RangeError', message: expect.stringContaining('an older state was restored') } },
  ])
  await users.set('ann', { n: 2 })
  expect(await waitFor('what was written then', values.read())).toMatchObject({
    value: [{ value: { n: 2 } }],
  })
  await Promise.all([values.cancel(), results.cancel()])
})
