import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { check } from '../../src/migration/check.ts'
import { planMigration } from '../../src/migration/generate.ts'
import { describeEngines } from '../engines.ts'
import { generateQuietly, migrateQuietly, projectFolder, projectFor, write } from './project.ts'

const coins = defineSchema(['coins', '*'], z.object({ value: z.bigint(), city: z.string() }), {
  indexes: [{ on: 'value' }, { on: ['city', 'value'] }, { on: 'value', unique: true }],
})
const values = [9n, 10n, -9n, 2n ** 70n]

describeEngines('an index on a bigint', (engine) => {
  it('is made by a migration as the schema declares it', async () => {
    const [folder, address] = [projectFolder(), engine.newAddress()]
    const project = projectFor(engine.name, folder, coins)
    await generateQuietly(project)
    expect(await migrateQuietly(project, address)).toEqual(['0000_initial'])
    expect(await check(project, address)).toEqual({ pending: [], drift: [], refused: [] })
    expect(await generateQuietly(project)).toBeNull()
    await expectOrder(address, project.migrations)
  })

  it('is built again by the next migration, if an earlier release has generated the first', async () => {
    const [folder, address] = [projectFolder(), engine.newAddress()]
    const project = projectFor(engine.name, folder, coins)
    await generateQuietly(project)
    asEarlier(project.migrations)
    await migrateQuietly(project, address)
    const drift = (await check(project, address)).drift.filter(({ kind }) => kind === 'index')
    const plan = await planMigration(project, { renames: [] })
    const next = await generateQuietly(project)
    if (engine.name === 'postgres') {
      expect(drift).toEqual([])
      expect(next?.tag ?? null).toBeNull()
    } else {
      expect((await planMigration(project, { renames: [] }))?.tag ?? null).toBeNull()
      expect(drift.map(({ name }) => name)).toEqual(['kv_coins_value', 'kv_coins_city_value'])
      expect(plan!.changes).toEqual([
        'the index kv_coins_value is built again, as it is declared',
        'the index kv_coins_city_value is built again, as it is declared',
      ])
      const sql = readFileSync(join(project.migrations, `${next!.tag}.sql`), 'utf8')
      expect(sql.match(/^(DROP|CREATE).*?INDEX.*?"[a-z_]+"/gm)).toEqual([
        'DROP INDEX IF EXISTS "kv_coins_value"',
        'DROP INDEX IF EXISTS "kv_coins_city_value"',
        'CREATE INDEX "kv_coins_value"',
        'CREATE INDEX "kv_coins_city_value"',
      ])
      expect(await migrateQuietly(project, address)).toEqual([next!.tag])
    }
    expect(await check(project, address)).toEqual({ pending: [], drift: [], refused: [] })
    await expectOrder(address, project.migrations)
  })
})

async function expectOrder(address: string, migrations: string): Promise<void> {
  const db = await Valkeyrie.withSchemas([coins]).open(address, { migrations })
  const { coins: rows } = db.repositories
  await rows.insertMany(values.map((value, id) => [id, { value, city: 'Rome' }] as const))
  const found = await rows.findMany({ where: { value: { gt: -9n } }, orderBy: { value: 'asc' } })
  expect(found.map(({ value }) => value.value)).toEqual([9n, 10n, 2n ** 70n])
  await db.close()
}

/** Makes the first migration what an earlier release has generated of the same schemas. */
function asEarlier(migrations: string): void {
  const change = (file: string, edit: (text: string) => string) =>
    write(migrations, file, edit(readFileSync(join(migrations, file), 'utf8')))
  change('0000_initial.values.json', (text) =>
    JSON.stringify(JSON.parse(text, (name, value) => (name === 'bigints' ? undefined : value))),
  )
  change('0000_initial.sql', (text) => text.replaceAll(/CAST\(value ->> '\$\.\w+' AS INTEGER\), /g, ''))
}
