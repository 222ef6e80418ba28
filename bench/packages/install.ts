import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
const lockfile = `${folder}package-lock.json`
/** What was installed last. */
const mark = `${folder}node_modules/.installed-lock.json`

/**
 * Installs the packages of this folder with the Node.js that runs this, unless that was done. One that cannot be
 * installed is left out; where none can, the reason is returned, and the bench goes on with what is there.
 */
export function installPackages(): string | null {
  const wanted = readFileSync(lockfile, 'utf8')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return null
  console.error('Installing what the bench compares with (once; some of it may be compiled) …')
  rmSync(mark, { force: true })
  const { npm_execpath: npm, PATH } = process.env
  const [command, ...before] = npm === undefined ? ['npm'] : [process.execPath, npm]
  const { status, error, stderr } = spawnSync(command!, [...before, 'ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${PATH}` },
  })
  if (status === 0) {
    writeFileSync(mark, wanted)
    return null
  }
  return error?.message ?? (stderr.trim() || `npm ended with ${status}`)
}
