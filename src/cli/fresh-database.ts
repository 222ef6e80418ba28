import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { inspectDatabase, openDatabase } from '../api/open.ts'
import { KvError, MigrationError } from '../contract/errors.ts'
import { locate } from '../engines/engines.ts'
import { projectStatus } from '../migration/check.ts'
import { failureText, loadModule } from '../migration/load-module.ts'
import { type MigrateResult, migrate, type Report } from '../migration/migrate.ts'
import { migratorOf } from '../migration/migrator-of.ts'
import type { Project } from '../migration/project.ts'
import { Registry } from '../schema/registry.ts'

/** What deleting a database would lose, as a sentence; `null` if it does not exist. */
export async function whatIsDeleted(path: string): Promise<string | null> {
  const { migrator, address, shown } = await migratorOf(path)
  if (!(await migrator.exists(address))) return null
  await using db = await inspectDatabase(path, { readOnly: true })
  const { repositories, file } = await db.stats()
  const rows = repositories
    .filter((it) => it.rows > 0)
    .map((it) => `${it.rows.toLocaleString('en')} of ${it.repository ?? 'no repository'}`)
  const bytes = (file?.bytes ?? 0).toLocaleString('en')
  return `This deletes ${shown}: ${bytes} bytes, with ${rows.length === 0 ? 'no rows' : `rows: ${rows.join(', ')}`}`
}

/**
 * Replaces a database with a new one, made by the migrations. Others may keep the old one open for at most `busyTimeout`. The new
 * one is made separately, so whenever this stops, there is either the old one or the new one.
 */
export async function resetDatabase(
  project: Project,
  path: string,
  busyTimeout: number,
  report: Report,
  signal: AbortSignal | undefined,
): Promise<MigrateResult> {
  const make = (made: string) => migrate(project, { path: made, backup: false, report, signal })
  const { migrator, address } = await migratorOf(path)
  return (await migrator.exists(address)) ? migrator.replace(address, busyTimeout, make) : make(address)
}

/**
 * Runs the module that fills a database: its default export is a function that gets the database, opened with the project's
 * schemas.
 */
export async function seedDatabase(
  project: Project,
  path: string,
  given: string | undefined,
): Promise<{ readonly path: string; readonly file: string }> {
  const file = seedFile(project, given)
  const { default: seed } = await loadModule(file)
  if (typeof seed !== 'function')
    throw new MigrationError(`${file} has no default export: export default async function seed(db) { … }`)
  const { pending } = await projectStatus(project, path)
  const shown = shownDatabase(path)
  if (pending.length > 0)
    throw new MigrationError(`${shown} has not had ${pending.join(', ')}: run "valkeyrie migrate" first`)
  await using db = await openDatabase(new Registry(project.definitions), path, {
    migrations: project.migrations,
  })
  try {
    await seed(db)
  } catch (error) {
    if (error instanceof KvError) throw error
    throw new MigrationError(`${file} has failed: ${failureText(error)}`, { cause: error })
  }
  return { path: shown, file }
}

function seedFile({ root, seed, schemas }: Project, given: string | undefined): string {
  const names = ['seed.ts', 'seed.mts']
  // The first name is the one to write in this project.
  if (existsSync(join(schemas, 'index.mts'))) names.reverse()
  const beside = names.map((name) => join(schemas, name))
  const files = given !== undefined ? [resolve(given)] : seed !== undefined ? [resolve(root, seed)] : beside
  const file = files.find((it) => existsSync(it))
  if (file !== undefined) return file
  throw new MigrationError(
    `There is no ${files[0]} to fill the database with: write it, or name another file with --file`,
  )
}

/** A database for printing: without a password. */
export function shownDatabase(path: string): string {
  const { engine, address } = locate(path)
  return engine.shown(address)
}
