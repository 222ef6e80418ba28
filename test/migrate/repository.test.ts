import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { generate } from '../../src/migration/generate.ts'
import { loadProject } from '../../src/migration/project.ts'
import { projectFolder, root } from './project.ts'

const filesOf = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length), readFileSync(path, 'utf8')]),
  )

it("this repository's own migrations are what generate makes of its schemas", async () => {
  const project = await loadProject(root)
  expect(await generate(project, { renames: [], acceptDataLoss: false })).toBeNull()
  const { entries } = JSON.parse(readFileSync(join(project.migrations, 'meta/_journal.json'), 'utf8'))
  expect(entries).toHaveLength(1)
  const migrations = join(projectFolder(), 'migrations')
  await generate({ ...project, migrations }, { renames: [], acceptDataLoss: false, now: entries[0].when })
  expect(filesOf(migrations)).toEqual(filesOf(project.migrations))
})
