import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AnyDefinition } from '../../src/schema/definition.types.ts'
import { describeEngines } from '../engines.ts'
import { type Upgrade, upgrade, upgradeOn } from './upgrade.ts'

const schema = z.object({ n: z.int(), t: z.string() })
const released = (options: object, values = schema) => defineSchema(['rows', '*'], values, options)
const before = released({})
const rows = [1, 2].map((n) => [['rows', n], { n, t: `word${n}` }] as const)
const clean = { pending: [], drift: [], refused: [] }

/** Opens the release of a migration that is still pending, as one that knows of no migrations. */
async function openAhead(path: string, release: AnyDefinition): Promise<void> {
  const db = await Valkeyrie.withSchemas([release]).open(path)
  await db.set(['rows', 3], { n: 3, t: 'word3' })
  await db.close()
}

const more = {
  'an index': { indexes: [{ on: 'n' }] },
  'a unique index': { indexes: [{ on: 'n', unique: true }] },
  'a search': { search: ['t'] },
  'all of them': {
    indexes: [{ on: 'n' }, { on: ['t', 'n'], unique: true }],
    search: { on: ['t'], weights: { t: 3 } },
  },
}

describeEngines('a release that was opened before its migration', (engine) => {
  const upgrade = upgradeOn(engine)

  describe.each(Object.entries(more))('and has built %s', (_, options) => {
    const after = released(options)

    it('does not keep it from being applied', async () => {
      const made = await upgrade([before], rows, [after])
      await openAhead(made.path, after)
      expect(await made.migrate()).toEqual([made.generated!.tag])
      await expectServed(made, after)
    })

    it('does not keep it from being applied by open', async () => {
      const made = await upgrade([before], rows, [after])
      await openAhead(made.path, after)
      await (
        await Valkeyrie.withSchemas([after]).open(made.path, { migrations: made.project.migrations })
      ).close()
      await expectServed(made, after)
    })
  })

  const shifted = released(more['a unique index'], schema.extend({ n: z.int().max(100) }))
  const shift = async (up: string) => {
    const made = await upgrade([before], rows, [shifted])
    await openAhead(made.path, shifted)
    const [step] = made.generated!.steps
    writeFileSync(join(made.project.migrations, step!), `export const up = ({ n, t }) => ({ n: ${up}, t })\n`)
    return made
  }

  it('does not keep values from shifting beneath a unique index', async () => {
    const made = await shift('n + 1')
    await made.migrate()
    const numbers = Object.values(await made.values()).map((value) => (value as { n: number }).n)
    expect(numbers).toEqual([2, 3, 4])
    await expectServed(made, shifted)
  })

  it('keeps its unique index if two rows would have the same value', async () => {
    const made = await shift('Math.min(n, 2)')
    await expect(made.migrate()).rejects.toThrow(
      /unique index of rows on n: the same values are in \["rows","2"\] and \["rows","3"\]$/,
    )
    const db = await Valkeyrie.open(made.path)
    await expect(db.set(['rows', 4], { n: 3, t: '' })).rejects.toMatchObject({ code: 'UNIQUE_CONSTRAINT' })
    await db.close()
  })
})

describe('an index with the name of one that a migration of a file makes', () => {
  const after = released({ indexes: [{ on: 'n' }] })

  it('is built again if it is another one', async () => {
    const made = await upgrade([before], rows, [after])
    await withSql(
      made.path,
      'CREATE INDEX "KV_rows_n" ON "kv" (value ->> \'$.n\', version) WHERE collection = \'rows\'',
    )
    await made.migrate()
    expect(await made.check()).toMatchObject(clean)
  })

  it('stays if it is of another declaration, and the migration fails', async () => {
    const made = await upgrade([before], rows, [after])
    const other = 'CREATE UNIQUE INDEX "kv_rows_n" ON "kv" (value ->> \'$.t\') WHERE collection = \'rows\''
    await withSql(made.path, other)
    await expect(made.migrate()).rejects.toThrow(/would be called kv_rows_n, like the one of 'rows' on t/)
    expect(await withSql(made.path, null)).toEqual([other])
  })

  it('may be gone already when a migration drops it, whoever has written that', async () => {
    const made = await upgrade([after], rows, [before])
    const file = join(made.project.migrations, `${made.generated!.tag}.sql`)
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace('DROP INDEX IF EXISTS "kv_rows_n"', 'DROP INDEX `kv_rows_n`'))
    expect(readFileSync(file, 'utf8')).not.toBe(text)
    await withSql(made.path, 'DROP INDEX kv_rows_n')
    expect(await made.migrate()).toEqual([made.generated!.tag])
    expect(await withSql(made.path, null)).toEqual([])
  })

  it('of another table must be there to be dropped', async () => {
    const made = await upgrade([after], rows, [before])
    const file = join(made.project.migrations, `${made.generated!.tag}.sql`)
    writeFileSync(file, `DROP INDEX "orders_n";\n--> statement-breakpoint\n${readFileSync(file, 'utf8')}`)
    await expect(made.migrate()).rejects.toThrow(/no such index: orders_n/)
  })
})

/** Runs SQL on a file, and gives the statements of the indexes of its rows. */
async function withSql(path: string, sql: string | null): Promise<string[]> {
  const db = await Valkeyrie.open(path)
  if (sql !== null) db.drizzle.$client.exec(sql)
  const found = db.drizzle.$client
    .prepare("SELECT sql FROM sqlite_schema WHERE type = 'index' AND name LIKE 'kv_rows%'")
    .pluck()
    .all()
  await db.close()
  return found as string[]
}

/** What was declared is there, and serves. */
async function expectServed(made: Upgrade, after: AnyDefinition): Promise<void> {
  expect(await made.check()).toMatchObject(clean)
  const db = await Valkeyrie.withSchemas([after]).open(made.path, { migrations: made.project.migrations })
  const repository = db.repository(after)
  expect(await repository.count()).toBe(3)
  if (after.search !== undefined)
    expect(await repository.count({ where: { $search: 'word1' } as never })).toBe(1)
  await db.close()
}
