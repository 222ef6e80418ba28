import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { fullLength } from '../extent.ts'
import type { Attack } from './attack.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

/** The files of which `npm test` runs one in turn on PostgreSQL, and the long ones. */
export const onPostgres: Attack = {
  name: 'tests on PostgreSQL',
  promise: 'Queues, adapters, live queries and the face of Deno KV do the same there.',
  async run({ random, another }) {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    let runs = 0
    while (another()) {
      const env = {
        ...process.env,
        [fullLength]: '1',
        VALKEYRIE_SEED: String(Math.floor(random() * 2 ** 31)),
      }
      await run(process.execPath, [vitest, 'run', '--project', 'on postgres'], {
        cwd: root,
        env,
        maxBuffer: 64 * 1024 * 1024,
      })
      runs += 1
    }
    return { runs }
  },
}
