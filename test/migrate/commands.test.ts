import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { program } from '../../src/cli/program.ts'
import { command } from '../command/command.ts'
import { extent } from '../extent.ts'
import { waitFor } from '../waiting.ts'
import { cli, projectFolder, run, write } from './project.ts'

// The built commands of a project.

const schemas = (fields: string) => `import { defineSchema, kvTables } from 'valkeyrie/schema'
import { z } from 'zod'
export const users = defineSchema(['users', '*'], z.object({ ${fields} }))
export const { kv, kvLog, kvCollections } = kvTables([users])`

/** A project with a database that has had its first migration, and holds a row. It is made once, and copied. */
async function project() {
  made ??= makeProject()
  const folder = projectFolder()
  cpSync(await made, folder, { recursive: true, filter: (file) => basename(file) !== 'node_modules' })
  return {
    folder,
    path: join(folder, 'data.db'),
    valkeyrie: (...args: string[]) => command(folder, ...args),
  }
}

let made: Promise<string> | undefined

async function makeProject(): Promise<string> {
  const folder = projectFolder()
  write(folder, 'schemas/index.ts', schemas('age: z.int()'))
  write(
    folder,
    'drizzle.config.ts',
    "export default { dialect: 'sqlite', schema: './schemas/index.ts', out: './migrations', dbCredentials: { url: 'data.db' } }",
  )
  expect(await command(folder, 'generate')).toMatchObject({ code: 0 })
  expect(await command(folder, 'migrate')).toMatchObject({ code: 0 })
  await using db = await Valkeyrie.open(join(folder, 'data.db'))
  await db.set(['users', 'ann'], { age: 1 })
  return folder
}

it('every command shows an example, and takes --json', async () => {
  const names = program.commands.map((command) => command.name())
  expect(names).toEqual(
    expect.arrayContaining([
      'generate',
      'diff',
      'migrate',
      'status',
      'check',
      'reset',
      'seed',
      'init',
      'export',
    ]),
  )
  for (const command of program.commands) {
    let text = ''
    const writeOut = (part: string) => {
      text += part
    }
    command.configureOutput({ writeOut }).outputHelp()
    expect(text).toMatch(new RegExp(`--json[\\s\\S]*Example:\\n {2}\\$ npx valkeyrie ${command.name()}\\b`))
  }
  const printed = await run(projectFolder(), [cli, '--help'])
  for (const name of names) expect(printed.text).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'))
})

it('diff and --dry-run show what generate would write, and write nothing', async () => {
  const { folder, valkeyrie } = await project()
  expect(await valkeyrie('diff')).toMatchObject({ code: 0, text: 'Nothing has changed.\n' })
  const nothing = { tag: null, changes: [], losses: [], undecided: [], steps: [] }
  expect(JSON.parse((await valkeyrie('diff', '--json')).text)).toEqual(nothing)
  const dryNothing = (await valkeyrie('generate', '--dry-run', '--json')).text
  expect(JSON.parse(dryNothing)).toEqual({ ...nothing, files: {} })
  expect(JSON.parse((await valkeyrie('generate', '--json')).text)).toEqual({
    tag: null,
    files: [],
    steps: [],
  })
  expect(await valkeyrie('generate', '--custom', '--name', 'x1')).toMatchObject({
    code: 1,
    text: expect.stringContaining('Name the repository whose values it changes, such as --custom users'),
  })
  write(folder, 'schemas/index.ts', schemas("age: z.int(), role: z.string().default('guest')"))
  const files = readdirSync(join(folder, 'migrations'), { recursive: true }).sort()
  const line = 'users: role is added, with the default "guest"\n'
  expect(await valkeyrie('diff')).toMatchObject({ code: 2, text: line })
  const dry = await valkeyrie('generate', '--dry-run')
  expect(dry.code).toBe(0)
  expect(dry.text).toMatch(/-- 0001_users\.sql\n[\s\S]*UPDATE kv SET/)
  const { changes, files: planned } = JSON.parse((await valkeyrie('generate', '--dry-run', '--json')).text)
  expect(changes).toEqual([line.trim()])
  expect(Object.keys(planned)).toContain('0001_users.sql')
  expect(readdirSync(join(folder, 'migrations'), { recursive: true }).sort()).toEqual(files)
  expect(JSON.parse((await valkeyrie('status', '--json')).text)).toMatchObject({
    applied: ['0000_initial'],
    pending: [],
    drift: [{ kind: 'schemas' }],
  })
})

