import { execFile } from 'node:child_process'
import { globSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { fullLength, inTurn } from '../extent.ts'
import { serverOfRun } from '../postgres/server-of-run.ts'
import { waitFor } from '../waiting.ts'

const server = await serverOfRun()

const folderOfAll = fileURLToPath(new URL('../../examples/', import.meta.url))
const names = globSync('*.ts', { cwd: folderOfAll }).sort()

/** The engines that the programs of examples/ can run on here. */
const engines = 'url' in server ? (['sqlite', 'postgres'] as const) : (['sqlite'] as const)

type Engine = (typeof engines)[number]

/** The engines that a program of examples/ runs on: they take turns, and while half of the programs runs on one, the others run on another. */
export function enginesOf(name: string): readonly Engine[] {
  return inTurn(`engines of ${name}`, engines, engines.length, names.indexOf(`${name}.ts`))
}

/** Those of a program that measures or loads for long: on PostgreSQL in `npm run torture` alone. */
export const longEngines: readonly Engine[] = process.env[fullLength] === '1' ? engines : ['sqlite']

/** The environment of a program that keeps its databases on this engine. */
function environmentOf(engine: Engine): NodeJS.ProcessEnv {
  return { ...process.env, DATABASE: engine === 'postgres' && 'url' in server ? server.url : '' }
}

/**
 * Runs `examples/<name>.ts` as a user would, over the built package, on an engine. Gives what it has printed; it has to leave no file
 * behind. `args`: to do less than it does without.
 */
export async function runExample(name: string, engine: Engine, ...args: readonly number[]): Promise<string> {
  const program = join(folderOfAll, `${name}.ts`)
  const folder = mkdtempSync(join(tmpdir(), 'valkeyrie-example-'))
  try {
    const env = { ...environmentOf(engine), TMPDIR: folder }
    const running = promisify(execFile)(process.execPath, [program, ...args.map(String)], { env })
    const { stdout, stderr } = await waitFor(`the end of the example ${name}`, running)
    const left = readdirSync(folder)
    if (stderr !== '' || left.length > 0) throw new Error(`${name} leaves ${left} and complains: ${stderr}`)
    return stdout
  } finally {
    rmSync(folder, { recursive: true })
  }
}
