import { execFile, execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { beforeAll, describe, expect, it, onTestFinished, test, vi } from 'vitest'
import { run } from '../../src/cli/program.ts'
import { command } from '../command/command.ts'
import { cli, projectFolder } from '../migrate/project.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const newPath = temporaryFolder()
let folders = 0

/** A folder with a database that holds a row, which nobody has open. */
async function filled() {
  const folder = newPath(`folder-${folders++}`)
  mkdirSync(folder)
  const path = join(folder, 'data.db')
  await using db = await Valkeyrie.open(path)
  await db.set(['a'], 1)
  return { folder, path }
}

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

async function valkeyrie(...args: readonly string[]): Promise<Ended> {
  const { code, output: out, text } = await command(process.cwd(), ...args)
  return { code, out, err: text.slice(out.length) }
}

/** Runs `valkeyrie` in this process: a command that only refuses needs no process of its own. */
async function inProcess(args: readonly string[]): Promise<Ended> {
  const told = { out: '', err: '' }
  const spies = (['out', 'err'] as const).map((name) =>
    vi.spyOn(process[`std${name}`], 'write').mockImplementation((text) => {
      told[name] += text
      return true
    }),
  )
  const before = process.exitCode
  process.exitCode = 0
  try {
    await run(['node', 'valkeyrie', ...args])
    return { code: Number(process.exitCode), ...told }
  } finally {
    process.exitCode = before
    for (const spy of spies) spy.mockRestore()
  }
}

/** Like `inProcess`, but without the rights of root, which can read every file. */
async function asNobody(args: readonly string[]): Promise<Ended> {
  if (process.geteuid?.() !== 0) return inProcess(args)
  process.seteuid!(65_534)
  try {
    return await inProcess(args)
  } finally {
    process.seteuid!(0)
  }
}

test.each([
  [['export', 'a.db', '--jsn', '--json'], /unknown option '--jsn'/],
  [['export', '--json'], /missing required argument 'database'/],
  [['export', 'a.db', '--format', 'xml', '--json'], /Allowed choices are/],
  [['export', 'a.db', '--where', '{', '--json'], /It is not JSON/],
  [['export', 'a.db', '--json'], /--json needs --output/],
  [['exprt', '--json'], /unknown command 'exprt'/],
  [['reset', '--wait', '-1', '--json'], /a number of seconds/],
] as const)('a wrong command line is told as JSON too: %j', async (args, message) => {
  const { code, out, err } = await valkeyrie(...args)
  expect(JSON.parse(out)).toEqual({ error: { code: 'USAGE', message: expect.stringMatching(message) } })
  expect({ code, err }).toEqual({ code: 1, err: '' })
})

it('a wrong command line is reported once, with exit code 1', async () => {
  expect(await valkeyrie('exprt')).toEqual({
    code: 1,
    out: '',
    err: expect.stringMatching(/^error: unknown command[^\n]*\n/),
  })
  expect(await valkeyrie('--version')).toMatchObject({ code: 0, err: '' })
  expect(await valkeyrie('help', 'export')).toMatchObject({ code: 0, err: '' })
})

it('a missing file or name is reported in a sentence, with a code', async () => {
  const { folder, path } = await filled()
  const missing = join(folder, 'none.ndjson')
  const inNone = join(folder, 'none/rows.ndjson')
  for (const [args, code, message] of [
    [['import', path, missing], 'ENOENT', `There is no file ${missing}`],
    [
      ['export', path, '--output', inNone],
      'ENOENT',
      `There is no folder ${dirname(inNone)}: create it first`,
    ],
    [['import', path, folder], 'USAGE', `${folder} is a directory: name a file`],
    [['stats', join(folder, 'none.db')], 'DATABASE_OPEN', expect.stringContaining('none.db')],
  ] as const) {
    const asJson = await valkeyrie(...args, '--json')
    expect(JSON.parse(asJson.out)).toEqual({ error: { code, message } })
    expect(asJson.code).toBe(1)
    const asText = await valkeyrie(...args)
    expect(asText).toMatchObject({ code: 1, out: '' })
    expect(asText.err).not.toMatch(/\n\s+at /)
  }
})

it('import that finds another value under a key says how to continue', async () => {
  const { folder, path } = await filled()
  const rows = join(folder, 'rows.ndjson')
  expect(await valkeyrie('export', path, '--output', rows)).toMatchObject({ code: 0 })
  await using db = await Valkeyrie.open(path)
  await db.set(['a'], 2)
  const { error } = JSON.parse((await valkeyrie('import', path, rows, '--json')).out)
  expect(error.code).toBe('KEY_EXISTS')
  expect(error.message).toMatch(
    /^\["a"\] exists already with another value: --on-conflict skip .*--on-conflict overwrite/,
  )
})

it('commands that read leave nothing beside a file that nobody has open, and all beside one that somebody has', async () => {
  const { folder, path } = await filled()
  const rows = newPath('rows.ndjson')
  const reading = [
    ['stats', path],
    ['doctor', path],
    ['export', path, '--output', rows, '--overwrite'],
    ['backup', path, newPath()],
    ['copy', path, newPath()],
  ]
  for (const args of reading) {
    expect([args[0], await valkeyrie(...args)]).toMatchObject([args[0], { code: 0 }])
    expect([args[0], readdirSync(folder)]).toEqual([args[0], ['data.db']])
  }
  const reader = await Valkeyrie.open(path, { readOnly: true })
  expect((await reader.get(['a'])).value).toBe(1)
  await reader.close()
  expect(readdirSync(folder)).toEqual(['data.db'])

  await using db = await Valkeyrie.open(path)
  for (const args of reading) {
    expect([
      args[0],
      await valkeyrie(...args.map((arg) => (arg === rows ? newPath('more.ndjson') : arg))),
    ]).toMatchObject([args[0], { code: args[0] === 'backup' || args[0] === 'copy' ? 1 : 0 }])
    expect(existsSync(`${path}-wal`)).toBe(true)
    await db.set(['a'], 2)
    expect((await db.get(['a'])).value).toBe(2)
  }
})

it('commands that cannot read a file leave nothing beside it, and not the log of somebody who has it open', async () => {
  const { folder, path } = await filled()
  truncateSync(path, 4_096)
  const reading = [
    ['stats', path],
    ['doctor', path],
    ['export', path],
    ['backup', path, newPath()],
    ['copy', path, newPath()],
    ['restore', path, newPath()],
  ]
  for (const args of reading) {
    expect([args[0], await valkeyrie(...args)]).toMatchObject([args[0], { code: 1 }])
    expect([args[0], readdirSync(folder)]).toEqual([args[0], ['data.db']])
  }
  const other = join(folder, 'other.db')
  const connection = new Sqlite(other)
  onTestFinished(() => void connection.close())
  connection.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)')
  expect(await valkeyrie('stats', other)).toMatchObject({ code: 1 })
  connection.exec('INSERT INTO t VALUES (2)')
  expect(readdirSync(folder)).toEqual(['data.db', 'other.db', 'other.db-shm', 'other.db-wal'])
})

