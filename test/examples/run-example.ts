import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { fullLength } from '../extent.ts'
import { serverOfRun } from '../postgres/server-of-run.ts'
import { waitFor } from '../waiting.ts'

const server = await serverOfRun()

/** The engines that the programs of examples/ run on here. */
export const exampleEngines = 'url' in server ? (['sqlite', 'postgres'] as const) : (['sqlite'] as const)

/** As `exampleEngines`, of a program that measures or loads for long: on PostgreSQL in `npm run torture` alone. */
export const longEngines = process.env[fullLength] === '1' ? exampleEngines : (['sqlite'] as const)

/** The environment of a program whose databases are kept by this engine. */
function environmentOf(engine: (typeof exampleEngines)[number]): NodeJS.ProcessEnv {
  return { ...process.env, DATABASE: engine === 'postgres' && 'url' in server ? server.url : '' }
}

/**
 * Runs `examples/<name>.ts` as a user would, over the built package, on an engine. Gives what it has printed; it has to leave no file
 * behind.
 */
export async function runExample(name: string, engine: (typeof exampleEngines)[number]): Promise<string> {
  const program = fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url))
  const folder = mkdtempSync(join(tmpdir(), 'valkeyrie-example-'))
  try {
    const env = { ...environmentOf(engine), TMPDIR: folder }
    const running = promisify(execFile)(process.execPath, [program], { env })
    const { stdout, stderr } = await waitFor(`the end of the example ${name}`, running)
    const left = readdirSync(folder)
    if (stderr !== '' || left.length > 0) throw new Error(`${name} leaves ${left} and complains: ${stderr}`)
    return stdout
  } finally {
    rmSync(folder, { recursive: true })
  }
}
