import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { command } from '../command/command.ts'
import { cli, run } from '../migrate/project.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { waitFor } from '../waiting.ts'

// The built command.

const path = temporaryFolder()
let files = 0
const fresh = (end: string) => path(`${files++}.${end}`)
const valkeyrie = (...args: string[]) => command(path('.'), ...args)

const user = z.object({
  name: z.string(),
  note: z.string().nullable(),
  nick: z.string().nullable().optional(),
  age: z.number(),
  big: z.bigint(),
  admin: z.boolean(),
  born: z.date().optional(),
})
const schemas = Valkeyrie.withSchema(['users', '*'], user)
const odd = { name: '', note: null, age: -0.5, big: -(2n ** 70n), admin: true }
const users = [
  ['plain', { name: 'Ada', note: 'a', nick: 'x', age: 1, big: 1n, admin: false, born: new Date(0) }],
  ['odd', { ...odd, nick: null }],
  ['quotes "and", commas', { ...odd, age: -0, name: 'null', note: 'line\r\nend "x",\u2028', nick: '' }],
  ['{json}', { ...odd, name: ' 7 ', note: 'true' }],
  [7, odd],
  [7n, odd],
  [true, odd],
  [new Uint8Array([0, 255]), odd],
] as const

async function filled(): Promise<string> {
  const file = fresh('db')
  await using db = await schemas.open(file)
  for (const [id, value] of users) await db.repositories.users.insert(id, value)
  await db.repositories.users.touch('plain', { expireIn: 1e12 })
  return file
}

const entriesOf = async (file: string) => {
  await using db = await schemas.open(file)
  return await Array.fromAsync(db.repositories.users.list(), ({ id, value, expiresAt }) => [
    id,
    value,
    expiresAt,
  ])
}

it('moves the rows of a flat repository by CSV, whatever is in them', async () => {
  const from = await filled()
  const csv = fresh('csv')
  expect(await valkeyrie('export', from, '--repository', 'users', '--output', csv)).toMatchObject({
    code: 0,
    text: `8 rows written to ${csv}\n`,
  })
  const to = fresh('db')
  await (await schemas.open(to)).close()
  const imported = await valkeyrie('import', to, csv, '--repository', 'users', '--json')
  expect(JSON.parse(imported.text)).toMatchObject({ from: 'csv', imported: 8, refused: 0 })
  expect(await entriesOf(to)).toEqual(await entriesOf(from))
})

it.each([
  ['half of a surrogate pair', { text: 'x\ud800' }, 'text'],
  ['a bigint where numbers are read first', { amount: 5n }, 'amount'],
  ['a date where texts are read first', { when: new Date(0) }, 'when'],
])('exports no CSV with %s, which an import would read as something else', async (_, value, field) => {
  const file = fresh('db')
  const several = z.object({
    text: z.string().optional(),
    amount: z.union([z.number(), z.bigint()]).optional(),
    when: z.union([z.date(), z.string()]).optional(),
  })
  {
    await using db = await Valkeyrie.withSchema(['rows', '*'], several).open(file)
    await db.repositories.rows.set('fits', { text: '', amount: -0, when: '1970-01-01' })
    await db.repositories.rows.set('other', value)
  }
  const args = ['export', file, '--repository', 'rows', '--format', 'csv']
  expect((await valkeyrie(...args, '--where', '{"$id":"fits"}')).text).toContain('"fits","",-0,"1970-01-01",')
  const { code, text } = await valkeyrie(...args, '--output', fresh('csv'))
  expect(code).toBe(1)
  expect(text).toContain(
    `The value of ["rows","other"] has a '${field}' that CSV cannot express: export it as NDJSON`,
  )
})

it('takes CSV of other programs by its columns, and refuses invalid values', async () => {
  const file = fresh('db')
  await (await schemas.open(file)).close()
  const csv = fresh('csv')
  writeFileSync(
    csv,
    '\ufeffemail,name,note,age,big,admin\na@x,Ada,,36,12,true\nb@x,Bob,hi,old,1,false\nc@x,1,2,3,4,true,5\n',
  )
  const refused = fresh('ndjson')
  const args = ['import', file, csv, '--repository', 'users', '--id', 'email']
  const { code, text } = await valkeyrie(...args, '--skip-invalid', refused)
  expect([code, text]).toEqual([2, `1 row imported, 2 refused: see ${refused}\n`])
  expect(await entriesOf(file)).toEqual([
    ['a@x', { name: 'Ada', note: null, age: 36, big: 12n, admin: true }, null],
  ])
  const lines = readFileSync(refused, 'utf8')
  writeFileSync(refused, lines.replace('"old"', '40'))
  const again = await valkeyrie('import', file, refused, '--skip-invalid', fresh('ndjson'), '--json')
  expect(JSON.parse(again.text)).toMatchObject({ from: 'ndjson', imported: 1, refused: 1 })
  const none = fresh('ndjson')
  writeFileSync(refused, '{"key":["plain"],"value":1}')
  expect((await valkeyrie('import', file, refused, '--skip-invalid', none)).text).toBe('1 row imported\n')
  expect(existsSync(none)).toBe(false)
})