it('a log that a process has left behind stays if it is only read', async () => {
  const { folder, path } = await filled()
  const program = `import { Valkeyrie } from 'valkeyrie'
    const db = await Valkeyrie.open(process.argv[1])
    await db.set(['left'], 'in the log')
    process.kill(process.pid, 'SIGKILL')`
  const root = new URL('../..', import.meta.url)
  await new Promise((resolve) =>
    execFile(process.execPath, ['--input-type=module', '-e', program, path], { cwd: root }, resolve),
  )
  expect(readdirSync(folder)).toContain('data.db-wal')
  expect(JSON.parse((await valkeyrie('stats', path, '--json')).out).repositories[0]).toMatchObject({
    rows: 2,
  })
  expect(readdirSync(folder)).toContain('data.db-wal')
  await using db = await Valkeyrie.open(path)
  expect((await db.get(['left'])).value).toBe('in the log')
})

it('an unexpected failure has a code and a trace', () => {
  const folder = newPath('unforeseen')
  mkdirSync(folder)
  writeFileSync(join(folder, 'drizzle.config.ts'), 'throw new Error("of the settings")')
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'status', '--json'], {
    cwd: folder,
    encoding: 'utf8',
  })
  expect(status).toBe(1)
  expect(JSON.parse(stdout).error.code).toEqual(expect.any(String))
  expect(stderr + stdout).toContain('of the settings')
})

