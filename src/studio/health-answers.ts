import { diagnose } from '../api/diagnosis.ts'
import { projectStatus } from '../migration/check.ts'
import { hasConfig, loadProject } from '../migration/project.ts'
import type { OpenFile } from './open-file.ts'

/** The findings of the doctor. */
export async function doctorAnswer(file: OpenFile, _: unknown, signal: AbortSignal): Promise<object> {
  return diagnose(file.path, { signal })
}

/**
 * How the file compares with the migrations and schemas of the project in the studio's folder; `{ project: false }` without a
 * project. Loads the modules that drizzle.config.ts names, as all commands for migrations do.
 */
export async function migrationsAnswer(file: OpenFile): Promise<object> {
  const folder = process.cwd()
  if (!hasConfig(folder)) return { project: false, folder }
  const status = await projectStatus(await loadProject(folder), file.path)
  return { project: true, folder, ...status }
}
