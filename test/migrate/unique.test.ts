import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { describeEngines } from '../engines.ts'
import { waitUntil } from '../waiting.ts'
import { type Upgrade, upgradeOn } from './upgrade.ts'

describeEngines('the unique indexes of migrated values', (engine) => {
  const upgrade = upgradeOn(engine)
  const unique = (on: string) => ({ indexes: [{ on, unique: true }] })
  const before = defineSchema(['rows', '*'], z.object({ n: z.int() }), unique('n'))
  const after = defineSchema(['rows', '*'], z.object({ n: z.int().max(100) }), unique('n'))
  const three = [1, 2, 3].map((n) => [['rows', n], { n }] as const)
  const stored = (...numbers: number[]) =>
    Object.fromEntries(numbers.map((n, at) => [`["rows",${at + 1}]`, { n }]))
  const fillIn = ({ project, generated }: Upgrade, up: string) =>
    writeFileSync(join(project.migrations, generated!.steps[0]!), `export const up = ${up}\n`)

  it('have to hold once it is done: a step may shift values', async () => {
    const made = await upgrade([before], three, [after])
    fillIn(made, '({ n }) => ({ n: n + 1 })')
    await made.migrate()
    expect(await made.values()).toEqual(stored(2, 3, 4))
    expect(await made.check()).toMatchObject({ pending: [], drift: [], refused: [] })
    const db = await Valkeyrie.withSchemas([after]).open(made.path)
    await expect(db.repositories.rows.insert(9, { n: 4 })).rejects.toMatchObject({
      code: 'UNIQUE_CONSTRAINT',
    })
    await db.close()
  })

  it('have to hold once a statement is done that names no collection', async () => {
    if (engine.name !== 'sqlite') return
    const made = await upgrade([before], three, [after])
    const file = join(made.project.migrations, `${made.generated!.tag}.sql`)
    const shift = "UPDATE kv SET value = json_set(value, '$.n', (value ->> '$.n') + 1);"
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n--> statement-breakpoint\n${shift}\n`)
    fillIn(made, '(value) => value')
    await made.migrate()
    expect(await made.values()).toEqual(stored(2, 3, 4))
    const { drift } = await made.check()
    expect(drift.filter(({ kind }) => kind === 'index')).toEqual([])
  })

  it('are gone if the migration drops them', async () => {
    const open = defineSchema(['rows', '*'], z.object({ n: z.int().max(100) }))
    const made = await upgrade([before], three, [open])
    fillIn(made, '({ n }) => ({ n: 7 })')
    await made.migrate()
    expect(await made.values()).toEqual(stored(7, 7, 7))
    expect(await made.check()).toMatchObject({ pending: [], drift: [] })
  })

  it('keep a step from being applied that gives two rows the same value, and the rows are named', async () => {
    const made = await upgrade([before], three, [after])
    fillIn(made, '({ n }) => ({ n: Math.min(n, 2) })')
    const clash = { code: 'MIGRATION', message: expect.stringMatching(named('n', 2, 3)) }
    await expect(made.migrate()).rejects.toMatchObject(clash)
    expect(await made.values()).toEqual(stored(1, 2, 3))
  })

  it('name the rows into which a default would be filled, or a value of an enumeration renamed', async () => {
    const role = (...roles: string[]) =>
      defineSchema(['rows', '*'], z.object({ role: z.enum(roles) }), unique('role'))
    const defaulted = (role: z.ZodType) => defineSchema(['rows', '*'], z.object({ role }), unique('role'))
    const rows = [
      [['rows', 1], {}],
      [['rows', 2], {}],
    ] as const
    const filled = await upgrade([defaulted(z.string().optional())], rows, [
      defaulted(z.string().default('guest')),
    ])
    const clash = { code: 'MIGRATION', message: expect.stringMatching(named('role', 1, 2)) }
    await expect(filled.migrate()).rejects.toMatchObject(clash)
    await expect(
      Valkeyrie.withSchemas([defaulted(z.string().default('guest'))]).open(filled.path, {
        migrations: filled.project.migrations,
      }),
    ).rejects.toMatchObject(clash)
    expect(await filled.values()).toEqual({ '["rows",1]': {}, '["rows",2]': {} })

    const renamed = await upgrade(
      [role('admin', 'owner')],
      [
        [['rows', 1], { role: 'admin' }],
        [['rows', 2], { role: 'owner' }],
      ],
      [role('owner')],
      'rows.role:admin=owner',
    )
    await expect(renamed.migrate()).rejects.toMatchObject(clash)
    expect(await renamed.values()).toEqual({
      '["rows",1]': { role: 'admin' },
      '["rows",2]': { role: 'owner' },
    })
  })

  it('do not count rows that have expired', async () => {
    const made = await upgrade([before], three, [after])
    const db = await Valkeyrie.open(made.path)
    await db.set(['rows', 4], { n: 4 }, { expireIn: 1 })
    await waitUntil('the expiry', async () => (await db.get(['rows', 4])).value === null)
    await db.close()
    fillIn(made, '({ n }) => ({ n: n + 1 })')
    expect(await made.migrate()).toEqual([made.generated!.tag])
    expect(await made.values()).toEqual(stored(2, 3, 4))
  })
})

/** How the message names two rows. */
function named(field: string, ...ids: readonly [number, number]): RegExp {
  const [one, other] = ids.map((id) => `\\["rows","${id}"\\]`)
  return new RegExp(`unique index of rows on ${field}: the same values are in ${one} and ${other}$`)
}
