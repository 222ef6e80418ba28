import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { Valkeyrie } from 'valkeyrie'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { serverOfRun } from './server-of-run.ts'

const server = await serverOfRun()
const url = 'url' in server ? server.url : ''
const newSchema = () => `indexes_${randomUUID().replaceAll('-', '')}`

/** Runs a statement beside the database. */
async function query(text: string): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text, rowMode: 'array' })).rows
  } finally {
    await client.end()
  }
}

const schema = z.object({
  name: z.string(),
  nick: z.string().optional(),
  age: z.number(),
  score: z.number().nullable(),
  big: z.bigint(),
  ok: z.boolean(),
  either: z.union([z.string(), z.number()]),
})
const indexes = [
  { on: 'name' },
  { on: 'nick' },
  { on: 'age' },
  { on: 'score' },
  { on: 'big' },
  { on: 'either' },
  { on: ['ok', 'age'] },
] as const

const open = (options: object = {}) =>
  Valkeyrie.withSchema(['things', '*'], schema, { name: 'things', indexes }).open(url, {
    schema: newSchema(),
    destroyOnClose: true,
    ...options,
  })

describe.runIf(url !== '')('a page', () => {
  let db: Awaited<ReturnType<typeof open>>

  beforeAll(async () => {
    const schema = newSchema()
    db = await open({ schema })
    const rows = Array.from({ length: 5_000 }, (_, i) => {
      const value = {
        name: `n${i % 100}`,
        age: i % 50,
        score: i % 3 === 0 ? null : i % 70,
        big: BigInt(i % 40),
        ok: i % 2 === 0,
        either: i % 5 === 0 ? `e${i % 20}` : i % 20,
        ...(i % 4 > 0 && { nick: `k${i % 30}` }),
      }
      return [i, value] as const
    })
    await db.repositories.things.insertMany(rows)
    await query(`analyze ${schema}.kv`)
  })
  afterAll(() => db.close())

  const queries = [
    { orderBy: { name: 'asc' } },
    { orderBy: { name: 'desc' } },
    { orderBy: { age: 'asc' } },
    { orderBy: { age: 'desc' } },
    { orderBy: { big: 'asc' } },
    { orderBy: { big: 'desc' } },
    { orderBy: { either: 'asc' } },
    { orderBy: { either: 'desc' } },
    { where: { ok: true }, orderBy: { age: 'asc' } },
    { where: { ok: true }, orderBy: { age: 'desc' } },
  ] as const

  it.each(queries.map((query) => [JSON.stringify(query), query] as const))(
    'of %s goes on where the one before has ended, by the index',
    async (_, query) => {
      const { things } = db.repositories
      const first = await things.findPage({ ...query, limit: 20 } as never)
      const steps: string[] = []
      for (const after of [undefined, (first as { cursor: string }).cursor]) {
        const plan = await things.explain({ ...query, limit: 20, ...(after && { after }) } as never)
        steps.push(plan.join('\n'))
      }
      for (const step of steps) {
        expect(step).toMatch(/Index Scan (Backward )?using kv_things_/)
        expect(step).not.toContain('Sort')
      }
      expect(steps[1]).toMatch(/Index Cond: .*ROW\(/)
    },
  )
})
