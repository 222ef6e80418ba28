import { diagnose } from '../api/diagnosis.ts'
import { projectStatus } from '../migration/check.ts'
import { hasConfig, loadProject } from '../migration/project.ts'
import type { OpenedDatabase } from './opened-database.ts'

/** The findings of the doctor. */
export async function doctorAnswer(opened: OpenedDatabase, _: unknown, signal: AbortSignal): Promise<object> {
  return diagnose(opened.located.address, { signal })
}

/**
 * How the database compares with the migrations and schemas of the project in the studio's folder; `{ project: false }` without a
 * project. Loads the modules that drizzle.config.ts names, as all commands for migrations do.
 */
export async function migrationsAnswer(opened: OpenedDatabase): Promise<object> {
  const folder = process.cwd()
  if (!hasConfig(folder)) return { project: false, folder }
  const status = await projectStatus(await loadProject(folder), opened.located.address)
  return { project: true, folder, ...status }
}