it('reads quotes and numbers of CSV as they are written, and refuses a row without an id', async () => {
  const file = fresh('db')
  await (await schemas.open(file)).close()
  const csv = fresh('csv')
  const columns = '$id,name,note,age,big,admin'
  writeFileSync(
    csv,
    `${columns}\na,5" disc,,1,2,true\nb,Hex,,0x10,2,true\n,None,,1,2,true\n"",Empty,,1,2,true\n`,
  )
  const refused = fresh('ndjson')
  const args = ['import', file, csv, '--repository', 'users']
  expect((await valkeyrie(...args, '--skip-invalid', refused)).text).toBe(
    `2 rows imported, 2 refused: see ${refused}\n`,
  )
  expect(await entriesOf(file)).toMatchObject([
    ['', { name: 'Empty' }, null],
    ['a', { name: '5" disc' }, null],
  ])
  const errors = readFileSync(refused, 'utf8').trim().split('\n')
  expect(errors.map((line) => (JSON.parse(line) as { error: string }).error)).toEqual([
    expect.stringContaining('age'),
    'its $id is empty: an empty text is written ""',
  ])
})

it.each([
  ['a quote that is not closed', '$id,name\na,"Ada\nb,Bob\n', 'ends within a quoted cell'],
  ['two columns of one name', '$id,name,name\na,Ada,Eve\n', 'has two columns name'],
])('refuses a CSV file with %s', async (_, text, message) => {
  const file = fresh('db')
  await (await schemas.open(file)).close()
  const csv = fresh('csv')
  writeFileSync(csv, text)
  const failed = await valkeyrie('import', file, csv, '--repository', 'users', '--json')
  expect([failed.code, JSON.parse(failed.text)]).toMatchObject([
    1,
    { error: { code: 'USAGE', message: expect.stringContaining(message) } },
  ])
})

it('says what --where takes', async () => {
  const from = await filled()
  const given = async (where: string) =>
    (await valkeyrie('export', from, '--repository', 'users', '--where', where)).text
  expect(await given('null')).toMatch(/^where must be an object of conditions, .*: got null\n$/)
  expect(await given('"a"')).toMatch(/: got a text\n$/)
  expect(await given('{"name":null}')).not.toMatch(/must be an object/)
})

it('writes an export whole or not at all, and over nothing unless asked', async () => {
  const from = await filled()
  const output = fresh('ndjson')
  expect(await valkeyrie('export', from, '--output', output, '--json')).toMatchObject({
    code: 0,
    text: `${JSON.stringify({ rows: 8, output, format: 'ndjson' })}\n`,
  })
  const before = readFileSync(output, 'utf8')
  const second = await valkeyrie('export', from, '--output', output)
  expect(second).toMatchObject({
    code: 1,
    text: `${output} already exists: name another file, or add --overwrite\n`,
  })
  const none = await valkeyrie('export', from, '--repository', 'nope', '--output', output, '--overwrite')
  expect(none).toMatchObject({ code: 1, text: "The database has no repository 'nope': there are users\n" })
  expect(readFileSync(output, 'utf8')).toBe(before)
  expect((await valkeyrie('export', from, '--output', output, '--overwrite')).code).toBe(0)
  const { text } = await run(path('.'), [cli, 'export', from])
  expect(text).toBe(before)
  expect(readdirSync(path('.')).filter((name) => name.endsWith('.part'))).toEqual([])
})

it.each([
  [['export'], 1, "missing required argument 'database'"],
  [['export', 'nowhere.db'], 1, 'there is no such file'],
  [['export', 'nowhere.db', '--where', '{'], 1, 'It is not JSON'],
  [['export', 'nowhere.db', '--format', 'xml'], 1, 'ndjson, csv'],
  [['import', 'new.db', 'nowhere.ndjson'], 1, 'There is no file nowhere.ndjson'],
  [['import', 'new.db', 'nowhere.ndjson', '--json'], 1, '{"error":{"code":"ENOENT"'],
  [['stats', 'nowhere.db', '--json'], 1, '{"error":{"code":"DATABASE_OPEN"'],
  [['import', 'new.db', '.'], 1, '. is a directory: name a file'],
  [['import', 'new.db', 'nowhere.ndjson', '--from', 'x'], 1, 'Allowed choices'],
  [['export', '--help'], 0, 'valkeyrie export app.db'],
  [['import', '--help'], 0, 'valkeyrie import app.db'],
] as const)('valkeyrie %j ends with %i', async (args, code, message) => {
  const ended = await valkeyrie(...args)
  expect(ended.text).toContain(message)
  expect(ended.text).not.toContain('    at ')
  expect(ended.code).toBe(code)
  expect(existsSync(path('new.db'))).toBe(false)
})