describe('what stands at a path', () => {
  const at = (name: string) => newPath(`paths-${name}`)
  const [database, rows, folder, fifo, secret] = [
    at('a.db'),
    at('rows.ndjson'),
    at('folder'),
    at('fifo'),
    at('secret.db'),
  ]
  const project = projectFolder()
  const config = ['--config', join(project, 'drizzle.config.ts')]

  beforeAll(async () => {
    mkdirSync(folder)
    mkdirSync(join(project, 'declared'))
    {
      await using db = await Valkeyrie.open(database)
      await db.set(['a'], 1)
    }
    writeFileSync(rows, '{"key":["b"],"value":2}\n')
    writeFileSync(
      config[1]!,
      "export default { dialect: 'sqlite', schema: './declared/index.ts', out: './declared/migrations' }",
    )
    writeFileSync(
      join(project, 'declared/index.ts'),
      "import { kvTables } from 'valkeyrie/schema'\nexport const { kv, kvLog, kvCollections } = kvTables([])",
    )
    writeFileSync(join(project, 'declared/seed.ts'), 'export default () => {}')
    expect(await inProcess(['generate', ...config])).toMatchObject({ code: 0 })
    execFileSync('sh', ['-c', 'mkfifo "$0"', fifo])
    copyFileSync(database, secret)
    chmodSync(secret, 0)
    chmodSync(project, 0o755)
    chmodSync(newPath('.'), 0o777)
    chmodSync(database, 0o666)
  })

  /** The path to read that a command is given, where that is nothing for it. */
  const reading: readonly (readonly string[])[] = [
    ['stats', '?'],
    ['doctor', '?'],
    ['backup', '?', at('new')],
    ['copy', '?', at('new')],
    ['restore', '?', at('new')],
    ['export', '?'],
    ['import', database, '?'],
    ['studio', '?', '--no-open'],
    ['status', '--config', '?'],
    ['seed', '--file', '?', ...config, database],
  ]
  const writing: readonly (readonly string[])[] = [
    ['backup', database, '?', '--overwrite'],
    ['copy', database, '?', '--overwrite'],
    ['restore', database, '?', '--wait', '0'],
    ['export', database, '--output', '?', '--overwrite'],
    ['import', '?', rows],
    ['import', database, rows, '--skip-invalid', '?'],
    ['migrate', '?', ...config],
    ['reset', '?', '--yes', ...config],
  ]
  /** What takes the database of a project. */
  const opening: readonly (readonly string[])[] = [
    ['check', '?', ...config],
    ['seed', '?', ...config],
  ]
  const cases = (kind: string, path: string, commands: readonly (readonly string[])[]) =>
    commands.map((args) => {
      const shown = args
        .map((arg) => arg.replace(newPath('paths-'), '').replace(project, 'project'))
        .join(' ')
      return [shown, kind, path, args] as const
    })

  it.each([
    ...cases('missing', at('missing'), reading),
    ...cases('in no folder', at('none/a.db'), [...reading, ...writing]),
    ...cases('a folder', folder, [...reading, ...writing, ...opening]),
    ...cases('a FIFO', fifo, [...reading, ...writing, ...opening]),
    ...cases('below a file', `${rows}/a.db`, [...reading, ...writing, ...opening]),
    ...cases('unreadable', secret, [...reading, ...opening]),
  ])('valkeyrie %s: %s', async (_, kind, path, args) => {
    const given = args.map((arg) => (arg === '?' ? path : arg))
    const { code, out, err } = await (kind === 'unreadable' ? asNobody(given) : inProcess(given))
    expect({ code, out }).toEqual({ code: 1, out: '' })
    // One sentence in words, which names what is wrong.
    expect(err).toMatch(/^[^\n]+\n$/)
    expect(err).toContain(kind === 'in no folder' ? dirname(path) : path)
    expect(err).not.toMatch(/\b(E[A-Z]{4,}|SQLITE_\w+)\b/)
  })

  it('rows are written over no link', async () => {
    const [link, target] = [at('link.ndjson'), at('target.ndjson')]
    symlinkSync(target, link)
    const commands = [
      ['export', database, '--output', link],
      ['export', database, '--output', link, '--overwrite'],
      ['import', database, rows, '--skip-invalid', link],
    ]
    for (const leadsTo of ['', 'kept']) {
      if (leadsTo !== '') writeFileSync(target, leadsTo)
      for (const args of commands) {
        const told = { code: 1, err: `${link} is a symbolic link, which would be replaced: name a file\n` }
        expect([args, await inProcess(args)]).toMatchObject([args, told])
      }
      expect(existsSync(target) ? readFileSync(target, 'utf8') : '').toBe(leadsTo)
      expect(lstatSync(link).isSymbolicLink()).toBe(true)
    }
  })

  it('an export never takes the place of its database', async () => {
    const link = at('link.db')
    symlinkSync(database, link)
    for (const output of [database, link, `${database}-wal`]) {
      const args = ['export', database, '--output', output, '--overwrite']
      expect(await inProcess(args)).toMatchObject({
        code: 1,
        err: expect.stringContaining(`${output} belongs to the database `),
      })
    }
    await using db = await Valkeyrie.open(database)
    expect((await db.get(['a'])).value).toBe(1)
  })
})

it.each([
  ['backup', 'data.db', 'ADDRESS'],
  ['restore', 'ADDRESS', 'data.db'],
  ['restore', 'data.db', 'ADDRESS'],
  ['export', 'data.db', '--output', 'ADDRESS'],
  ['import', 'data.db', 'ADDRESS'],
  ['import', 'data.db', 'rows.csv', '--skip-invalid', 'ADDRESS'],
])('%s %s %s takes no address of a server, and shows no password', async (...args) => {
  const { folder } = await filled()
  const given = args.map((arg) =>
    arg === 'ADDRESS'
      ? 'postgres://bob:hidden@127.0.0.1:1/shop'
      : arg.includes('.')
        ? join(folder, arg)
        : arg,
  )
  const { code, out, err } = await inProcess(given)
  expect([code, out]).toEqual([1, ''])
  expect(err).toMatch(/takes the path of a file|works on files/)
  expect(err).not.toContain('hidden')
})

it('a studio of a server that nobody runs says so, and shows no password', async () => {
  const { code, out, err } = await inProcess([
    'studio',
    'postgres://bob:hidden@127.0.0.1:1/shop',
    '--no-open',
  ])
  expect([code, out]).toEqual([1, ''])
  expect(err).toMatch(/^Cannot open postgres:\/\/127\.0\.0\.1:1\/shop: no server listens there/)
  expect(err).not.toContain('hidden')
})
