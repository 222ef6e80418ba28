import { UniqueConstraintError, Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { check } from '../../src/migration/check.ts'
import { loadProject } from '../../src/migration/project.ts'
import { describeEngines } from '../engines.ts'
import {
  generateQuietly,
  importTables,
  migrateQuietly,
  projectFolder,
  settingsFor,
  write,
} from './project.ts'

describeEngines('indexes whose names are alike', (engine) => {
  const projectWith = (indexes: string) => {
    const folder = projectFolder()
    write(folder, 'drizzle.config.ts', settingsFor(engine.name))
    write(
      folder,
      'schemas.ts',
      `import { defineSchema } from 'valkeyrie/schema'
${importTables[engine.name]}
import { z } from 'zod'
const schema = z.object({ org: z.string(), user: z.string(), org_user: z.string(), org_User: z.string() })
export const m = defineSchema(['m', '*'], schema, { indexes: ${indexes} })
export const { kv, kvLog, kvCollections } = kvTables([m])`,
    )
    return loadProject(folder)
  }

  it('are refused by a project if they would be the same', async () => {
    await expect(
      projectWith("[{ on: ['org', 'user'], unique: true }, { on: 'org_user', unique: true }]"),
    ).rejects.toThrow(/would both be named kv_m_org_user_unique: .*in another order$/)
  })

  it('are built both if their fields come in another order', async () => {
    const address = engine.newAddress()
    const project = await projectWith(
      "[{ on: ['user', 'org'], unique: true }, { on: 'org_user', unique: true }]",
    )
    await generateQuietly(project)
    await migrateQuietly(project, address)
    expect((await check(project, address)).drift).toEqual([])
    const row = { org: 'o', user: 'u', org_user: 'x', org_User: 'x' }
    await expectUnique(address, row, { ...row, user: 'v' }, { ...row, org_user: 'y' })
  })

  it('are told apart by their case where the engine does', async () => {
    const project = projectWith("[{ on: 'org_user', unique: true }, { on: 'org_User', unique: true }]")
    if (engine.name === 'sqlite') {
      await expect(project).rejects.toThrow(/differ only in case and are one name to this engine: give/)
      return
    }
    const address = engine.newAddress()
    await generateQuietly(await project)
    await migrateQuietly(await project, address)
    const row = { org: 'o', user: 'u', org_user: 'x', org_User: 'x' }
    await expectUnique(address, row, { ...row, org_user: 'y' }, { ...row, org_User: 'y' })
  })
})

/** Expects the rows after the first to clash with it. */
async function expectUnique(address: string, ...[first, ...others]: object[]): Promise<void> {
  await using db = await Valkeyrie.inspect(address)
  await db.set(['m', 0], first)
  for (const other of others) await expect(db.set(['m', 1], other)).rejects.toThrow(UniqueConstraintError)
}