it('refuses a row that is nested too deep, and goes on', async () => {
  const [source, refused, file] = [fresh('ndjson'), fresh('ndjson'), fresh('db')]
  const row = (levels: number) => `{"key":[${levels}],"value":${'['.repeat(levels)}${']'.repeat(levels)}}`
  writeFileSync(source, [20_000, 501, 500, 1].map((levels) => `${row(levels)}\n`).join(''))
  const ended = await valkeyrie('import', file, source, '--skip-invalid', refused, '--json')
  expect(ended.code).toBe(2)
  expect(JSON.parse(ended.text)).toMatchObject({ imported: 2, refused: 2 })
  const lines = readFileSync(refused, 'utf8').trim().split('\n')
  const error = 'its value is nested more than 500 objects deep'
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { line: 1, text: row(20_000), error },
    { ...JSON.parse(row(501)), error },
  ])
  await using db = await Valkeyrie.inspect(file)
  await db.set(['again'], (await db.get([500])).value)
})

it.each([
  ['is not JSON', ['{"key":["a"],"value":1', ''], []],
  ['has no key, after rows that have expired', ['{"key":["a"],"value":1,"expiresAt":1}', '{"value":1}'], []],
  ['has a key that cannot be used', ['{"key":["\\ud83d"],"value":1}'], []],
  ['is not UTF-8', ['\xff'], ['--skip-invalid', 'none.ndjson']],
  ['has rows for a file that exists', ['{}'], ['--skip-invalid', 'there.ndjson']],
  ['has rows for a file in no folder', ['{}'], ['--skip-invalid', 'none/refused.ndjson']],
  ['has rows for the new database', ['{}'], ['--skip-invalid', 'new.db']],
  ['has rows for a file of the new database', ['{}'], ['--skip-invalid', 'new.db-wal']],
])('creates no database for a file that %s', async (_, lines, flags) => {
  const folder = path(`import-${files++}`)
  mkdirSync(folder)
  writeFileSync(join(folder, 'there.ndjson'), 'something')
  writeFileSync(join(folder, 'rows.ndjson'), lines.join('\n'), 'latin1')
  const { code } = await command(folder, 'import', 'new.db', 'rows.ndjson', '--from', 'ndjson', ...flags)
  expect(code).toBe(1)
  expect(readdirSync(folder).sort()).toEqual(['rows.ndjson', 'there.ndjson'])
})

it('finishes an import that was killed when it is run again', async () => {
  const source = fresh('ndjson')
  const rows = 30_000
  writeFileSync(
    source,
    Array.from({ length: rows }, (_, i) => `{"key":["n",${i}],"value":{"i":${i}}}\n`).join(''),
  )
  const file = fresh('db')
  await (await Valkeyrie.open(file)).close()
  const child = spawned('import', file, source)
  await using db = await Valkeyrie.inspect(file)
  const count = () => db.drizzle.$client.prepare('SELECT count(*) FROM kv').pluck().get() as number
  while (count() === 0 && child.exitCode === null) await after(1)
  child.kill('SIGKILL')
  await once(child, 'close')
  const stored = count()
  const { text } = await valkeyrie('import', file, source, '--json')
  expect(JSON.parse(text)).toMatchObject({ imported: rows - stored, unchanged: stored })
  expect(count()).toBe(rows)
})

it.each([
  ['has nothing in it', ''],
  ['has a page', 'PRAGMA journal_mode = WAL'],
  ['is marked', 'PRAGMA journal_mode = WAL; PRAGMA application_id = 0x564c4b59; PRAGMA user_version = 1'],
])('imports into a new file whose maker was killed when it %s', async (_, made) => {
  const [file, source] = [fresh('db'), fresh('ndjson')]
  writeFileSync(source, '{"key":["n"],"value":1}')
  writeFileSync(file, '')
  new Database(file).exec(made).close()
  expect(await valkeyrie('import', file, source, '--json')).toMatchObject({ code: 0 })
  await using db = await Valkeyrie.open(file)
  expect((await db.get(['n'])).value).toBe(1)
})

it('imports nothing into a file of another application', async () => {
  const [file, source] = [fresh('db'), fresh('ndjson')]
  writeFileSync(source, '{"key":["n"],"value":1}')
  new Database(file).exec('CREATE TABLE notes (text)').close()
  const before = readFileSync(file)
  const { code, text } = await valkeyrie('import', file, source)
  expect([code, text]).toEqual([1, expect.stringContaining('it belongs to another application')])
  expect(readFileSync(file)).toEqual(before)
})

