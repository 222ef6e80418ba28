import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { expect, it, test } from 'vitest'
import { cli } from '../migrate/project.ts'
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

function valkeyrie(...args: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

test.each([
  [['export', 'a.db', '--jsn', '--json'], /unknown option '--jsn'/],
  [['export', '--json'], /missing required argument 'database'/],
  [['export', 'a.db', '--format', 'xml', '--json'], /Allowed choices are/],
  [['export', 'a.db', '--where', '{', '--json'], /It is not JSON/],
  [['export', 'a.db', '--json'], /--json needs --output/],
  [['exprt', '--json'], /unknown command 'exprt'/],
  [['reset', '--wait', '-1', '--json'], /a number of seconds/],
] as const)('a wrong command line is told as JSON too: %j', (args, message) => {
  const { code, out, err } = valkeyrie(...args)
  expect(JSON.parse(out)).toEqual({ error: { code: 'USAGE', message: expect.stringMatching(message) } })
  expect({ code, err }).toEqual({ code: 1, err: '' })
})

it('a wrong command line is told to a person once, with exit code 1', () => {
  expect(valkeyrie('exprt')).toEqual({
    code: 1,
    out: '',
    err: expect.stringMatching(/^error: unknown command[^\n]*\n/),
  })
  expect(valkeyrie('--version')).toMatchObject({ code: 0, err: '' })
  expect(valkeyrie('help', 'export')).toMatchObject({ code: 0, err: '' })
})

it('what is not there is named in a sentence, with a code', async () => {
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
    [['import', path, folder], 'EISDIR', expect.stringMatching(/directory|is a folder/)],
    [['stats', join(folder, 'none.db')], 'DATABASE_OPEN', expect.stringContaining('none.db')],
  ] as const) {
    const asJson = valkeyrie(...args, '--json')
    expect(JSON.parse(asJson.out)).toEqual({ error: { code, message } })
    expect(asJson.code).toBe(1)
    const asText = valkeyrie(...args)
    expect(asText).toMatchObject({ code: 1, out: '' })
    expect(asText.err).not.toMatch(/\n\s+at /)
  }
})

it('import that finds another value under a key says how to go on', async () => {
  const { folder, path } = await filled()
  const rows = join(folder, 'rows.ndjson')
  expect(valkeyrie('export', path, '--output', rows)).toMatchObject({ code: 0 })
  await using db = await Valkeyrie.open(path)
  await db.set(['a'], 2)
  const { error } = JSON.parse(valkeyrie('import', path, rows, '--json').out)
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
    expect([args[0], valkeyrie(...args)]).toMatchObject([args[0], { code: 0 }])
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
      valkeyrie(...args.map((arg) => (arg === rows ? newPath('more.ndjson') : arg))),
    ]).toMatchObject([args[0], { code: args[0] === 'backup' || args[0] === 'copy' ? 1 : 0 }])
    expect(existsSync(`${path}-wal`)).toBe(true)
    await db.set(['a'], 2)
    expect((await db.get(['a'])).value).toBe(2)
  }
})

it('a log that a process has left behind stays where it is only read', async () => {
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
  expect(JSON.parse(valkeyrie('stats', path, '--json').out).repositories[0]).toMatchObject({ rows: 2 })
  expect(readdirSync(folder)).toContain('data.db-wal')
  await using db = await Valkeyrie.open(path)
  expect((await db.get(['left'])).value).toBe('in the log')
})

it('what nobody foresaw has a code and a trace', () => {
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

it('an export never takes the place of its database, of a folder or of a FIFO', async () => {
  const { folder, path } = await filled()
  const fifo = join(folder, 'fifo')
  execFileSync('sh', ['-c', 'mkfifo "$0"', fifo])
  for (const output of [path, `${path}-wal`, folder, fifo])
    expect(valkeyrie('export', path, '--output', output, '--overwrite')).toMatchObject({
      code: 1,
      err: expect.stringContaining(output),
    })
  await using db = await Valkeyrie.open(path)
  expect((await db.get(['a'])).value).toBe(1)
})