it('--dry-run reports an index that generate would rewrite, and lists it among the files', async () => {
  const { folder, valkeyrie } = await project()
  const sql = join(folder, 'migrations/0000_initial.sql')
  const index = join(folder, 'migrations/index.ts')
  const before = readFileSync(index, 'utf8')
  writeFileSync(sql, `-- edited\n${readFileSync(sql, 'utf8')}`)
  expect(await valkeyrie('diff')).toMatchObject({ code: 0, text: 'Nothing has changed.\n' })
  expect(await valkeyrie('generate', '--dry-run')).toMatchObject({
    code: 0,
    text: 'index.ts would be rewritten, because the migrations beside it have changed.\n',
  })
  const planned = JSON.parse((await valkeyrie('generate', '--dry-run', '--json')).text)
  expect(planned).toMatchObject({ tag: null, changes: [], steps: [] })
  expect(readFileSync(index, 'utf8')).toBe(before)
  const generated = await valkeyrie('generate', '--json')
  expect(JSON.parse(generated.text)).toEqual({ tag: null, files: ['index.ts'], steps: [] })
  expect(planned.files).toEqual({ 'index.ts': readFileSync(index, 'utf8') })
  expect(await valkeyrie('generate', '--dry-run')).toMatchObject({ code: 0, text: 'Nothing has changed.\n' })

  write(folder, 'schemas/index.ts', schemas("age: z.int(), role: z.string().default('guest')"))
  expect((await valkeyrie('generate', '--dry-run')).text).toMatch(/-- index\.ts\n-- all migrations/)
  const { files } = JSON.parse((await valkeyrie('generate', '--dry-run', '--json')).text)
  expect(JSON.parse((await valkeyrie('generate', '--json')).text).files).toEqual(Object.keys(files))
  for (const [name, text] of Object.entries(files)) {
    // Each says when it was made.
    const timeless = (it: string) => it.replaceAll(/"?(when|id)"?: ("[^"]*"|\d+)/g, '')
    expect(timeless(readFileSync(join(folder, 'migrations', name), 'utf8'))).toBe(timeless(text as string))
  }
})

it('--custom makes an empty change of values, which a program fills in', async () => {
  const { folder, path, valkeyrie } = await project()
  expect((await valkeyrie('generate', '--custom', 'nobody')).text).toMatch(/there are users/)
  const generated = JSON.parse(
    (await valkeyrie('generate', '--custom', 'users', '--name', 'older', '--json')).text,
  )
  expect(generated.steps).toEqual(['0001_older.users.ts'])
  const step = join(folder, 'migrations/0001_older.users.ts')
  expect(readFileSync(step, 'utf8')).toMatch(/readonly age: number[\s\S]*readonly age: number/)
  expect((await valkeyrie('status')).text).toBe('applied: 0000_initial\npending: 0001_older\n')
  writeFileSync(step, 'export const up = ({ age }: { age: number }) => ({ age: age + 1 })')
  expect(JSON.parse((await valkeyrie('migrate', '--no-backup', '--json')).text)).toMatchObject({
    applied: ['0001_older'],
  })
  await using db = await Valkeyrie.open(path)
  expect((await db.get(['users', 'ann'])).value).toEqual({ age: 2 })
})

it('reset says what it deletes, and deletes nothing if it cannot ask, or if others have the file open', async () => {
  const { path, valkeyrie } = await project()
  const refused = await valkeyrie('reset')
  expect(refused).toMatchObject({
    code: 1,
    text: expect.stringMatching(
      /This deletes .*data\.db: [\d,]+ bytes, with rows: 1 of users\nThere is no terminal to ask on/,
    ),
  })
  {
    await using db = await Valkeyrie.open(path)
    expect(await valkeyrie('reset', '--yes', '--wait', '0')).toMatchObject({ code: 1 })
    expect((await db.get(['users', 'ann'])).value).toEqual({ age: 1 })
  }
  expect(await valkeyrie('reset', '--force')).toMatchObject({
    code: 0,
    text: expect.stringMatching(/is new[\s\S]*rows: 1 of users/),
  })
  await using db = await Valkeyrie.open(path)
  expect((await db.get(['users', 'ann'])).value).toBeNull()
  expect(existsSync(path)).toBe(true)
})

it('reset deletes nothing if the migrations cannot make a new database', async () => {
  const { folder, path, valkeyrie } = await project()
  const migrations = join(folder, 'migrations')
  const journal = join(migrations, 'meta/_journal.json')
  const sql = join(migrations, '0000_initial.sql')
  const refused = async (text: RegExp) => {
    expect(await valkeyrie('reset', '--yes')).toMatchObject({ code: 1, text: expect.stringMatching(text) })
    await using db = await Valkeyrie.open(path)
    expect((await db.get(['users', 'ann'])).value).toEqual({ age: 1 })
  }
  const [journalText, sqlText] = [readFileSync(journal, 'utf8'), readFileSync(sql, 'utf8')]
  renameSync(migrations, `${migrations}.away`)
  await refused(/There are no migrations in .*migrations: run "valkeyrie generate" first/)
  renameSync(`${migrations}.away`, migrations)
  writeFileSync(journal, '{ "entries": [')
  await refused(/The migrations in .* cannot be read/)
  writeFileSync(journal, JSON.stringify({ ...JSON.parse(journalText), entries: [] }))
  await refused(/There are no migrations in/)
  writeFileSync(journal, journalText)
  writeFileSync(sql, sqlText.replace('CREATE TABLE', 'CREATE TABBLE'))
  await refused(/TABBLE/)
  writeFileSync(sql, sqlText)
  expect(await valkeyrie('generate', '--custom', 'users', '--name', 'older')).toMatchObject({ code: 0 })
  await refused(/0001_older\.users\.ts is not filled in/)
})

it('seed runs a module with the database opened by the schemas, while others have it open', async () => {
  const { folder, path, valkeyrie } = await project()
  await using db = await Valkeyrie.open(path)
  expect((await valkeyrie('seed')).text).toMatch(/There is no .*schemas\/seed\.ts/)
  write(folder, 'fill.ts', 'export default (db: any) => db.repositories.users.set("bob", { age: 7 })')
  expect(await valkeyrie('seed', '--file', 'fill.ts')).toMatchObject({ code: 0 })
  expect((await db.get(['users', 'bob'])).value).toEqual({ age: 7 })
  write(
    folder,
    'schemas/seed.ts',
    'export default (db: any) => db.repositories.users.set("cid", { age: "x" })',
  )
  expect(await valkeyrie('seed', '--json')).toMatchObject({
    code: 1,
    text: expect.stringContaining('"VALIDATION"'),
  })
  expect((await valkeyrie('seed', 'none.db')).text).toMatch(/run "valkeyrie migrate" first/)
})

it('--json prints one object, whatever modules of the project print', async () => {
  const { folder, valkeyrie } = await project()
  for (const file of ['drizzle.config.ts', 'schemas/index.ts'])
    writeFileSync(
      join(folder, file),
      `console.log('of ${file}')\n${readFileSync(join(folder, file), 'utf8')}`,
    )
  write(folder, 'schemas/seed.ts', "export default () => void process.stdout.write('of the seed\\n')")
  for (const name of ['generate', 'diff', 'migrate', 'status', 'check', 'seed']) {
    const { output, text } = await valkeyrie(name, '--json')
    expect(JSON.parse(output), name).toBeTypeOf('object')
    expect(text.slice(output.length)).toContain('of drizzle.config.ts\nof schemas/index.ts\n')
    if (name === 'seed') expect(text).toContain('of the seed')
  }
  expect((await valkeyrie('seed')).output).toContain('of the seed\n')
  expect((await valkeyrie('seed', '--help', '--json')).output).toContain('Usage: ')
})

it('a migration that was edited after it was applied is reported as drift', async () => {
  const { folder, valkeyrie } = await project()
  const sql = join(folder, 'migrations/0000_initial.sql')
  const text = readFileSync(sql, 'utf8')
  const drift = async () => {
    const told = JSON.parse((await valkeyrie('status', '--json')).output).drift
    return told.filter(({ kind }: { kind: string }) => kind === 'history')
  }
  writeFileSync(sql, text.replaceAll('\n', '\r\n'))
  expect(await drift()).toEqual([])
  writeFileSync(sql, `${text}\n--> statement-breakpoint\nCREATE TABLE more (a);`)
  const message = expect.stringMatching(/^0000_initial was edited after this database had it: restore it/)
  expect(await drift()).toEqual([{ kind: 'history', name: '0000_initial', message }])
  expect((await valkeyrie('status')).code).toBe(2)
  writeFileSync(sql, text)
  expect(await drift()).toEqual([])
})

it('a failed migrate reports as JSON what it has done and refused, and skipped rows by its exit code', async () => {
  const { folder, path, valkeyrie } = await project()
  const change = async (fields: string) => {
    write(folder, 'schemas/index.ts', schemas(fields))
    const { output } = await valkeyrie('generate', '--json')
    return JSON.parse(output) as { tag: string; steps: string[] }
  }
  const { tag: first } = await change("age: z.int(), role: z.string().default('guest')")
  const { tag: second, steps } = await change("age: z.string(), role: z.string().default('guest')")
  writeFileSync(
    join(folder, 'migrations', steps[0]!),
    'export const up = () => {\n  throw new RangeError("too old")\n}\n',
  )
  const failed = await valkeyrie('migrate', '--json')
  expect(failed.code).toBe(1)
  expect(JSON.parse(failed.output)).toEqual({
    error: {
      code: 'MIGRATION',
      message: expect.stringContaining('cannot convert 1 row'),
      refused: [{ repository: 'users', rows: 1, samples: [expect.stringContaining('too old')] }],
    },
    applied: [first],
    backup: `${path}.before-${first}`,
    skipped: 0,
  })
  expect(existsSync(`${path}.before-${first}`)).toBe(true)
  const skipped = await valkeyrie(
    'migrate',
    '--no-backup',
    '--skip-invalid',
    join(folder, 'rows.ndjson'),
    '--json',
  )
  expect(skipped.code).toBe(2)
  expect(JSON.parse(skipped.output)).toEqual({ applied: [second], backup: null, skipped: 1 })
  expect(await valkeyrie('migrate', 'none/none.db', '--json')).toMatchObject({
    code: 1,
    output: expect.stringContaining('"code":"DATABASE_OPEN"'),
  })
})

it('a command that SIGTERM ends reports as JSON that it was interrupted, and what it has done', async () => {
  const { folder, valkeyrie } = await project()
  const interrupt = `const interrupt = () => new Promise((resolve) => {
  process.once('SIGTERM', () => setImmediate(resolve))
  process.kill(process.pid, 'SIGTERM')
})`
  const error = { code: 'INTERRUPTED', message: 'Interrupted: run it again to finish' }
  const ended = async (...args: string[]) => {
    const { code, output } = await run(folder, [cli, ...args, '--json'])
    return [code, JSON.parse(output)]
  }
  write(
    folder,
    'schemas/index.ts',
    `${interrupt}\n${schemas('age: z.int().refine(async () => { await interrupt(); return true })')}`,
  )
  expect(await ended('check')).toEqual([1, { error }])

  const change = async (fields: string) => {
    write(folder, 'schemas/index.ts', schemas(fields))
    return JSON.parse((await valkeyrie('generate', '--json')).output) as { tag: string; steps: string[] }
  }
  const { tag: first } = await change("age: z.int(), role: z.string().default('guest')")
  const { steps } = await change("age: z.string(), role: z.string().default('guest')")
  const step = join('migrations', steps[0]!)
  const up = 'export const up = async (value) => { await interrupt(); return value }'
  write(folder, step, `${interrupt}\n${up}`)
  expect(await ended('migrate', '--no-backup')).toEqual([
    1,
    { error, applied: [first], backup: null, skipped: 0 },
  ])
  write(folder, step, `${interrupt}\nawait interrupt()\n${up}`)
  expect(await ended('reset', '--yes')).toEqual([1, { error }])
  expect(JSON.parse((await valkeyrie('status', '--json')).output).applied).toEqual(['0000_initial', first])
})

it('kill -9 in a reset leaves the old database or a new one, and the next reset finishes', async () => {
  const { folder, path, valkeyrie } = await project()
  for (const lines of [2, 1].slice(0, extent('kills', 1, 2))) {
    const child = spawn(process.execPath, [cli, 'reset', '--yes'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let text = ''
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (text.split('\n').length > lines) child.kill('SIGKILL')
    })
    await waitFor('the end of the command', once(child, 'close'))
    await using db = await Valkeyrie.open(path)
    expect([{ age: 1 }, null]).toContainEqual((await db.get(['users', 'ann'])).value)
  }
  expect(await valkeyrie('reset', '--yes')).toMatchObject({ code: 0 })
  expect(readdirSync(folder).filter((name) => name.startsWith('data.db'))).toEqual(['data.db'])
  await using db = await Valkeyrie.open(path)
  expect((await db.get(['users', 'ann'])).value).toBeNull()
})
