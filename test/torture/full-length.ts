import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { fullLength as variable } from '../extent.ts'
import type { Attack } from './attack.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const extent = join(root, 'test/extent.ts')
const run = promisify(execFile)

const looked = new Map<string, boolean>()

/** Whether a file asks how much work to do, itself or through what it imports of the tests. */
function asksForExtent(file: string): boolean {
  const known = looked.get(file)
  if (known !== undefined) return known
  looked.set(file, file === extent)
  if (!file.startsWith(join(root, 'test')) || !existsSync(file)) return false
  const imports = [...readFileSync(file, 'utf8').matchAll(/ from '(\.[^']+\.ts)'/g)]
  const asks = file === extent || imports.some(([, name]) => asksForExtent(join(dirname(file), name!)))
  looked.set(file, asks)
  return asks
}

/** Every test that `npm test` runs a part of. */
export const fullLength: Attack = {
  name: 'tests at full length',
  promise: 'What tests show on a part of the rows and rounds holds on all of them.',
  async run({ another }) {
    const files = globSync('test/**/*.test.ts', { cwd: root, exclude: ['test/torture/**'] }).filter((file) =>
      asksForExtent(join(root, file)),
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
