import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MigrationError } from '../contract/errors.ts'
import { type Migration, type MigrationStep, migrationOf, type ValueSnapshot } from '../driver/migration.ts'
import { readMigrations } from '../driver/migrations-folder.ts'
import { loadModule } from './load-module.ts'
import { isUnfilled } from './step-template.ts'

/** A migration as part of a program, as `valkeyrie generate` writes it into `index.ts` in the folder of migrations. */
export interface MigrationModule {
  /** Its name: `0001_rename`. */
  readonly tag: string
  /** When it was generated, in milliseconds since the epoch. */
  readonly when: number
  /** The SQL of its file. */
  readonly sql: string
  /** The `dialect` of drizzle.config.ts that the SQL is written in. Default: `'sqlite'`. */
  readonly dialect?: string
  /** The content of its `.values.json` file. */
  readonly values: ValueSnapshot
  /** The modules of its TypeScript steps, by the names of their files. */
  readonly steps: { readonly [file: string]: { up(value: never): unknown } }
}

/** The migrations of a project, and the programs of their steps. */
export interface MigrationSource {
  readonly migrations: readonly Migration[]
  load(migration: Migration, step: MigrationStep): Promise<StepProgram>
}

/** The program of a step. */
export interface StepProgram {
  /** Where to find it, for the user. */
  readonly place: string
  /** If it is the same as in a killed run, that run's results are used. */
  readonly identity: string
  readonly isFilledIn: boolean
  readonly up: unknown
}

/** The migrations of a folder, or those in the program. Throws a MigrationError if they are invalid, or if there are none. */
export function sourceOf(migrations: string | readonly MigrationModule[]): MigrationSource {
  const isFolder = typeof migrations === 'string'
  const source = isFolder ? folderSource(migrations) : moduleSource(migrations)
  if (source.migrations.length > 0) return source
  const place = isFolder ? migrations : 'modules'
  throw new MigrationError(`There are no migrations in ${place}: run "valkeyrie generate" first`)
}

function folderSource(folder: string): MigrationSource {
  return {
    migrations: readMigrations(folder),
    async load({ tag }, { file }) {
      const place = join(folder, file)
      if (!existsSync(place))
        throw new MigrationError(`${tag} needs ${place}: restore it from version control`)
      const text = readFileSync(place, 'utf8')
      const isFilledIn = !isUnfilled(file, text)
      const { up } = isFilledIn ? await loadModule(place) : {}
      return { place, identity: text, isFilledIn, up }
    },
  }
}

function moduleSource(modules: readonly MigrationModule[]): MigrationSource {
  // Nobody knows whether the code of a step, and what it calls, is the same as before, so its results are made again.
  const identity = randomUUID()
  return {
    migrations: modules.map(({ tag, when, sql, values, dialect }) =>
      migrationOf(tag, when, sql, values, dialect),
    ),
    async load({ tag }, { file }) {
      const step: { readonly up?: unknown } | undefined = modules.find((it) => it.tag === tag)?.steps[file]
      if (step === undefined)
        throw new MigrationError(
          `${tag} needs ${file} among its steps: run "valkeyrie generate" and build again`,
        )
      return { place: file, identity, isFilledIn: !isUnfilled(file, String(step.up)), up: step.up }
    },
  }
}
