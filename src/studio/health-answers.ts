import { diagnose } from '../api/diagnosis.ts'
import { projectStatus } from '../migration/check.ts'
import { hasConfig, loadProject } from '../migration/project.ts'
import type { OpenFile } from './open-file.ts'

/** What the doctor finds in the file. */
export async function doctorAnswer(file: OpenFile, _: unknown, signal: AbortSignal): Promise<object> {
  return diagnose(file.path, { signal })
}

/**
 * How the file stands to the migrations and the schemas of the project in the folder of the studio: `{ project: false }` if there is none. It
 * loads the modules that drizzle.config.ts names, as every command of migrations does.
 */
export async function migrationsAnswer(file: OpenFile): Promise<object> {
  const folder = process.cwd()
  if (!hasConfig(folder)) return { project: false, folder }
  const status = await projectStatus(await loadProject(folder), file.path)
  return { project: true, folder, ...status }
}
