import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import zod from 'zod/package.json' with { type: 'json' }

const preload = join(import.meta.dirname, 'preload-zod.cjs')

/**
 * Lets this process and those that it starts load Zod from one file, made once in this folder. To find, read and link its hundred files takes each start of
 * a short program as long as all else that it does. What looks at how a program starts sets `NODE_OPTIONS` to nothing.
 */
export async function loadZodFromOneFile(folder: string): Promise<void> {
  // Files of tests that share this process have it from the first one.
  if (process.env['VALKEYRIE_ZOD'] !== undefined) return
  const file = join(folder, `zod-${zod.version}.mjs`)
  if (!existsSync(file)) await bundleZod(folder, file)
  process.env['VALKEYRIE_ZOD'] = file
  process.env['NODE_OPTIONS'] = `${process.env['NODE_OPTIONS'] ?? ''} --require ${JSON.stringify(preload)}`
  createRequire(import.meta.url)(preload)
}

async function bundleZod(folder: string, file: string): Promise<void> {
  const { build } = await import('rolldown')
  mkdirSync(folder, { recursive: true })
  const made = `${file}.${process.pid}`
  await build({
    input: join(import.meta.dirname, '../node_modules/zod/index.js'),
    output: { file: made },
    platform: 'node',
    logLevel: 'silent',
  })
  // Another process may make it at the same time.
  renameSync(made, file)
}
