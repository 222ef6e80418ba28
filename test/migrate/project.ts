import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { postgresKvTables } from 'valkeyrie/postgres'
import { kvTables } from 'valkeyrie/schema'
import { afterAll } from 'vitest'
import { dialects } from '../../src/engines/dialects.ts'
import { generate } from '../../src/migration/generate.ts'
import { migrate } from '../../src/migration/migrate.ts'
import type { Project } from '../../src/migration/project.ts'
import type { AnyDefinition } from '../../src/schema/definition.types.ts'
import type { TestEngine } from '../engines.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const cli = join(root, 'dist/cli/main.js')
export const drizzleKit = join(root, 'node_modules/drizzle-kit/bin.cjs')

/** A folder for a project inside the repository, where `valkeyrie` and drizzle-kit resolve. Removed after the tests. */
export function projectFolder(): string {
  mkdirSync(join(root, 'data'), { recursive: true })
  const folder = mkdtempSync(join(root, 'data/project-'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/valkeyrie'))
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function write(folder: string, file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), text)
}

/** How a program ended: its exit code, all that it printed, and what of that is no warning. */
export interface Ended {
  readonly code: number
  readonly text: string
  readonly output: string
}

/** Runs a program of Node.js. */
export function run(cwd: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd, env: { ...process.env, NO_COLOR: '1' } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : Number(error.code ?? 1)
        resolve({ code, text: stdout + stderr, output: stdout })
      },
    )
  })
}

const dialectOf = { sqlite: 'sqlite', postgres: 'postgresql' }
const tablesOf = { sqlite: kvTables, postgres: postgresKvTables }

/** What a schema module imports to declare tables by `kvTables`. */
export const importTables = {
  sqlite: "import { kvTables } from 'valkeyrie/schema'",
  postgres: "import { postgresKvTables as kvTables } from 'valkeyrie/postgres'",
}

/** The settings of a project whose schema module is schemas.ts. */
export function settingsFor(engine: TestEngine['name']): string {
  return `export default { dialect: '${dialectOf[engine]}', schema: './schemas.ts', out: './migrations' }`
}

/** A project whose definitions are given in place, without a file. */
export function projectOf(root: string, ...definitions: readonly AnyDefinition[]): Project {
  return projectFor('sqlite', root, ...definitions)
}

/** As `projectOf`, for databases of an engine. */
export function projectFor(
  engine: TestEngine['name'],
  root: string,
  ...definitions: readonly AnyDefinition[]
): Project {
  return {
    dialect: dialects.get(dialectOf[engine])!,
    root,
    schemas: join(root, 'schemas'),
    migrations: join(root, 'migrations'),
    database: undefined,
    exports: { ...tablesOf[engine](definitions) },
    definitions,
  }
}

export const generateQuietly = (project: Project, ...renames: string[]) =>
  generate(project, { renames, acceptDataLoss: true })

/** Gives the tags of what was applied. */
export const migrateQuietly = async (
  project: Project,
  path: string,
  options: { skipInvalid?: string; baseline?: true; line?: (text: string) => void } = {},
) => {
  const { line = () => {}, ...rest } = options
  const { applied } = await migrate(project, {
    path,
    backup: false,
    report: { line, progress() {} },
    ...rest,
  })
  return [...applied]
}
