import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { gzipSync } from 'node:zlib'
import { Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFinished } from 'vitest'
import { describeEngine } from '../engines.ts'
import { cli, root, run } from '../migrate/project.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { ask } from './ask.ts'

const path = temporaryFolder()

it('prints its address on a separate line, serves the file, and ends', async () => {
  const file = path()
  await using db = await Valkeyrie.open(file)
  await db.set(['a'], 1)
  const child = spawn(process.execPath, [cli, 'studio', file, '--no-open', '--read-only'], { stdio: 'pipe' })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'close')
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string]
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{32}$/)
  expect(await ask({ url }, 'catalog')).toMatchObject({ status: 200, path: file, readOnly: true })
  expect((await ask({ url }, 'keys')).rows).toMatchObject([{ key: ['a'], value: 1 }])
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

it.each([
  ['a project: how it differs', root],
  ['none: that there is none', tmpdir()],
])('compares the file with the project of its folder, and if that is %s', async (_, cwd) => {
  const file = path()
  await (await Valkeyrie.open(file)).close()
  const child = spawn(process.execPath, [cli, 'studio', file, '--no-open'], { stdio: 'pipe', cwd })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string]
  const compared = await ask({ url }, 'migrations')
  if (cwd !== root) expect(compared).toMatchObject({ status: 200, project: false })
  else {
    const kinds = new Set(compared.drift.map(({ kind }: { kind: string }) => kind))
    expect([compared.status, compared.project, kinds]).toEqual([200, true, new Set(['history', 'index'])])
  }
})

describeEngine('postgres', 'the command', ({ newAddress }) => {
  it('serves a database of a server, compares it with a project of files, and shows no password', async () => {
    const address = newAddress()
    await (await Valkeyrie.open(address)).close()
    const child = spawn(process.execPath, [cli, 'studio', address, '--no-open'], { stdio: 'pipe', cwd: root })
    onTestFinished(() => void child.kill('SIGKILL'))
    const [url] = (await once(createInterface(child.stdout), 'line')) as [string]
    const { host, pathname, search } = new URL(address)
    const shown = `postgres://${host}${pathname}${search}`
    expect(await ask({ url }, 'catalog')).toMatchObject({ status: 200, path: shown, engine: 'postgres' })
    const { error } = await ask({ url }, 'migrations')
    expect(error).toMatchObject({
      code: 'MIGRATION',
      message: expect.stringContaining("dialect: 'postgresql'"),
    })
  })
})

it('prints its address as JSON', async () => {
  const file = path()
  await (await Valkeyrie.open(file)).close()
  const child = spawn(process.execPath, [cli, 'studio', file, '--no-open', '--json'], { stdio: 'pipe' })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  expect(JSON.parse(line)).toEqual({ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/#token=/) })
})

it.each([
  ['a file that is not there', [path('nowhere.db')], 'nowhere.db'],
  ['a port that is none', [path(), '--port', '70000'], 'from 0 to 65535'],
  ['an option that there is not', [path(), '--host', '0.0.0.0'], "unknown option '--host'"],
])('refuses %s', async (_, args, text) => {
  const { code, text: printed } = await run(root, [cli, 'studio', ...args, '--no-open'])
  expect([code, printed]).toEqual([1, expect.stringContaining(text)])
})

it('has a page of at most 400 KB compressed', () => {
  const files = globSync('*', { cwd: `${root}dist/studio` }).map((name) =>
    readFileSync(`${root}dist/studio/${name}`),
  )
  expect(files).toHaveLength(4)
  const bytes = files.reduce((sum, content) => sum + gzipSync(content).length, 0)
  expect(bytes).toBeGreaterThan(10_000)
  expect(bytes).toBeLessThan(400_000)
})