it('exports and imports while another process writes to the file', async () => {
  const file = await filled()
  const writer = spawn(process.execPath, [join(import.meta.dirname, 'program.ts'), file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void writer.kill('SIGKILL'))
  await once(writer.stdout, 'data')
  const output = fresh('ndjson')
  expect((await valkeyrie('export', file, '--repository', 'users', '--output', output)).code).toBe(0)
  const imported = await valkeyrie('import', file, output, '--json')
  expect(JSON.parse(imported.text)).toMatchObject({ unchanged: 8, imported: 0 })
  writer.stdin.end()
  const [code] = await once(writer, 'close')
  expect(code).toBe(0)
})

/** A command that reads its standard input, and keeps temporary files where nothing else is. */
function piped(...args: string[]) {
  const temporary = path(`temporary-${files++}`)
  mkdirSync(temporary)
  const env = { ...process.env, TMPDIR: temporary }
  const child = spawn(process.execPath, [cli, ...args], { env, stdio: 'pipe' })
  onTestFinished(() => void child.kill('SIGKILL'))
  const said: Buffer[] = []
  child.stdout.on('data', (chunk) => said.push(chunk))
  child.stderr.on('data', (chunk) => said.push(chunk))
  const ended = async () => {
    const [code] = await once(child, 'close')
    return { code, said: String(Buffer.concat(said)), left: readdirSync(temporary) }
  }
  return { child, temporary, ended }
}

it('imports what is piped in, of every kind, into a database that it creates', async () => {
  const file = await filled()
  const kinds = [
    [(await valkeyrie('export', file)).output, []],
    [
      (await valkeyrie('export', file, '--repository', 'users', '--format', 'csv')).output,
      ['--from', 'csv', '--repository', 'users'],
    ],
  ] as const
  for (const [text, options] of kinds) {
    const copy = fresh('db')
    if (options.length > 0) await (await schemas.open(copy)).close()
    const { child, ended } = piped('import', copy, '-', ...options)
    child.stdin.end(text)
    expect(await ended()).toEqual({ code: 0, said: '8 rows imported\n', left: [] })
    expect(await entriesOf(copy)).toEqual(await entriesOf(file))
  }
  const none = fresh('db')
  const { child, ended } = piped('import', none, '-')
  child.stdin.end('neither')
  expect(await ended()).toMatchObject({
    code: 1,
    said: expect.stringContaining('Standard input does not show what it is: say so with --from'),
    left: [],
  })
  expect(existsSync(none)).toBe(false)
})

it('leaves nothing behind if it is interrupted before all is piped in', async () => {
  const { child, temporary, ended } = piped('import', fresh('db'), '-')
  child.stdin.write('{"key":["a"],"value":1}\n')
  while (readdirSync(temporary).length === 0) await after(5)
  child.kill('SIGINT')
  expect(await ended()).toEqual({ code: 1, said: 'Interrupted: run it again to finish\n', left: [] })
})

function spawned(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [cli, ...args], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

it.each(['SIGINT', 'SIGTERM'] as const)('ends an export by %s whose reader does not read', async (signal) => {
  const file = fresh('db')
  await using db = await Valkeyrie.open(file)
  // More than a pipe holds.
  await Promise.all(Array.from({ length: 300 }, (_, n) => db.set(['n', n], 'x'.repeat(2_000))))
  const child = spawn(process.execPath, [cli, 'export', file], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const said: Buffer[] = []
  child.stderr.on('data', (chunk) => said.push(chunk))
  await waitFor('the first rows', once(child.stdout, 'readable'))
  child.kill(signal)
  const closed = once(child, 'close')
  const [code] = await waitFor('the end of the export', once(child, 'exit'))
  child.stdout.resume()
  await closed
  expect({ code, said: String(Buffer.concat(said)) }).toEqual({
    code: 1,
    said: 'Interrupted: run it again to finish\n',
  })
})

it('finishes a command whose reader has gone away, and says that output cannot be written', async () => {
  const ended = async (args: readonly string[], out: 'pipe' | number) => {
    const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', out, 'pipe'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    child.stdout?.destroy()
    const said: Buffer[] = []
    child.stderr!.on('data', (chunk) => said.push(chunk))
    const [code] = await once(child, 'close')
    return { code, said: String(Buffer.concat(said)) }
  }
  const file = await filled()
  expect(await ended(['stats', file], 'pipe')).toEqual({ code: 0, said: '' })
  expect(await ended(['stats', fresh('db'), '--json'], 'pipe')).toEqual({ code: 1, said: '' })
  // The device that is always full.
  if (!existsSync('/dev/full')) return
  const full = openSync('/dev/full', 'w')
  onTestFinished(() => closeSync(full))
  for (const args of [
    ['stats', file],
    ['export', file],
  ])
    expect(await ended(args, full)).toEqual({ code: 1, said: 'ENOSPC: no space left on device, write\n' })
})
