import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { waitFor } from '../waiting.ts'

/** Runs `examples/<name>.ts` as a user would, over the built package. Gives what it has printed; it has to leave no file behind. */
export async function runExample(name: string): Promise<string> {
  const program = fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url))
  const folder = mkdtempSync(join(tmpdir(), 'valkeyrie-example-'))
  try {
    const env = { ...process.env, TMPDIR: folder }
    const running = promisify(execFile)(process.execPath, [program], { env })
    const { stdout, stderr } = await waitFor(`the end of the example ${name}`, running)
    const left = readdirSync(folder)
    if (stderr !== '' || left.length > 0) throw new Error(`${name} leaves ${left} and complains: ${stderr}`)
    return stdout
  } finally {
    rmSync(folder, { recursive: true })
  }
}
