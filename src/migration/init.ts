import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { MigrationError } from '../contract/errors.ts'
import { hasConfig } from './project.ts'

const scripts = {
  'db:generate': 'valkeyrie generate',
  'db:migrate': 'valkeyrie migrate',
  'db:check': 'valkeyrie check',
}

/** The files of a project whose modules end in `extension`. */
function filesOf(extension: 'ts' | 'mts'): Record<string, string> {
  return {
    // The type alone is imported: where migrations are only applied, drizzle-kit need not be installed.
    [`drizzle.config.${extension}`]: `import type { Config } from 'drizzle-kit'

export default {
  dialect: 'sqlite',
  schema: './schemas/index.${extension}',
  out: './schemas/migrations',
  dbCredentials: { url: './data.db' },
} satisfies Config
`,
    [`schemas/index.${extension}`]: `import { defineSchema, kvTables } from 'valkeyrie/schema'
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
}

/** The packages that the files import, and whether only development needs them. */
const packages = [
  ['valkeyrie', false],
  ['zod', false],
  ['drizzle-kit', true],
] as const

export interface Initialized {
  /** The files that were written. */
  readonly written: readonly string[]
  /** The commands that install what they need. */
  readonly install: readonly string[]
  /** The schema module. */
  readonly schemas: string
}

/** Writes what a project lacks for migrations. Existing files stay as they are. */
export function init(root: string): Initialized {
  const manifest = readManifest(join(root, 'package.json'))
  const written: string[] = []
  // In a package that is not declared as ES modules, Node.js takes .ts for CommonJS.
  const extension = manifest.content.type === 'module' ? 'ts' : 'mts'
  const isThere = (name: string) =>
    name.startsWith('drizzle.config')
      ? hasConfig(root)
      : ['ts', 'mts'].some((it) => existsSync(join(root, `schemas/index.${it}`)))
  for (const [name, text] of Object.entries(filesOf(extension))) {
    if (isThere(name)) continue
    const path = join(root, name)
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
  return { written, install: installing(manifest.content), schemas: `schemas/index.${extension}` }
}

function installing({ dependencies, devDependencies }: Manifest['content']): string[] {
  const present = { ...dependencies, ...devDependencies }
  return [false, true].flatMap((dev) => {
    const names = packages.filter(([name, isDev]) => isDev === dev && present[name] === undefined)
    const flag = dev ? '--save-dev ' : ''
    return names.length === 0 ? [] : [`npm install ${flag}${names.map(([name]) => name).join(' ')}`]
  })
}

interface Manifest {
  readonly path: string
  readonly content: {
    readonly type?: string
    readonly scripts?: Record<string, string>
    readonly dependencies?: Record<string, string>
    readonly devDependencies?: Record<string, string>
  }
  readonly indent: string
}

function readManifest(path: string): Manifest {
  if (!existsSync(path))
    return { path, content: { private: true, type: 'module' } as Manifest['content'], indent: '  ' }
  const text = readFileSync(path, 'utf8')
  try {
    return { path, content: JSON.parse(text), indent: /^([ \t]+)"/m.exec(text)?.[1] ?? '  ' }
  } catch (error) {
    throw new MigrationError(`${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
