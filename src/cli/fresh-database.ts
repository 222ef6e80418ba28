import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { MigrationError } from '../errors.ts'
import { projectStatus } from '../migration/check.ts'
import { loadModule } from '../migration/load-module.ts'
import { type MigrateResult, migrate, type Report } from '../migration/migrate.ts'
import type { Project } from '../migration/project.ts'
import { sourceOf } from '../migration/source.ts'
import { loadSteps } from '../migration/step.ts'
import { inspectDatabase, openDatabase } from '../open.ts'
import { Registry } from '../schema/registry.ts'

/** What would go with a database, as a sentence; `null` where there is none. */
export async function whatIsDeleted(path: string): Promise<string | null> {
  if (!existsSync(path)) return null
  await using db = await inspectDatabase(path, { readOnly: true })
  const { repositories, file } = await db.stats()
  const rows = repositories
    .filter((it) => it.rows > 0)
    .map((it) => `${it.rows.toLocaleString('en')} of ${it.repository ?? 'no repository'}`)
  const bytes = (file?.bytes ?? 0).toLocaleString('en')
  return `This deletes ${path}: ${bytes} bytes, with ${rows.length === 0 ? 'no rows' : `rows: ${rows.join(', ')}`}`
}

/** Deletes a database, which others may have open no longer than `busyTimeout`, and makes a new one by the migrations. */
export async function resetDatabase(
  project: Project,
  path: string,
  busyTimeout: number,
  report: Report,
): Promise<MigrateResult> {
  if (existsSync(path)) {
    await assertMakesDatabase(project)
    const db = await inspectDatabase(path, { busyTimeout })
    await db.destroy()
  }
  return migrate(project, { path, backup: false, report })
}

/** Throws where the migrations cannot make a new database: one that is deleted by then is gone. */
async function assertMakesDatabase({ dialect, migrations, definitions }: Project): Promise<void> {
  const source = sourceOf(migrations)
  for (const migration of source.migrations) await loadSteps(source, migration, definitions)
  await dialect.tryOut(source.migrations)
}

/** Runs the module that fills a database: it exports a function by default, which is given the database, opened by the project's schemas. */
export async function seedDatabase(
  project: Project,
  path: string,
  given: string | undefined,
): Promise<{ readonly path: string; readonly file: string }> {
  const file = seedFile(project, given)
  const { default: seed } = await loadModule(file)
  if (typeof seed !== 'function')
    throw new MigrationError(
      `${file} exports no function by default: export default async function seed(db) { … }`,
    )
  const { pending } = await projectStatus(project, path)
  if (pending.length > 0)
    throw new MigrationError(`${path} has not had ${pending.join(', ')}: run "valkeyrie migrate" first`)
  await using db = await openDatabase(new Registry(project.definitions), path, {
    migrations: project.migrations,
  })
  await seed(db)
  return { path, file }
}

function seedFile({ root, seed, schemas }: Project, given: string | undefined): string {
  const names = ['seed.ts', 'seed.mts']
  // The first is the one that can be written here.
  if (existsSync(join(schemas, 'index.mts'))) names.reverse()
  const beside = names.map((name) => join(schemas, name))
  const files = given !== undefined ? [resolve(given)] : seed !== undefined ? [resolve(root, seed)] : beside
  const file = files.find((it) => existsSync(it))
  if (file !== undefined) return file
  throw new MigrationError(
    `There is no ${files[0]} to fill the database with: write it, or name one with --file`,
  )
}
