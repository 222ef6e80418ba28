import { UniqueConstraintError, Valkeyrie } from 'valkeyrie'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { stillClock } from '../still-clock.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const path = temporaryFolder()
const row = z.object({ n: z.int(), mail: z.string() })
const rows = (count: number) => Array.from({ length: count }, (_, n) => [n, { n, mail: `${n}@a` }] as const)

const places: Readonly<
  Record<string, () => readonly [string | undefined, { readonly checksums?: boolean }]>
> = {
  'a file': () => [path(), {}],
  'a file with checksums': () => [path(), { checksums: true }],
  memory: () => [undefined, {}],
}

describe.each(Object.entries(places))('on %s', (_, place) => {
  async function open() {
    const [file, options] = place()
    const db = await Valkeyrie.withSchema(['rows', '*'], row, { name: 'rows' }).open(file, options)
    onTestFinished(() => db.close())
    await db.repositories.rows.insertMany(rows(20))
    return db
  }

  it('updateMany and deleteMany start again where a row was changed in between, and leave nothing of the first attempt', async () => {
    const db = await open()
    const { rows } = db.repositories
    const { versionstamp: since } = await db.set(['mark'], 1)
    let attempts = 0
    const updated = await rows.updateMany({
      where: {},
      set: async (one) => {
        if (one.n === 19 && attempts++ === 0) await rows.set(15, { n: 100, mail: 'new' })
        return { ...one, n: one.n + 1_000 }
      },
    })
    expect(updated.count).toBe(20)
    const values = (await rows.findMany()).map(({ value }) => value.n)
    expect(values).toEqual(Array.from({ length: 20 }, (_, n) => (n === 15 ? 1_100 : n + 1_000)))
    const changes: [string, unknown][] = []
    for await (const change of rows.changes({ since })) {
      changes.push([change.versionstamp, change.id])
      if (changes.length === 21) break
    }
    expect(changes[0]![1]).toBe(15)
    expect(changes.slice(1)).toEqual(Array.from({ length: 20 }, (_, n) => [updated.versionstamp, n]))
  })

  it('deleteMany deletes what its query finds, once, and counts it', async () => {
    const db = await open()
    const { rows } = db.repositories
    const both = await Promise.all([
      rows.deleteMany({ where: { n: { gte: 5 } } }),
      rows.deleteMany({ where: { n: { gte: 3 } } }),
      rows.updateMany({ where: { n: { gte: 10 } }, set: { mail: 'late' } }),
    ])
    expect(both[0].count + both[1].count).toBe(17)
    expect((await rows.findMany()).map(({ id }) => id)).toEqual([0, 1, 2])
  })

  it('a row that has expired in between is not given a value', async () => {
    const clock = stillClock()
    const db = await open()
    const { rows } = db.repositories
    await rows.touch(7, { expireIn: 1_000 })
    let attempts = 0
    const { count } = await rows.updateMany({
      where: {},
      set: (one) => {
        if (one.n === 0 && attempts++ === 0) clock.advance(1_000)
        return { ...one, n: one.n + 1_000 }
      },
    })
    expect([count, attempts]).toEqual([19, 2])
    expect((await rows.get(7)).value).toBeNull()
    expect((await rows.get(8)).value?.n).toBe(1_008)
  })

  it('a snapshot goes on with the rows that are replaced and deleted', async () => {
    const db = await open()
    const { rows } = db.repositories
    await db.snapshot(async (view) => {
      await view.get(['none'])
      await rows.updateMany({ where: { n: { lt: 10 } }, set: { mail: 'new' } })
      await rows.deleteMany({ where: { n: { gte: 10 } } })
      const found = await view.repositories.rows.findMany()
      expect(found.map(({ value }) => value.mail)).toEqual(Array.from({ length: 20 }, (_, n) => `${n}@a`))
    })
    expect(await rows.count()).toBe(10)
  })
})

it('updateMany keeps to a unique index that another process has declared since', async () => {
  const file = path()
  await using db = await Valkeyrie.withSchema(['rows', '*'], row, { name: 'rows' }).open(file)
  await db.repositories.rows.insertMany(rows(20))
  await using other = await Valkeyrie.withSchema(['rows', '*'], row, {
    name: 'rows',
    indexes: [{ on: 'mail', unique: true }],
  }).open(file)
  const setting = db.repositories.rows.updateMany({ where: { n: { gte: 18 } }, set: { mail: 'one' } })
  await expect(setting).rejects.toBeInstanceOf(UniqueConstraintError)
  expect((await other.repositories.rows.get(18)).value?.mail).toBe('18@a')
  await db.repositories.rows.updateMany({
    where: { n: { gte: 18 } },
    set: (one) => ({ ...one, mail: `${37 - one.n}@a` }),
  })
  expect((await other.repositories.rows.get(18)).value?.mail).toBe('19@a')
})
