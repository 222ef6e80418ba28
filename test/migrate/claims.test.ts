import { join } from 'node:path'
import { MigrationError, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { describeEngines } from '../engines.ts'
import { generateQuietly, migrateQuietly, projectFolder, projectFor } from './project.ts'

describeEngines('claims', (engine) => {
  const projectOf = projectFor.bind(null, engine.name)

  test('a claim of rows that others have migrated fails, where it would find none as well', async () => {
    const users = defineSchema(['users', '*'], z.object({ name: z.string(), city: z.string() }))
    const renamed = defineSchema(['users', '*'], z.object({ fullName: z.string(), city: z.string() }))
    const folder = projectFolder()
    const path = engine.newAddress()
    await generateQuietly(projectOf(folder, users))
    await using db = await Valkeyrie.withSchemas([users]).open(path, {
      migrations: join(folder, 'migrations'),
    })
    const people = db.repositories.users
    for (let id = 0; id < 8; id++) await people.set(id, { name: 'Ann', city: 'Bonn' })
    const claim = () => people.claimMany({ where: { name: 'Ann' }, limit: 1, set: { name: 'Eve' } })
    for (let i = 0; i < 4; i++) expect((await claim()).count).toBe(1)
    await generateQuietly(projectOf(folder, renamed), 'users.name=fullName')
    await migrateQuietly(projectOf(folder, renamed), path)
    await expect(claim()).rejects.toThrow(MigrationError)
    await expect(claim()).rejects.toThrow(MigrationError)
  })
})
