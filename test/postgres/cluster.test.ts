import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it, vi } from 'vitest'
import { waitUntil } from '../waiting.ts'
import { startCluster } from './cluster.ts'
import { serverOfRun } from './server-of-run.ts'

const server = await serverOfRun()
const isAble = 'url' in server

afterEach(() => void vi.unstubAllEnvs())

async function isListening(url: string): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  try {
    return await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ])
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

it.runIf(isAble)('all files of tests have one server', async () => {
  expect(await serverOfRun()).toEqual(server)
  expect(await isListening((server as { url: string }).url)).toBe(true)
})

it.runIf(isAble)(
  'a server that was killed starts again at its address, and leaves nothing when it ends',
  async () => {
    const cluster = await startCluster()
    const { url } = cluster
    expect(await isListening(url)).toBe(true)
    await cluster.kill()
    expect(await isListening(url)).toBe(false)
    await cluster.restart()
    expect(cluster.url).toBe(url)
    expect(await isListening(url)).toBe(true)
    await cluster.end()
    expect(await isListening(url)).toBe(false)
    expect(existsSync(cluster.folder)).toBe(false)
  },
)

it.runIf(isAble)('a server ends with the process that started it, when that is killed too', async () => {
  const program = fileURLToPath(new URL('programs/start-cluster.ts', import.meta.url))
  const child: ChildProcess = fork(program, { execArgv: [] })
  const [{ url, folder }] = (await once(child, 'message')) as [{ url: string; folder: string }]
  expect(await isListening(url)).toBe(true)
  child.kill('SIGKILL')
  await waitUntil('the end of the server', async () => !(await isListening(url)))
  await waitUntil('the end of its files', () => !existsSync(folder))
})

it('a machine without PostgreSQL learns why there is no server', async () => {
  vi.stubEnv('VALKEYRIE_POSTGRES', '/nowhere/bin')
  await expect(startCluster()).rejects.toThrow('there is no /nowhere/bin/initdb')
  vi.stubEnv('VALKEYRIE_POSTGRES', 'off')
  await expect(startCluster()).rejects.toThrow('VALKEYRIE_POSTGRES is "off"')
})
