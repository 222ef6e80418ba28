import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const scripts = {
  'db:generate': 'valkeyrie generate',
  'db:migrate': 'valkeyrie migrate',
  'db:check': 'valkeyrie check',
}

const files = {
  'drizzle.config.ts': `import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'sqlite',
  schema: './schemas/index.ts',
  out: './schemas/migrations',
  dbCredentials: { url: './data.db' },
})
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
  const written: string[] = []
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name)
    if (existsSync(path)) continue
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    written.push(name)
  }
  const path = join(root, 'package.json')
  const manifest = existsSync(path)
    ? JSON.parse(readFileSync(path, 'utf8'))
    : { private: true, type: 'module' }
  const lacking = Object.entries(scripts).filter(([name]) => manifest.scripts?.[name] === undefined)
  if (lacking.length > 0) {
    manifest.scripts = { ...manifest.scripts, ...Object.fromEntries(lacking) }
    writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`)
    written.push('package.json')
  }
  return written
}
