import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MigrationError } from '../contract/errors.ts'

/** Loads drizzle-kit as a project has it: what of it a dialect needs. */
export async function loadDrizzleKit<Kit extends object>(root: string): Promise<Kit> {
  let file: string
  try {
    file = createRequire(join(root, 'package.json')).resolve('drizzle-kit/api')
  } catch (error) {
    throw new MigrationError('"valkeyrie generate" needs drizzle-kit: npm install --save-dev drizzle-kit', {
      cause: error,
    })
  }
  const kit = (await import(pathToFileURL(file).href)) as Kit & { readonly default?: Kit }
  return 'generateMigration' in kit ? kit : kit.default!
}

/** drizzle-kit asks what a column or a table was before. */
export async function withoutPrompts<T>(generate: () => Promise<T>): Promise<T> {
  try {
    return await generate()
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('Interactive prompts require a TTY')))
      throw error
    throw new MigrationError(
      'drizzle-kit has to ask whether a table of yours, or a column of one, was renamed: run this on a terminal',
      { cause: error },
    )
  }
}
