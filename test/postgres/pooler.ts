import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { waitUntil } from '../waiting.ts'
import { unprivileged } from './programs.ts'

/** Where Debian and others install it. */
const program = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find(existsSync)

/** Why there is no pooler for tests here; null: there is one. */
export const poolerObstacle = program === undefined ? 'pgbouncer is not installed' : null

/** Starts PgBouncer before a server, until the test is over; gives the address to open. `size`: of its connections to the server. */
export async function startPooler(
  address: string,
  { mode = 'transaction', size = 4 }: { mode?: 'transaction' | 'statement'; size?: number } = {},
): Promise<string> {
  const server = new URL(address)
  const folder = mkdtempSync(join(tmpdir(), 'valkeyrie-pooler-'))
  const port = await freePort()
  const file = join(folder, 'pgbouncer.ini')
  const database = server.pathname.slice(1)
  writeFileSync(join(folder, 'users'), `"${server.username}" "${server.password}"\n`)
  writeFileSync(
    file,
    `[databases]
${database} = host=${server.hostname} port=${server.port} dbname=${database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = md5
auth_file = ${join(folder, 'users')}
pool_mode = ${mode}
default_pool_size = ${size}
`,
  )
  const as = process.getuid?.() === 0 ? unprivileged() : undefined
  if (as !== undefined)
    for (const path of [folder, file, join(folder, 'users')]) chownSync(path, as.uid, as.gid)
  const child: ChildProcess = spawn(program!, [file], { ...as, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  onTestFinished(async () => {
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
    rmSync(folder, { recursive: true })
  })
  await waitUntil('the pooler', () => {
    if (child.exitCode !== null) throw new Error(said)
    return said.includes('process up')
  })
  server.port = String(port)
  return server.href
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}
