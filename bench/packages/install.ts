import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/**
 * Installs the packages of a folder with the Node.js that runs this, unless that was done. One that cannot be
 * installed is left out; where none can, the reason is returned, and its caller goes on with what is there.
 */
export function installPackages(folder: string): string | null {
  const wanted = readFileSync(join(folder, 'package-lock.json'), 'utf8')
  /** What was installed last. */
  const mark = join(folder, 'node_modules/.installed-lock.json')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return null
  console.error(`Installing the packages of ${folder} (once; some of them may be compiled) …`)
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

/** Imports a package of bench/packages. Where it is missing, it throws. */
export const loadPackage = <Module>(name: string): Promise<Module> => import(name)
