import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { waitFor } from '../waiting.ts'

/** A server of live queries in a process of its own, which is killed and started again at the same port. */
export async function serverProcess(path: string, port = 0) {
  const program = join(import.meta.dirname, 'programs/server.ts')
  const child = spawn(process.execPath, [program, path, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [text] = await waitFor('the server', once(child.stdout, 'data'))
  return {
    port: Number(String(text)),
    address: `http://127.0.0.1:${Number(String(text))}/live`,
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
