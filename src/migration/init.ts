import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { MigrationError } from '../errors.ts'
import { hasConfig } from './project.ts'

const scripts = {
  'db:generate': 'valkeyrie generate',
  'db:migrate': 'valkeyrie migrate',
  'db:check': 'valkeyrie check',
}

const files = {
  // The type alone is imported: where migrations are only applied, drizzle-kit need not be installed.
  'drizzle.config.ts': `import type { Config } from 'drizzle-kit'

export default {
  dialect: 'sqlite',
  schema: './schemas/index.ts',
  out: './schemas/migrations',
  dbCredentials: { url: './data.db' },
} satisfies Config
`,
  'schemas/index.ts': `import { defineSchema, kvTables } from 'valkeyrie/schema'
import { z } from 'zod'

export const users = defineSchema(
  ['users', '*'],
  z.object({ name: z.string(), email: z.email() }),
  { indexes: [{ on: 'email', unique: true }] },
)

/** The tables of the database, for drizzle-kit: give it every definition. */
export const { kv, kvLog, kvCollections } = kvTables([users])
`,
}

/** Writes what a project lacks to have migrations, and gives what it wrote. What is there stays as it is. */
export function init(root: string): string[] {
  const manifest = readManifest(join(root, 'package.json'))
  const written: string[] = []
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name)
    if (existsSync(path) || (name === 'drizzle.config.ts' && hasConfig(root))) continue
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    written.push(name)
  }
  const lacking = Object.entries(scripts).filter(([name]) => manifest.content.scripts?.[name] === undefined)
  if (lacking.length > 0) {
    const content = {
      ...manifest.content,
      scripts: { ...manifest.content.scripts, ...Object.fromEntries(lacking) },
    }
    writeFileSync(manifest.path, `${JSON.stringify(content, null, manifest.indent)}\n`)
    written.push('package.json')
  }
  return written
}

interface Manifest {
  readonly path: string
  readonly content: { readonly scripts?: Record<string, string> }
  readonly indent: string
}

function readManifest(path: string): Manifest {
  if (!existsSync(path)) return { path, content: { private: true, type: 'module' } as object, indent: '  ' }
  const text = readFileSync(path, 'utf8')
  try {
    return { path, content: JSON.parse(text), indent: /^([ \t]+)"/m.exec(text)?.[1] ?? '  ' }
  } catch (error) {
    throw new MigrationError(`${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
