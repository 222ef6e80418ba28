import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { fullLength as variable } from '../extent.ts'
import type { Attack } from './attack.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

/** Every test that `npm test` runs a part of. */
export const fullLength: Attack = {
  name: 'tests at full length',
  promise: 'What tests show on a part of the rows and rounds holds on all of them.',
  async run({ another }) {
    const files = globSync('test/**/*.test.ts', { cwd: root }).filter((file) =>
      /\bextent\(/.test(readFileSync(join(root, file), 'utf8')),
    )
    let passed = 0
    while (another()) {
      const vitest = join(root, 'node_modules/vitest/vitest.mjs')
      const env = { ...process.env, [variable]: '1' }
      await run(process.execPath, [vitest, 'run', ...files], { cwd: root, env, maxBuffer: 64 * 1024 * 1024 })
      passed += files.length
    }
    return { files: passed }
  },
}
