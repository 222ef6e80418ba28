import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { firstDialect, type Migration, sqlOf } from '../driver/migration.ts'
import type { Drift } from '../driver/migration-database.ts'
import { readMigrations } from '../driver/migrations-folder.ts'

/** The module that makes the migrations of a folder part of a program. */
interface ModuleIndex {
  /** The name of its file in the folder. */
  readonly file: string
  readonly text: string
}

/** What the index of a folder with these migrations must be. */
function moduleIndex(folder: string, migrations: readonly Migration[]): ModuleIndex {
  const imports = migrations
    .flatMap(({ snapshot }) => snapshot.steps)
    .map(({ file }, at) => `import * as step${at} from './${file}'\n`)
  let step = 0
  const modules = migrations.map((migration) => moduleText(migration, () => `step${step++}`))
  const text = `// Made by "valkeyrie generate" of the files beside it: do not edit.
// It makes them part of a program: migrate('./data.db', { modules: migrations })
import type { MigrationModule } from 'valkeyrie/migrate'
${imports.join('')}
export const migrations: readonly MigrationModule[] = [
${modules.join('')}]
`
  return { file: presentIndex(folder) ?? `index.${moduleExtension(folder)}`, text }
}

/** The index of a folder with these migrations; `null` if it is up to date. */
export function changedIndex(folder: string, migrations: readonly Migration[]): ModuleIndex | null {
  const index = moduleIndex(folder, migrations)
  const path = join(folder, index.file)
  return existsSync(path) && readFileSync(path, 'utf8') === index.text ? null : index
}

/** The drift of an outdated index in the folder, if there is one. */
export function moduleDrift(folder: string): Drift[] {
  if (presentIndex(folder) === undefined) return []
  const index = changedIndex(folder, readMigrations(folder))
  if (index === null) return []
  const message = `${index.file} does not match the folder of migrations: run "valkeyrie generate"`
  return [{ kind: 'modules', name: null, message }]
}

/**
 * The extension of modules written into a folder: in a package that is not declared as ES modules, Node.js takes `.ts` for
 * CommonJS.
 */
export function moduleExtension(folder: string): 'ts' | 'mts' {
  const manifest = join(folder, 'package.json')
  if (existsSync(manifest)) {
    const { type } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly type?: string }
    return type === 'module' ? 'ts' : 'mts'
  }
  const parent = dirname(folder)
  return parent === folder ? 'mts' : moduleExtension(parent)
}

function presentIndex(folder: string): string | undefined {
  return ['index.ts', 'index.mts'].find((name) => existsSync(join(folder, name)))
}

function moduleText(migration: Migration, nextStep: () => string): string {
  const { tag, drizzle, snapshot, dialect } = migration
  const steps = snapshot.steps.map(({ file }) => `${JSON.stringify(file)}: ${nextStep()}`)
  return `  {
    tag: ${JSON.stringify(tag)},
    when: ${drizzle.folderMillis},
    sql: ${JSON.stringify(sqlOf(migration))},
${dialect === firstDialect ? '' : `    dialect: ${JSON.stringify(dialect)},\n`}    values: ${JSON.stringify(snapshot)},
    steps: {${steps.length === 0 ? '' : ` ${steps.join(', ')} `}},
  },
`
}
